//! The rules of an API key.

use jiff::{SignedDuration, Timestamp};

use super::command::ApiKeyCommand;
use super::event::{
    ApiKeyEvent, Created, Deleted, Disabled, Enabled, GraceEnded, Revoked, Rotated, SubjectErased,
    Undeleted,
};
use super::state::{ApiKey, ApiKeyState};
use crate::{CredentialRecord, Decider, Rejection};

/// For so long a deleted key can be brought back.
pub const UNDELETE_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Decider for ApiKeyState {
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;

    fn decide(&self, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, Rejection> {
        match self {
            Self::Missing => create(command).map(|event| vec![event]),
            Self::Present(key) => change(key, command),
        }
    }

    fn evolve(self, event: &ApiKeyEvent) -> Self {
        self.after(event)
    }
}

fn create(command: ApiKeyCommand) -> Result<ApiKeyEvent, Rejection> {
    match command {
        ApiKeyCommand::Create { key_id, workspace_id, created_by, settings, credential, now } => {
            if let Some(end) = settings.expires_at {
                if end <= now {
                    return Err(Rejection::AlreadyExpired);
                }
                if settings.not_before.is_some_and(|begin| end <= begin) {
                    return Err(Rejection::EndsBeforeItBegins);
                }
            }
            Ok(ApiKeyEvent::Created(Box::new(Created {
                key_id,
                workspace_id,
                created_by,
                settings: *settings,
                credential,
                at: now,
            })))
        }
        ApiKeyCommand::Disable { .. }
        | ApiKeyCommand::Enable { .. }
        | ApiKeyCommand::Revoke { .. }
        | ApiKeyCommand::Update { .. }
        | ApiKeyCommand::Rotate { .. }
        | ApiKeyCommand::EndRotationGrace { .. }
        | ApiKeyCommand::Delete { .. }
        | ApiKeyCommand::Undelete { .. }
        | ApiKeyCommand::EraseSubject { .. }
        | ApiKeyCommand::RequireLive { .. } => Err(Rejection::NotFound),
    }
}

/// What becomes of a key that exists. No event: it is already so. Revocation absorbs everything.
fn change(key: &ApiKey, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, Rejection> {
    let (key_id, deleted) = (key.key_id, key.deleted_at.is_some());
    let event = match command {
        ApiKeyCommand::Create { .. } => return Err(Rejection::AlreadyExists),
        ApiKeyCommand::Revoke { .. } if key.revoked.is_some() => None,
        ApiKeyCommand::Revoke { revoked_by, reason, text, now } => {
            Some(ApiKeyEvent::Revoked(Revoked { key_id, revoked_by, reason, text, at: now }))
        }
        ApiKeyCommand::Delete { .. } if deleted => None,
        ApiKeyCommand::Delete { now } => Some(ApiKeyEvent::Deleted(Deleted { key_id, at: now })),
        ApiKeyCommand::Undelete { .. } if !deleted => None,
        ApiKeyCommand::Undelete { now } => {
            if key.deleted_at.is_some_and(|at| now > at + UNDELETE_WINDOW) {
                return Err(Rejection::UndeleteTooLate);
            }
            Some(ApiKeyEvent::Undeleted(Undeleted { key_id, at: now }))
        }
        // Each time: something may have been sealed since.
        ApiKeyCommand::EraseSubject { now } => {
            Some(ApiKeyEvent::SubjectErased(SubjectErased { key_id, at: now }))
        }
        ApiKeyCommand::Disable { .. }
        | ApiKeyCommand::Enable { .. }
        | ApiKeyCommand::Update { .. }
        | ApiKeyCommand::Rotate { .. }
        | ApiKeyCommand::EndRotationGrace { .. }
        | ApiKeyCommand::RequireLive { .. } => return change_living(key, command),
    };
    Ok(event.into_iter().collect())
}

/// What becomes of a key that must be neither revoked nor deleted.
fn change_living(key: &ApiKey, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, Rejection> {
    if key.revoked.is_some() {
        return Err(Rejection::KeyRevoked);
    }
    if key.deleted_at.is_some() {
        return Err(Rejection::KeyDeleted);
    }
    let (key_id, disabled) = (key.key_id, key.disabled_at.is_some());
    let event = match command {
        ApiKeyCommand::Disable { .. } if disabled => None,
        ApiKeyCommand::Disable { now } => Some(ApiKeyEvent::Disabled(Disabled { key_id, at: now })),
        ApiKeyCommand::Enable { .. } if !disabled => None,
        ApiKeyCommand::Enable { now } => Some(ApiKeyEvent::Enabled(Enabled { key_id, at: now })),
        ApiKeyCommand::Update { changes, now } => return changes.of(key, now),
        ApiKeyCommand::Rotate { credential, grace, force, now } => {
            Some(rotate(key, credential, grace, force, now)?)
        }
        ApiKeyCommand::EndRotationGrace { now } => {
            key.in_grace(now).then_some(ApiKeyEvent::GraceEnded(GraceEnded { key_id, at: now }))
        }
        ApiKeyCommand::RequireLive { now } => match key.settings.expires_at {
            Some(end) if end <= now => return Err(Rejection::KeyExpired),
            Some(_) | None => None,
        },
        // Decided before.
        ApiKeyCommand::Create { .. }
        | ApiKeyCommand::Revoke { .. }
        | ApiKeyCommand::Delete { .. }
        | ApiKeyCommand::Undelete { .. }
        | ApiKeyCommand::EraseSubject { .. } => None,
    };
    Ok(event.into_iter().collect())
}

fn rotate(
    key: &ApiKey,
    credential: CredentialRecord,
    grace: SignedDuration,
    force: bool,
    now: Timestamp,
) -> Result<ApiKeyEvent, Rejection> {
    let natural_end = key.settings.expires_at;
    if natural_end.is_some_and(|end| end <= now) {
        return Err(Rejection::KeyExpired);
    }
    if key.in_grace(now) && !force {
        return Err(Rejection::GraceRunning);
    }
    let grace_until = natural_end.map_or(now + grace, |end| end.min(now + grace));
    let generation = key.credentials.last().map_or(0, |newest| newest.generation) + 1;
    let key_id = key.key_id;
    Ok(ApiKeyEvent::Rotated(Rotated { key_id, credential, generation, grace_until, at: now }))
}
