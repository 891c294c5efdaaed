//! Service credentials. Their rows are kept by the projection `workspaces`.

mod project;
mod query;

pub use query::{ServiceCredentialFilter, ServiceCredentialRow, get, list};

pub(crate) use project::apply;
pub(crate) use query::all;
