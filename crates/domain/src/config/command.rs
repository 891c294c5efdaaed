//! What can be asked of a configuration.

use jiff::Timestamp;

use super::changes::ConfigChanges;
use super::secrets::SecretField;
use super::values::ConfigSettings;
use crate::{KeyId, SealedSecret, WorkspaceId};

/// A wish about the configuration of one key.
#[derive(Debug, Clone)]
pub enum ConfigCommand {
    /// Bring it into being, together with its key.
    Create {
        /// The key that it belongs to.
        key_id: KeyId,
        /// The workspace that owns the key.
        workspace_id: WorkspaceId,
        /// All that can be configured.
        settings: Box<ConfigSettings>,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Change what is no secret, part by part.
    Update {
        /// What becomes different.
        changes: Box<ConfigChanges>,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Keep a secret, in place of the one that is there. It is a fact even if both are the same: whether
    /// they are is not told.
    PutSecret {
        /// Which one.
        field: SecretField,
        /// The secret.
        value: Box<SealedSecret>,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Keep a secret no longer.
    DeleteSecret {
        /// Which one.
        field: SecretField,
        /// The moment of asking.
        now: Timestamp,
    },
    /// Show nothing any more of what was sealed: it can't be read.
    EraseSubject {
        /// The moment of asking.
        now: Timestamp,
    },
}
