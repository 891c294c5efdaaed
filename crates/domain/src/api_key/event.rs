//! What can have happened to an API key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::Settings;
use crate::{CredentialRecord, KeyId, ReasonText, RevocationReason, WorkspaceId};

/// A fact about one API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKeyEvent {
    /// `api_key.created`
    Created(Box<Created>),
    /// `api_key.disabled`
    Disabled(Disabled),
    /// `api_key.enabled`
    Enabled(Enabled),
    /// `api_key.revoked`
    Revoked(Revoked),
}

impl ApiKeyEvent {
    /// The key it happened to.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Created(event) => event.key_id,
            Self::Disabled(event) => event.key_id,
            Self::Enabled(event) => event.key_id,
            Self::Revoked(event) => event.key_id,
        }
    }
}

/// A key began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// Which key.
    pub key_id: KeyId,
    /// The workspace that owns it.
    pub workspace_id: WorkspaceId,
    /// Who asked.
    pub created_by: String,
    /// All that was set.
    pub settings: Settings,
    /// Its first credential, as stored.
    pub credential: CredentialRecord,
    /// When.
    pub at: Timestamp,
}

/// The key was switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key was switched on again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enabled {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key ended for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Which key.
    pub key_id: KeyId,
    /// Who asked.
    pub revoked_by: String,
    /// Why.
    pub reason: RevocationReason,
    /// Why, in words; may be empty.
    pub text: ReasonText,
    /// When.
    pub at: Timestamp,
}
