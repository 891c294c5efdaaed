//! Workspaces.

mod project;
mod query;

pub use project::Workspaces;
pub use query::{WorkspaceRow, get};

pub(crate) use query::all;
