//! What can have happened to a key's auth tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AuthTokenId, CredentialRecord, KeyId, Name};

/// A fact about the auth tokens of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthTokenEvent {
    /// `auth_token.issued`
    Issued(Issued),
}

impl AuthTokenEvent {
    /// The key whose tokens they are.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Issued(event) => event.key_id,
        }
    }
}

/// A token was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// The key that it manages.
    pub key_id: KeyId,
    /// Its id.
    pub auth_token_id: AuthTokenId,
    /// Its display name.
    pub name: Name,
    /// Its secret, as stored.
    pub credential: CredentialRecord,
    /// When.
    pub at: Timestamp,
}
