//! What can be asked of a configuration.

use jiff::Timestamp;

use super::values::ConfigSettings;
use crate::{KeyId, WorkspaceId};

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
}
