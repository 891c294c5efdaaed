//! Stored events never change: every kind and schema number has a file that must stay readable.

use std::path::PathBuf;

use domain::{DecodeError, Event};
use serde_json::{Map, Value};

mod samples;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/events")
}

fn stored(kind: &str, schema: u16) -> Vec<u8> {
    let path = folder().join(format!("{kind}.{schema}.json"));
    std::fs::read(&path).unwrap_or_else(|error| {
        let sample = samples::events()
            .into_iter()
            .find(|event| (event.kind(), event.schema()) == (kind, schema));
        let bytes = sample.map_or_else(
            || "add a sample to tests/samples first".to_owned(),
            |event| String::from_utf8_lossy(&event.encode()).into_owned(),
        );
        panic!(
            "{}: {error}\nstore exactly this, without a line break at its end:\n{bytes}",
            path.display()
        )
    })
}

#[test]
fn every_kind_has_a_sample_and_a_golden_file_and_no_file_is_left_over() {
    let samples: Vec<_> =
        samples::events().iter().map(|event| (event.kind(), event.schema())).collect();
    assert_eq!(samples, Event::KINDS);

    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder of golden events")
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .map(|name| name.expect("an ASCII name"))
        .collect();
    files.sort();
    let mut expected: Vec<_> =
        Event::KINDS.iter().map(|(kind, schema)| format!("{kind}.{schema}.json")).collect();
    expected.extend(samples::grown_events().iter().map(|(form, event)| grown(form, event)));
    expected.sort();
    assert_eq!(files, expected);
}

#[test]
fn each_golden_decodes_to_its_value_and_encodes_to_the_same_bytes() {
    for event in samples::events() {
        let bytes = stored(event.kind(), event.schema());
        let decoded = Event::decode(event.kind(), event.schema(), &bytes);
        assert_eq!(decoded.expect("a readable golden"), event);
        assert_eq!(
            String::from_utf8(bytes).expect("a golden is UTF-8"),
            String::from_utf8(event.encode()).expect("a payload is UTF-8"),
        );
    }
}

/// The name of the file of an event in a form that has grown.
fn grown(form: &str, event: &Event) -> String {
    format!("{}.{}.{form}.json", event.kind(), event.schema())
}

#[test]
fn a_form_that_has_grown_has_a_golden_of_its_own_and_its_new_members_may_be_missing() {
    for (form, event) in samples::grown_events() {
        let text = String::from_utf8(event.encode()).expect("a payload is UTF-8");
        let path = folder().join(grown(form, &event));
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}\nstore exactly this, without a line break at its end:\n{text}",
                path.display()
            )
        });
        assert_eq!(golden, text);
        let decoded = Event::decode(event.kind(), event.schema(), golden.as_bytes());
        assert_eq!(decoded.expect("a readable golden"), event);

        let members = |text: &[u8]| -> Map<String, Value> {
            serde_json::from_slice(text).expect("an object")
        };
        let (first, now) =
            (members(&stored(event.kind(), event.schema())), members(golden.as_bytes()));
        for name in now.keys() {
            let mut without = now.clone();
            without.remove(name);
            let bytes = serde_json::to_vec(&without).expect("JSON");
            let read = Event::decode(event.kind(), event.schema(), &bytes);
            assert_eq!(read.is_ok(), !first.contains_key(name), "{form} without `{name}`");
        }
    }
}

#[test]
fn an_event_with_nothing_optional_set_reads_back_as_itself() {
    for event in samples::bare_events() {
        let decoded = Event::decode(event.kind(), event.schema(), &event.encode());
        assert_eq!(decoded.expect("a readable payload"), event);
    }
}

#[test]
fn kinds_are_dotted_lower_case_past_tense_names_without_doubles() {
    for (place, (kind, schema)) in Event::KINDS.iter().enumerate() {
        let (noun, fact) = kind.split_once('.').expect("a dotted kind");
        let plain = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        assert!(plain(noun) && plain(fact), "{kind}");
        assert!(*schema >= 1);
        assert!(!Event::KINDS[..place].contains(&(kind, *schema)), "{kind} twice");
    }
}

#[test]
fn an_unknown_kind_or_schema_is_named_not_guessed() {
    for (kind, schema) in Event::KINDS {
        let bytes = stored(kind, *schema);
        let upper = kind.to_uppercase();
        let odd = [
            (*kind, schema + 1),
            (*kind, 0),
            (upper.as_str(), *schema),
            ("", *schema),
            ("api_key", *schema),
        ];
        for (kind, schema) in odd {
            match Event::decode(kind, schema, &bytes) {
                Err(DecodeError::Unknown { kind: named, schema: number }) => {
                    assert_eq!((named.as_str(), number), (kind, schema))
                }
                other => panic!("{kind} {schema}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_payload_of_another_shape_is_refused_with_its_cause() {
    for (kind, schema) in Event::KINDS {
        let golden = stored(kind, *schema);
        let cut = &golden[..golden.len() - 1];
        let tail = [&golden[..], b"{}"].concat();
        for payload in [b"".as_slice(), b"null", b"{}", b"[]", b"\xff", cut, &tail] {
            let error = Event::decode(kind, *schema, payload).expect_err("no event");
            assert!(matches!(error, DecodeError::Payload { .. }), "{error:?}");
            assert!(std::error::Error::source(&error).is_some());
        }
    }
}

/// Members under these may have any name.
const FREE: [&str; 4] =
    ["/settings/metadata", "/settings/plan/custom", "/metadata", "/plan/custom"];

/// Members that may be left out: unset is their only other meaning.
const OPTIONAL: [&str; 25] = [
    "/owner/principal",
    "/owner/email",
    "/domains/patterns",
    "/domains/allow_localhost",
    "/settings/owner/principal",
    "/settings/owner/email",
    "/settings/domains/patterns",
    "/settings/domains/allow_localhost",
    "/settings/plan/kind",
    "/settings/plan/custom",
    "/settings/email/api_key",
    "/settings/email/from_email",
    "/settings/email/from_company",
    "/settings/email/comment_template_id",
    "/settings/email/tag_template_id",
    "/settings/webhook/auth_token",
    "/settings/webhook/raw_notification_url",
    "/settings/webhook/processed_notification_url",
    "/settings/ai_models",
    "/settings/ai_models/anthropic",
    "/settings/ai_models/openai",
    "/bounds/workspaces",
    "/bounds/envs",
    "/plan/kind",
    "/plan/custom",
];

/// The paths of all objects whose members are fixed.
fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(members) = value else {
        return;
    };
    if FREE.contains(&path) {
        return;
    }
    found.push(path.to_owned());
    for (name, value) in members {
        objects(value, &format!("{path}/{name}"), found);
    }
}

fn members<'a>(payload: &'a mut Value, path: &str) -> &'a mut Map<String, Value> {
    let object = payload.pointer_mut(path).and_then(Value::as_object_mut);
    object.expect("an object at this path")
}

#[test]
fn an_additional_member_is_refused_at_every_level() {
    for (kind, schema) in Event::KINDS {
        let golden: Value = serde_json::from_slice(&stored(kind, *schema)).expect("JSON");
        let mut paths = vec![];
        objects(&golden, "", &mut paths);
        for path in paths {
            let mut payload = golden.clone();
            members(&mut payload, &path).insert("unexpected".to_owned(), Value::from(1));
            let bytes = serde_json::to_vec(&payload).expect("JSON");
            assert!(
                Event::decode(kind, *schema, &bytes).is_err(),
                "{kind} took an additional member in `{path}`"
            );
        }
    }
}

#[test]
fn a_missing_member_is_refused_unless_it_is_optional() {
    for (kind, schema) in Event::KINDS {
        let golden: Value = serde_json::from_slice(&stored(kind, *schema)).expect("JSON");
        let mut paths = vec![];
        objects(&golden, "", &mut paths);
        for path in paths {
            let names: Vec<_> = members(&mut golden.clone(), &path).keys().cloned().collect();
            for name in names {
                let mut payload = golden.clone();
                members(&mut payload, &path).remove(&name);
                let bytes = serde_json::to_vec(&payload).expect("JSON");
                let full = format!("{path}/{name}");
                assert_eq!(
                    Event::decode(kind, *schema, &bytes).is_ok(),
                    OPTIONAL.contains(&full.as_str()),
                    "{kind} without `{full}`"
                );
            }
        }
    }
}

#[test]
fn each_noun_writes_to_the_stream_of_its_id() {
    let (ws, key, svc) = (
        samples::workspace_id().to_string(),
        samples::key_id().to_string(),
        samples::service_credential_id().to_string(),
    );
    let config = format!("{key}/config");
    let tokens = format!("{key}/auth_tokens");
    let reveals = format!("{key}/reveals");
    for event in samples::events() {
        let expected = match event.kind().split_once('.').expect("a dot").0 {
            "config" if event.kind() == "config.secret_revealed" => &reveals,
            "workspace" => &ws,
            "api_key" => &key,
            "config" => &config,
            "auth_token" => &tokens,
            "service_credential" => &svc,
            other => panic!("no stream for `{other}`"),
        };
        assert_eq!(event.stream(), *expected, "{}", event.kind());
    }
}

#[test]
fn the_streams_of_a_key_are_those_that_events_of_the_key_go_to() {
    let key = samples::key_id().to_string();
    let mut written: Vec<_> = samples::events()
        .iter()
        .map(Event::stream)
        .filter(|stream| stream.split('/').next() == Some(key.as_str()))
        .collect();
    written.sort_unstable();
    written.dedup();
    let mut named = Event::streams_of_key(samples::key_id());
    named.sort_unstable();
    assert_eq!(named, written);
}
