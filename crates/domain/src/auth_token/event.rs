//! What can have happened to a key's auth tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AuthTokenId, CredentialRecord, DomainRules, KeyId, Name};

/// A fact about the auth tokens of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthTokenEvent {
    /// `auth_token.issued`
    Issued(Issued),
    /// `auth_token.reset`
    Reset(Reset),
    /// `auth_token.revoked`
    Revoked(Revoked),
}

impl AuthTokenEvent {
    /// The key whose tokens they are.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Issued(event) => event.key_id,
            Self::Reset(event) => event.key_id,
            Self::Revoked(event) => event.key_id,
        }
    }

    /// The token that it is about.
    #[must_use]
    pub const fn auth_token_id(&self) -> AuthTokenId {
        match self {
            Self::Issued(event) => event.auth_token_id,
            Self::Reset(event) => event.auth_token_id,
            Self::Revoked(event) => event.auth_token_id,
        }
    }
}

/// A token was made.
///
/// The first builds knew neither who asked nor restrictions, and their tokens have none: such members
/// may be missing, and are left out where there is nothing to say.
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
    /// Who asked for it. `None`: whoever made the key, in the same call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<String>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// From which origins it may be used.
    #[serde(default, skip_serializing_if = "unset")]
    pub domains: DomainRules,
    /// When.
    pub at: Timestamp,
}

fn unset(domains: &DomainRules) -> bool {
    *domains == DomainRules::default()
}

/// A token got another secret; the one before is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The key that it manages.
    pub key_id: KeyId,
    /// Its id.
    pub auth_token_id: AuthTokenId,
    /// Its new secret, as stored.
    pub credential: CredentialRecord,
    /// When.
    pub at: Timestamp,
}

/// A token ended for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The key that it managed.
    pub key_id: KeyId,
    /// Its id.
    pub auth_token_id: AuthTokenId,
    /// When.
    pub at: Timestamp,
}
