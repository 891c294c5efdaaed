//! The rules of a key's auth tokens.

use jiff::Timestamp;

use super::command::AuthTokenCommand;
use super::event::{AuthTokenEvent, Issued, Reset, Revoked};
use super::state::{AuthToken, AuthTokens, MOST_LIVE};
use crate::{AuthTokenId, Decider, Rejection};

impl Decider for AuthTokens {
    type Command = AuthTokenCommand;
    type Event = AuthTokenEvent;

    fn decide(&self, command: AuthTokenCommand) -> Result<Vec<AuthTokenEvent>, Rejection> {
        match command {
            AuthTokenCommand::Issue { .. } => self.issue(command),
            AuthTokenCommand::Reset { key_id, auth_token_id, credential, now } => {
                // A new secret of a token that is over would be good for nothing.
                self.known(auth_token_id)
                    .filter(|token| token.live(now))
                    .ok_or(Rejection::NotFound)?;
                let reset = Reset { key_id, auth_token_id, credential, at: now };
                Ok(vec![AuthTokenEvent::Reset(reset)])
            }
            AuthTokenCommand::Revoke { key_id, auth_token_id, now } => {
                let token = self.known(auth_token_id).ok_or(Rejection::NotFound)?;
                if token.revoked_at.is_some() {
                    return Ok(vec![]);
                }
                let revoked = Revoked { key_id, auth_token_id, at: now };
                Ok(vec![AuthTokenEvent::Revoked(revoked)])
            }
        }
    }

    fn evolve(self, event: &AuthTokenEvent) -> Self {
        self.after(event)
    }
}

impl AuthTokens {
    fn issue(&self, command: AuthTokenCommand) -> Result<Vec<AuthTokenEvent>, Rejection> {
        let AuthTokenCommand::Issue { key_id, auth_token_id, issued_by, settings, credential, now } =
            command
        else {
            return Ok(vec![]);
        };
        if self.known(auth_token_id).is_some() {
            return Err(Rejection::AlreadyExists);
        }
        if settings.expires_at.is_some_and(|end| end <= now) {
            return Err(Rejection::AlreadyExpired);
        }
        if self.live(now).count() >= MOST_LIVE {
            return Err(Rejection::TooManyAuthTokens);
        }
        Ok(vec![AuthTokenEvent::Issued(Issued {
            key_id,
            auth_token_id,
            name: settings.name,
            credential,
            issued_by: Some(issued_by),
            expires_at: settings.expires_at,
            domains: settings.domains,
            at: now,
        })])
    }

    /// The token of this id, live or not.
    #[must_use]
    pub fn known(&self, id: AuthTokenId) -> Option<&AuthToken> {
        self.0.iter().find(|token| token.auth_token_id == id)
    }

    /// Those that are neither revoked nor expired at `now`.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &AuthToken> {
        self.0.iter().filter(move |token| token.live(now))
    }
}
