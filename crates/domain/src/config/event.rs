//! What can have happened to a configuration.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::values::ConfigSettings;
use crate::{KeyId, WorkspaceId};

/// A fact about the configuration of one key.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigEvent {
    /// `config.created`
    Created(Box<Created>),
}

impl ConfigEvent {
    /// The key whose configuration it is.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Created(event) => event.key_id,
        }
    }
}

/// A configuration began, together with its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The workspace that owns the key.
    pub workspace_id: WorkspaceId,
    /// All that was configured.
    pub settings: ConfigSettings,
    /// When.
    pub at: Timestamp,
}
