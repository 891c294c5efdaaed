//! What can have happened to a workspace.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CredentialRecord, Name, ReasonText, WorkspaceId};

/// A fact about one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceEvent {
    /// `workspace.created`
    Created(Created),
    /// `workspace.token_reset`
    TokenReset(TokenReset),
    /// `workspace.suspended`
    Suspended(Suspended),
    /// `workspace.resumed`
    Resumed(Resumed),
}

impl WorkspaceEvent {
    /// The workspace it happened to.
    #[must_use]
    pub const fn workspace_id(&self) -> WorkspaceId {
        match self {
            Self::Created(event) => event.workspace_id,
            Self::TokenReset(event) => event.workspace_id,
            Self::Suspended(event) => event.workspace_id,
            Self::Resumed(event) => event.workspace_id,
        }
    }
}

/// A workspace began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// Which workspace.
    pub workspace_id: WorkspaceId,
    /// Who asked for it.
    pub created_by: String,
    /// Its display name.
    pub name: Name,
    /// Its first workspace token.
    pub token: CredentialRecord,
    /// When.
    pub at: Timestamp,
}

/// The workspace token was replaced; the one before is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenReset {
    /// Which workspace.
    pub workspace_id: WorkspaceId,
    /// The new token.
    pub token: CredentialRecord,
    /// When.
    pub at: Timestamp,
}

/// Every key of the workspace is denied from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspended {
    /// Which workspace.
    pub workspace_id: WorkspaceId,
    /// Why, in words; may be empty.
    pub reason: ReasonText,
    /// When.
    pub at: Timestamp,
}

/// The suspension ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    /// Which workspace.
    pub workspace_id: WorkspaceId,
    /// When.
    pub at: Timestamp,
}
