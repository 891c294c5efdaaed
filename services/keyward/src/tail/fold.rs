//! Folding one recorded event into the verifier; and what becomes of one that can't be read.
//!
//! Such an event puts what it may be about under quarantine, and the node goes on. Only if that may be
//! anything can the node not go on: a noun of a newer build, outside any workspace, may have a say in
//! every verdict.

use domain::api_key::ApiKeyEvent;
use domain::{DecodeError, Event, Noun, Suspect};
use eventlog::{Position, RecordedEvent};
use verifier::Verifier;

use super::Warm;

/// An event that can't be read and may be about anything.
#[derive(Debug, thiserror::Error)]
#[error("the event at position {position} in stream `{stream}` may be about anything")]
pub(super) struct Boundless {
    position: Position,
    stream: String,
    #[source]
    cause: DecodeError,
}

/// What else is to be done about an event that was folded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// Somebody may wait for it to be known everywhere.
    pub(super) awaited: bool,
    /// Data keys were destroyed, and this node may have some of them in memory.
    pub(super) erased: bool,
}

/// Folds one event into the verifier, unless the read model that it was warmed from had it already.
pub(super) fn apply(
    verifier: &Verifier,
    recorded: &RecordedEvent,
    warm: Warm,
) -> Result<Applied, Boundless> {
    if let Some(Noun::Config | Noun::AuthToken | Noun::Reveal) =
        Event::noun(&recorded.kind, recorded.schema)
    {
        // No verdict rests on these.
        return Ok(Applied::default());
    }
    match Event::decode(&recorded.kind, recorded.schema, &recorded.payload) {
        Ok(event) => {
            let known = match &event {
                Event::ApiKey(_) => warm.keys,
                Event::Workspace(_) | Event::ServiceCredential(_) => warm.workspaces,
                Event::Config(_) | Event::AuthToken(_) | Event::Reveal(_) => Position::ZERO,
            };
            if recorded.position > known {
                verifier.apply(&event);
            }
            let erased = matches!(event, Event::ApiKey(ApiKeyEvent::SubjectErased(_)));
            Ok(Applied { awaited: event.takes_away(), erased })
        }
        Err(cause) => {
            let stream = recorded.stream.as_str();
            let Some(suspects) = Suspect::all_of(recorded.workspace_id.as_deref(), stream) else {
                let stream = stream.to_owned();
                return Err(Boundless { position: recorded.position, stream, cause });
            };
            for suspect in suspects {
                tracing::error!(
                    position = %recorded.position, %suspect, error = &cause as &dyn std::error::Error,
                    "an event can't be read: what it is about is answered with UNAVAILABLE"
                );
                quarantine(verifier, suspect);
            }
            Ok(Applied { awaited: true, erased: false })
        }
    }
}

/// Puts what was found unreadable, here or by a projection, under quarantine.
pub(super) fn quarantine(verifier: &Verifier, suspect: Suspect) {
    match suspect {
        Suspect::Workspace(id) => verifier.quarantine(id),
        Suspect::ServiceCredential(id) => verifier.quarantine_service_credential(id),
    }
}

#[cfg(test)]
mod tests {
    use domain::WorkspaceId;
    use eventlog::{Revision, StreamId};
    use uuid::Uuid;

    use super::*;

    const WARM: Warm = Warm { keys: Position::ZERO, workspaces: Position::ZERO };

    fn from_the_future(workspace_id: Option<WorkspaceId>, stream: &str) -> RecordedEvent {
        RecordedEvent {
            position: Position::new(9),
            stream: StreamId::new(stream).unwrap(),
            revision: Revision::new(1),
            event_id: Uuid::nil(),
            kind: "noun.from_the_future".to_owned(),
            schema: 1,
            workspace_id: workspace_id.map(|id| id.to_string()),
            payload: b"{}".to_vec(),
            metadata_bytes: Vec::new(),
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            mac: [0; 32],
            chain_key: None,
        }
    }

    #[test]
    fn an_unreadable_event_stops_the_node_only_if_it_may_be_about_anything() {
        let verifier = Verifier::new(domain::Brand::default());
        let workspace = WorkspaceId::new(Uuid::from_u128(1));
        let service = domain::ServiceCredentialId::new(Uuid::from_u128(2)).to_string();
        apply(&verifier, &from_the_future(Some(workspace), "noun_1"), WARM).unwrap();
        assert!(verifier.workspace(workspace).unwrap().quarantined);
        assert!(!verifier.any_service_credential_quarantined());
        apply(&verifier, &from_the_future(None, &service), WARM).unwrap();
        assert!(verifier.any_service_credential_quarantined());
        let refused = apply(&verifier, &from_the_future(None, "noun_1"), WARM).unwrap_err();
        assert!(refused.to_string().contains("position 9 in stream `noun_1`"), "{refused}");
    }
}
