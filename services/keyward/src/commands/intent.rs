//! One wish about one stream: which stream it is, how its events fold, what the decider answers.

use domain::api_key::{ApiKeyCommand, ApiKeyEvent, ApiKeyState};
use domain::auth_token::{AuthTokenCommand, AuthTokenEvent, AuthTokens};
use domain::config::{ConfigCommand, ConfigEvent, ConfigState};
use domain::service_credential::{
    Proof, ServiceCredentialCommand, ServiceCredentialEvent, ServiceCredentialState,
};
use domain::workspace::{WorkspaceCommand, WorkspaceEvent, WorkspaceState};
use domain::{Decider, Event, KeyId, Rejection, ServiceCredentialId, WorkspaceId};
use eventlog::{Expected, NewEvent, Position, RecordedEvent, Revision, StreamAppend, StreamId};
use jiff::Timestamp;

use super::CommandError;
use crate::entropy;

/// One wish about one stream.
#[derive(Debug, Clone)]
pub enum Intent {
    /// About a workspace, still at this revision if one is given.
    Workspace(WorkspaceId, WorkspaceCommand, Option<u64>),
    /// About a key of this workspace, still at this revision if one is given. A key of another
    /// workspace is answered as one that does not exist.
    ApiKey(WorkspaceId, KeyId, ApiKeyCommand, Option<u64>),
    /// About a key's configuration, still at this revision if one is given. Whose it is, the key says:
    /// whoever changes one asks something of the key as well.
    Config(KeyId, ConfigCommand, Option<u64>),
    /// About a key's auth tokens, still at this revision if one is given.
    AuthToken(KeyId, AuthTokenCommand, Option<u64>),
    /// About a service credential, still at this revision if one is given.
    ServiceCredential(ServiceCredentialId, ServiceCredentialCommand, Option<u64>),
}

/// What a stream's events fold to.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A workspace.
    Workspace(WorkspaceState),
    /// A key.
    ApiKey(ApiKeyState),
    /// A configuration.
    Config(ConfigState),
    /// A key's auth tokens.
    AuthTokens(AuthTokens),
    /// A service credential.
    ServiceCredential(ServiceCredentialState),
}

/// A subject, and the revision it has come to.
#[derive(Debug, Clone)]
pub struct Folded {
    /// What it is now.
    pub subject: Subject,
    /// The last revision of its stream.
    pub revision: u64,
    /// What has become of it.
    pub change: Change,
}

/// What a command has made of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was so already.
    None,
    /// It may do no less than before.
    Gives,
    /// Something that was accepted before is not any more.
    TakesAway,
}

/// What a decider answered: the state after it, what it was decided on, and what to append for it.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) folded: Folded,
    /// The last event's position in the stream as it was read.
    pub(super) seen: Position,
    /// Without events if all is so already: then only a condition on the stream.
    pub(super) append: StreamAppend,
}

/// How a decider's events are told from all others.
pub(super) trait Stored: Decider + Clone {
    fn wrap(event: Self::Event) -> Event;
    fn unwrap(event: Event) -> Option<Self::Event>;
    fn subject(self) -> Subject;

    /// Whether `event` takes something away from `before`, which is `self` after all that is decided
    /// with it.
    fn lost_by(&self, _before: &Self, event: &Event) -> bool {
        event.takes_away()
    }
}

macro_rules! stored {
    ($state:ty, $event:ty, $noun:ident, $subject:ident) => {
        impl Stored for $state {
            fn wrap(event: $event) -> Event {
                Event::$noun(event)
            }

            fn unwrap(event: Event) -> Option<$event> {
                if let Event::$noun(event) = event { Some(event) } else { None }
            }

            fn subject(self) -> Subject {
                Subject::$subject(self)
            }
        }
    };
}

stored!(WorkspaceState, WorkspaceEvent, Workspace, Workspace);
stored!(ConfigState, ConfigEvent, Config, Config);
stored!(AuthTokens, AuthTokenEvent, AuthToken, AuthTokens);
stored!(ServiceCredentialState, ServiceCredentialEvent, ServiceCredential, ServiceCredential);

impl Stored for ApiKeyState {
    fn wrap(event: ApiKeyEvent) -> Event {
        Event::ApiKey(event)
    }

    fn unwrap(event: Event) -> Option<ApiKeyEvent> {
        if let Event::ApiKey(event) = event { Some(event) } else { None }
    }

    fn subject(self) -> Subject {
        Subject::ApiKey(self)
    }

    fn lost_by(&self, before: &Self, event: &Event) -> bool {
        match (event, before.present(), self.present()) {
            (Event::ApiKey(event), Some(before), Some(after)) => event.takes_away(before, after),
            _ => event.takes_away(),
        }
    }
}

impl Intent {
    pub(super) fn stream(&self) -> Result<StreamId, CommandError> {
        let name = match self {
            Self::Workspace(id, _, _) => id.to_string(),
            Self::ApiKey(_, id, _, _) => id.to_string(),
            Self::Config(id, _, _) => format!("{id}/config"),
            Self::AuthToken(id, _, _) => format!("{id}/auth_tokens"),
            Self::ServiceCredential(id, _, _) => id.to_string(),
        };
        Ok(StreamId::new(name)?)
    }

    /// Whether the stream's id was drawn for this very wish, so that there is nothing to read.
    pub(super) const fn begins_stream(&self) -> bool {
        match self {
            Self::Workspace(_, command, _) => matches!(command, WorkspaceCommand::Create { .. }),
            Self::ApiKey(_, _, command, _) => matches!(command, ApiKeyCommand::Create { .. }),
            Self::Config(_, command, _) => matches!(command, ConfigCommand::Create { .. }),
            Self::AuthToken(..) => false,
            // One with an identity has an id that was not drawn: there may be one already.
            Self::ServiceCredential(_, command, _) => {
                matches!(command, ServiceCredentialCommand::Create { proof: Proof::Secret(_), .. })
            }
        }
    }

    pub(super) fn decide(
        &self,
        recorded: &[RecordedEvent],
        now: Timestamp,
    ) -> Result<Decision, CommandError> {
        let etag = match self {
            Self::Workspace(_, _, etag)
            | Self::ApiKey(_, _, _, etag)
            | Self::Config(_, _, etag)
            | Self::AuthToken(_, _, etag)
            | Self::ServiceCredential(_, _, etag) => *etag,
        };
        let past = Past { stream: self.stream()?, recorded, etag, now };
        match self.clone() {
            Self::Workspace(_, command, _) => past.decide::<WorkspaceState>(command, |_| true),
            Self::ApiKey(workspace, _, command, _) => past
                .decide::<ApiKeyState>(command, |state| {
                    state.present().is_none_or(|key| key.workspace_id == workspace)
                }),
            Self::Config(_, command, _) => past.decide::<ConfigState>(command, |_| true),
            Self::AuthToken(_, command, _) => past.decide::<AuthTokens>(command, |_| true),
            Self::ServiceCredential(_, command, _) => {
                past.decide::<ServiceCredentialState>(command, |_| true)
            }
        }
    }
}

/// What the events of a stream fold to.
pub(super) fn fold<D: Stored>(recorded: &[RecordedEvent]) -> Result<D, CommandError> {
    let mut state = D::default();
    for stored in recorded {
        let event = Event::decode(&stored.kind, stored.schema, &stored.payload)?;
        if let Some(event) = D::unwrap(event) {
            state = state.evolve(&event);
        }
    }
    Ok(state)
}

/// An event as it is to be stored.
pub(super) fn new_event(event: &Event, now: Timestamp) -> Result<NewEvent, CommandError> {
    Ok(NewEvent {
        event_id: entropy::uuid_v7(now)?,
        kind: event.kind().to_owned(),
        schema: event.schema(),
        payload: event.encode(),
    })
}

/// A stream as it was read.
struct Past<'a> {
    stream: StreamId,
    recorded: &'a [RecordedEvent],
    etag: Option<u64>,
    now: Timestamp,
}

impl Past<'_> {
    fn decide<D: Stored>(
        self,
        command: D::Command,
        visible: impl Fn(&D) -> bool,
    ) -> Result<Decision, CommandError> {
        let mut state: D = fold(self.recorded)?;
        let revision = self.recorded.last().map_or(0, |stored| stored.revision.get());
        if !visible(&state) {
            return Err(Rejection::NotFound.into());
        }
        let events = state.decide(command)?;
        if let Some(expected) = self.etag
            && expected != revision
        {
            return Err(CommandError::EtagMismatch { actual: revision });
        }
        let before = state.clone();
        state = events.iter().fold(state, D::evolve);
        let (mut new, mut change) = (Vec::with_capacity(events.len()), Change::None);
        for event in events.into_iter().map(D::wrap) {
            if change != Change::TakesAway {
                let takes_away = state.lost_by(&before, &event);
                change = if takes_away { Change::TakesAway } else { Change::Gives };
            }
            new.push(new_event(&event, self.now)?);
        }
        let revision_after = revision + new.len() as u64;
        let expected = match revision {
            0 => Expected::NoStream,
            revision => Expected::Exact(Revision::new(revision)),
        };
        Ok(Decision {
            folded: Folded { subject: state.subject(), revision: revision_after, change },
            seen: self.recorded.last().map_or(Position::ZERO, |stored| stored.position),
            append: StreamAppend { stream: self.stream, expected, events: new },
        })
    }
}
