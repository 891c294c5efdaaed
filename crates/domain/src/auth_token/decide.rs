//! The rules of a key's auth tokens.

use super::command::AuthTokenCommand;
use super::event::{AuthTokenEvent, Issued};
use super::state::AuthTokens;
use crate::{Decider, Rejection};

impl Decider for AuthTokens {
    type Command = AuthTokenCommand;
    type Event = AuthTokenEvent;

    fn decide(&self, command: AuthTokenCommand) -> Result<Vec<AuthTokenEvent>, Rejection> {
        match command {
            AuthTokenCommand::Issue { key_id, auth_token_id, name, credential, now } => {
                if self.0.iter().any(|token| token.auth_token_id == auth_token_id) {
                    return Err(Rejection::AlreadyExists);
                }
                let issued = Issued { key_id, auth_token_id, name, credential, at: now };
                Ok(vec![AuthTokenEvent::Issued(issued)])
            }
        }
    }

    fn evolve(self, event: &AuthTokenEvent) -> Self {
        self.after(event)
    }
}
