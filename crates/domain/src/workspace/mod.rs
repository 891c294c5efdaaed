//! The workspace: the tenant that owns keys, and the token that manages it.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;

pub use command::WorkspaceCommand;
pub use event::{Created, Resumed, Suspended, TokenReset, WorkspaceEvent};
pub use state::{Workspace, WorkspaceState};
