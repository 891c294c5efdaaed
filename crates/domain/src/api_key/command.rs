//! What can be asked of an API key.

use jiff::{SignedDuration, Timestamp};

use super::changes::Changes;
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
    /// Change what can be set, part by part.
    Update {
        /// What becomes different.
        changes: Box<Changes>,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Give it a new credential; the one before stays good for a while.
    Rotate {
        /// The new one, as stored.
        credential: CredentialRecord,
        /// For how long the one before stays good; zero ends it at once.
        grace: SignedDuration,
        /// Whether one that is in its grace already is ended at once, as only two may be live.
        force: bool,
        /// The moment of asking.
        now: Timestamp,
    },
    /// End what is left of the older credentials.
    EndRotationGrace {
        /// The moment of asking.
        now: Timestamp,
    },
    /// Hide it, and switch it off.
    Delete {
        /// The moment of asking.
        now: Timestamp,
    },
    /// Show it again, still switched off.
    Undelete {
        /// The moment of asking.
        now: Timestamp,
    },
    /// Note that what was sealed for it can't be read any more. Of a dead key, too.
    EraseSubject {
        /// The moment of asking.
        now: Timestamp,
    },
    /// Change nothing: what is decided beside it is only for a key that is neither revoked, nor deleted,
    /// nor past its natural end.
    RequireLive {
        /// The moment of asking.
        now: Timestamp,
    },
}
