//! A workspace as its events make it.

use jiff::Timestamp;

use super::event::WorkspaceEvent;
use crate::{CredentialRecord, Name, ReasonText, WorkspaceId};

/// A workspace that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Who asked for it.
    pub created_by: String,
    /// Its display name.
    pub name: Name,
    /// The one live workspace token.
    pub token: CredentialRecord,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Since when it is suspended, and why; `None` while it is not.
    pub suspended: Option<(Timestamp, ReasonText)>,
}

/// A workspace before or after its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WorkspaceState {
    /// Never created.
    #[default]
    Missing,
    /// Created.
    Present(Workspace),
}

impl WorkspaceState {
    /// The workspace, if it was created.
    #[must_use]
    pub const fn present(&self) -> Option<&Workspace> {
        match self {
            Self::Missing => None,
            Self::Present(workspace) => Some(workspace),
        }
    }

    pub(super) fn after(self, event: &WorkspaceEvent) -> Self {
        match (self, event) {
            (Self::Missing, WorkspaceEvent::Created(created)) => Self::Present(Workspace {
                workspace_id: created.workspace_id,
                created_by: created.created_by.clone(),
                name: created.name.clone(),
                token: created.token.clone(),
                created_at: created.at,
                updated_at: created.at,
                suspended: None,
            }),
            (Self::Present(workspace), event) => Self::Present(workspace.after(event)),
            // Facts about what never began change nothing; the log can't hold them.
            (
                Self::Missing,
                WorkspaceEvent::TokenReset(_)
                | WorkspaceEvent::Suspended(_)
                | WorkspaceEvent::Resumed(_),
            ) => Self::Missing,
        }
    }
}

impl Workspace {
    fn after(self, event: &WorkspaceEvent) -> Self {
        match event {
            WorkspaceEvent::Created(_) => self,
            WorkspaceEvent::TokenReset(reset) => {
                Self { token: reset.token.clone(), updated_at: reset.at, ..self }
            }
            WorkspaceEvent::Suspended(suspended) => Self {
                suspended: Some((suspended.at, suspended.reason.clone())),
                updated_at: suspended.at,
                ..self
            },
            WorkspaceEvent::Resumed(resumed) => {
                Self { suspended: None, updated_at: resumed.at, ..self }
            }
        }
    }
}
