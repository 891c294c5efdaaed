//! A key's auth tokens as their events make them.

use jiff::Timestamp;

use super::event::AuthTokenEvent;
use crate::{AuthTokenId, CredentialRecord, Name};

/// One auth token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthToken {
    /// Its id.
    pub auth_token_id: AuthTokenId,
    /// Its display name.
    pub name: Name,
    /// Its secret, as stored.
    pub credential: CredentialRecord,
    /// When it was made.
    pub created_at: Timestamp,
}

/// All auth tokens of one key, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthTokens(pub Vec<AuthToken>);

impl AuthTokens {
    pub(super) fn after(mut self, event: &AuthTokenEvent) -> Self {
        match event {
            AuthTokenEvent::Issued(issued) => self.0.push(AuthToken {
                auth_token_id: issued.auth_token_id,
                name: issued.name.clone(),
                credential: issued.credential.clone(),
                created_at: issued.at,
            }),
        }
        self
    }
}
