//! What can be asked of a key's auth tokens.

use jiff::Timestamp;

use crate::{AuthTokenId, CredentialRecord, DomainRules, KeyId, Name};

/// A wish about the auth tokens of one key. Whether the key itself takes it is the key's to say.
#[derive(Debug, Clone)]
pub enum AuthTokenCommand {
    /// Make a token.
    Issue {
        /// The key that it manages.
        key_id: KeyId,
        /// Its id.
        auth_token_id: AuthTokenId,
        /// Who asks, as recorded.
        issued_by: String,
        /// All that can be set.
        settings: AuthTokenSettings,
        /// Its secret, as stored.
        credential: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Give a token another secret; the one before ends.
    Reset {
        /// The key that it manages.
        key_id: KeyId,
        /// Its id.
        auth_token_id: AuthTokenId,
        /// Its new secret, as stored.
        credential: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// End a token for good.
    Revoke {
        /// The key that it manages.
        key_id: KeyId,
        /// Its id.
        auth_token_id: AuthTokenId,
        /// The moment of asking.
        now: Timestamp,
    },
}

/// What can be set on an auth token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthTokenSettings {
    /// Its display name.
    pub name: Name,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// From which origins it may be used.
    pub domains: DomainRules,
}
