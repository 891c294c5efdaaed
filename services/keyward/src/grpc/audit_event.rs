//! An event of the log as auditors see it: the stored JSON, without what is sealed and without digests.
//!
//! It is derived from what is stored and knows no kind, so that an event of tomorrow is shown as well.
//! Whoever stores a new kind of secret names its member in [`MASKED`]; the tests walk all stored forms.

use api::v1 as wire;
use domain::KeyId;
use eventlog::{Metadata, RecordedEvent};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::caller::Caller;
use super::status::Refusal;
use super::{convert, json};

/// What stands for what is not shown.
const SEALED: &str = "[sealed]";

/// Members that are never shown, whatever they hold and wherever they are.
const MASKED: &[&str] = &["digest", "hash", "bytes", "ciphertext", "secret"];

/// A member that only sealed values have: an object with it is shown as one mask.
const SEALED_BY: &str = "dek";

/// Digits of the shortest digest that is stored. A hexadecimal text of so many is taken for one, under
/// whatever name.
const DIGEST_DIGITS: usize = 64;

/// The event on the wire.
///
/// # Errors
/// What is stored is not the JSON that it must be.
pub(super) fn of(event: &RecordedEvent) -> Result<wire::AuditEvent, Refusal> {
    let Metadata { actor, client_address, traceparent, mut extra, .. } = event.metadata()?;
    let mut payload: Map<String, Json> =
        serde_json::from_slice(&event.payload).map_err(|error| Refusal::internal(&error))?;
    mask_members(&mut payload);
    // From where the operator works is no tenant's business.
    let own = actor != Caller::Operator.actor();
    let from = |text: Option<String>| text.filter(|_| own).unwrap_or_default();
    Ok(wire::AuditEvent {
        position: event.position.get(),
        event_id: event.event_id.to_string(),
        kind: event.kind.clone(),
        key_id: key_id(event).map(|id| id.to_string()).unwrap_or_default(),
        stream: event.stream.as_str().to_owned(),
        actor,
        event_time: moment(&payload).map(convert::moment),
        record_time: Some(convert::moment(event.recorded_at)),
        caller_address: from(client_address),
        x_request_id: from(extra.remove("x-request-id")),
        traceparent: from(traceparent),
        payload: Some(json::members(&payload)),
        mac: event.mac.to_vec(),
    })
}

/// The event by its name alone.
///
/// # Errors
/// As [`of`].
pub(super) fn named(event: &RecordedEvent) -> Result<wire::DecidingEvent, Refusal> {
    let event = of(event)?;
    Ok(wire::DecidingEvent {
        position: event.position,
        event_id: event.event_id,
        kind: event.kind,
        actor: event.actor,
        event_time: event.event_time,
        record_time: event.record_time,
    })
}

/// The key that an event is about: its stream's name begins with it.
fn key_id(event: &RecordedEvent) -> Option<KeyId> {
    event.stream.as_str().split('/').next()?.parse().ok()
}

/// When it happened, which every event says of itself.
fn moment(payload: &Map<String, Json>) -> Option<Timestamp> {
    payload.get("at")?.as_str()?.parse().ok()
}

fn mask_members(members: &mut Map<String, Json>) {
    for (name, member) in members {
        if MASKED.contains(&name.as_str()) {
            *member = SEALED.into();
        } else {
            mask(member);
        }
    }
}

fn mask(value: &mut Json) {
    match value {
        Json::Object(members) if members.contains_key(SEALED_BY) => *value = SEALED.into(),
        Json::Object(members) => mask_members(members),
        Json::Array(items) => items.iter_mut().for_each(mask),
        Json::String(text) if looks_like_a_digest(text) => *value = SEALED.into(),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn looks_like_a_digest(text: &str) -> bool {
    text.len() >= DIGEST_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// As the samples of `crates/domain/tests/samples` have them.
    const HIDDEN: [&str; 4] = ["a0a1a2a3", "c0c1c2c3", "01980000-0000-7000", "dek"];

    fn golden() -> Vec<(String, Map<String, Json>)> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/domain/golden/events");
        let files = std::fs::read_dir(folder).expect("the golden events");
        let read = files.map(|file| {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a golden event");
            (path.display().to_string(), serde_json::from_str(&text).expect("an object"))
        });
        read.collect()
    }

    #[test]
    fn no_stored_form_shows_a_digest_or_sealed_bytes_and_the_rest_is_shown_as_stored() {
        let golden = golden();
        // A form that has grown has more than one.
        assert!(golden.len() >= domain::Event::KINDS.len());
        let mut masks = 0;
        for (name, payload) in golden {
            let mut shown = payload.clone();
            mask_members(&mut shown);
            let text = Json::Object(shown.clone()).to_string();
            for hidden in HIDDEN {
                assert!(!text.contains(hidden), "{name} shows {hidden}: {text}");
            }
            masks += text.matches(SEALED).count();
            let (stored, shown) = (Json::Object(payload), Json::Object(shown));
            assert_shown(&name, &stored, &shown);
        }
        assert!(masks >= 10, "the samples hold more secrets than {masks}");
    }

    /// Whatever is not masked is as it was stored.
    fn assert_shown(path: &str, stored: &Json, shown: &Json) {
        match (stored, shown) {
            (_, Json::String(text)) if text == SEALED => {
                let kept = ["kid", "at", "mask", "mac"];
                assert!(!kept.iter().any(|name| path.ends_with(&format!("/{name}"))), "{path}");
            }
            (Json::Object(stored), Json::Object(shown)) => {
                assert!(stored.keys().eq(shown.keys()), "{path}");
                for (name, member) in stored {
                    assert_shown(&format!("{path}/{name}"), member, &shown[name]);
                }
            }
            (stored, shown) => assert_eq!(stored, shown, "{path}"),
        }
    }

    #[test]
    fn a_digest_under_a_name_of_tomorrow_is_not_shown() {
        let mut payload = Map::new();
        payload.insert("fingerprints".into(), serde_json::json!([{"of_old": "0f".repeat(32)}]));
        mask_members(&mut payload);
        assert_eq!(payload["fingerprints"][0]["of_old"], SEALED);
    }
}
