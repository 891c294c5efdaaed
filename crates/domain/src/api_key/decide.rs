//! The rules of an API key.

use super::command::ApiKeyCommand;
use super::event::{ApiKeyEvent, Created, Disabled, Enabled, Revoked};
use super::state::{ApiKey, ApiKeyState};
use crate::{Decider, Rejection};

impl Decider for ApiKeyState {
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;

    fn decide(&self, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, Rejection> {
        match self {
            Self::Missing => create(command).map(|event| vec![event]),
            Self::Present(key) => change(key, command).map(|event| event.into_iter().collect()),
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
        | ApiKeyCommand::Revoke { .. } => Err(Rejection::NotFound),
    }
}

/// What becomes of a key that exists. `None`: it is already so. Revocation absorbs everything.
fn change(key: &ApiKey, command: ApiKeyCommand) -> Result<Option<ApiKeyEvent>, Rejection> {
    let (key_id, revoked, disabled) =
        (key.key_id, key.revoked.is_some(), key.disabled_at.is_some());
    Ok(match command {
        ApiKeyCommand::Create { .. } => return Err(Rejection::AlreadyExists),
        ApiKeyCommand::Revoke { .. } if revoked => None,
        ApiKeyCommand::Revoke { revoked_by, reason, text, now } => {
            Some(ApiKeyEvent::Revoked(Revoked { key_id, revoked_by, reason, text, at: now }))
        }
        ApiKeyCommand::Disable { .. } | ApiKeyCommand::Enable { .. } if revoked => {
            return Err(Rejection::KeyRevoked);
        }
        ApiKeyCommand::Disable { .. } if disabled => None,
        ApiKeyCommand::Disable { now } => Some(ApiKeyEvent::Disabled(Disabled { key_id, at: now })),
        ApiKeyCommand::Enable { .. } if !disabled => None,
        ApiKeyCommand::Enable { now } => Some(ApiKeyEvent::Enabled(Enabled { key_id, at: now })),
    })
}
