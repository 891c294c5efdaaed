//! A configuration as its events make it.

use jiff::Timestamp;

use super::event::ConfigEvent;
use super::values::ConfigSettings;
use crate::{KeyId, WorkspaceId};

/// A configuration that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The workspace that owns the key.
    pub workspace_id: WorkspaceId,
    /// All that can be configured.
    pub settings: ConfigSettings,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A configuration before or after its beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ConfigState {
    /// Never created.
    #[default]
    Missing,
    /// Created.
    Present(Box<Config>),
}

impl ConfigState {
    /// The configuration, if it was created.
    #[must_use]
    pub fn present(&self) -> Option<&Config> {
        match self {
            Self::Missing => None,
            Self::Present(config) => Some(config),
        }
    }

    pub(super) fn after(self, event: &ConfigEvent) -> Self {
        match (self, event) {
            (Self::Missing, ConfigEvent::Created(created)) => Self::Present(Box::new(Config {
                key_id: created.key_id,
                workspace_id: created.workspace_id,
                settings: created.settings.clone(),
                created_at: created.at,
                updated_at: created.at,
            })),
            (Self::Present(config), ConfigEvent::Created(_)) => Self::Present(config),
        }
    }
}
