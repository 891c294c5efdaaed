//! What can be asked of a key's auth tokens.

use jiff::Timestamp;

use crate::{AuthTokenId, CredentialRecord, KeyId, Name};

/// A wish about the auth tokens of one key.
#[derive(Debug, Clone)]
pub enum AuthTokenCommand {
    /// Make a token.
    Issue {
        /// The key that it manages.
        key_id: KeyId,
        /// Its id.
        auth_token_id: AuthTokenId,
        /// Its display name.
        name: Name,
        /// Its secret, as stored.
        credential: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
}
