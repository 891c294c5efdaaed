//! What can be asked of an API key.

use jiff::Timestamp;

use super::state::Settings;
use crate::{CredentialRecord, KeyId, ReasonText, RevocationReason, WorkspaceId};

/// A wish about one API key. Ids, credentials and `now` were drawn at the edge.
#[derive(Debug, Clone)]
pub enum ApiKeyCommand {
    /// Bring a key into being.
    Create {
        /// Its id.
        key_id: KeyId,
        /// The workspace that owns it.
        workspace_id: WorkspaceId,
        /// Who asks, as recorded.
        created_by: String,
        /// All that can be set.
        settings: Box<Settings>,
        /// Its first credential, as stored.
        credential: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Deny it until it is enabled again.
    Disable {
        /// The moment of asking.
        now: Timestamp,
    },
    /// End the denial.
    Enable {
        /// The moment of asking.
        now: Timestamp,
    },
    /// Deny it for ever.
    Revoke {
        /// Who asks, as recorded.
        revoked_by: String,
        /// Why.
        reason: RevocationReason,
        /// Why, in words; may be empty.
        text: ReasonText,
        /// The moment of asking.
        now: Timestamp,
    },
}
