//! The rules of a workspace.

use super::command::WorkspaceCommand;
use super::event::{Created, Resumed, Suspended, TokenReset, WorkspaceEvent};
use super::state::WorkspaceState;
use crate::{Decider, Rejection};

impl Decider for WorkspaceState {
    type Command = WorkspaceCommand;
    type Event = WorkspaceEvent;

    fn decide(&self, command: WorkspaceCommand) -> Result<Vec<WorkspaceEvent>, Rejection> {
        let Self::Present(workspace) = self else {
            return create(command);
        };
        let workspace_id = workspace.workspace_id;
        let event = match command {
            WorkspaceCommand::Create { .. } => return Err(Rejection::AlreadyExists),
            WorkspaceCommand::ResetToken { token, now } => {
                WorkspaceEvent::TokenReset(TokenReset { workspace_id, token, at: now })
            }
            WorkspaceCommand::Suspend { .. } if workspace.suspended.is_some() => return Ok(vec![]),
            WorkspaceCommand::Suspend { reason, now } => {
                WorkspaceEvent::Suspended(Suspended { workspace_id, reason, at: now })
            }
            WorkspaceCommand::Resume { .. } if workspace.suspended.is_none() => return Ok(vec![]),
            WorkspaceCommand::Resume { now } => {
                WorkspaceEvent::Resumed(Resumed { workspace_id, at: now })
            }
        };
        Ok(vec![event])
    }

    fn evolve(self, event: &WorkspaceEvent) -> Self {
        self.after(event)
    }
}

fn create(command: WorkspaceCommand) -> Result<Vec<WorkspaceEvent>, Rejection> {
    match command {
        WorkspaceCommand::Create { workspace_id, created_by, name, token, now } => {
            Ok(vec![WorkspaceEvent::Created(Created {
                workspace_id,
                created_by,
                name,
                token,
                at: now,
            })])
        }
        WorkspaceCommand::ResetToken { .. }
        | WorkspaceCommand::Suspend { .. }
        | WorkspaceCommand::Resume { .. } => Err(Rejection::NotFound),
    }
}
