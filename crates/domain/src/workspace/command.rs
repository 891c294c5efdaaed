//! What can be asked of a workspace.

use jiff::Timestamp;

use crate::{CredentialRecord, Name, ReasonText, WorkspaceId};

/// A wish about one workspace. Ids, credentials and `now` were drawn at the edge.
#[derive(Debug, Clone)]
pub enum WorkspaceCommand {
    /// Bring a workspace into being.
    Create {
        /// Its id.
        workspace_id: WorkspaceId,
        /// Who asks, as recorded.
        created_by: String,
        /// Its display name.
        name: Name,
        /// Its first workspace token.
        token: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Replace the workspace token; the old one is dead from then on.
    ResetToken {
        /// The new token.
        token: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Deny every key of the workspace until it is resumed.
    Suspend {
        /// Why, in words.
        reason: ReasonText,
        /// The moment of asking.
        now: Timestamp,
    },
    /// End a suspension.
    Resume {
        /// The moment of asking.
        now: Timestamp,
    },
}
