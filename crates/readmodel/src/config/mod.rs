//! Configurations of keys.

mod project;
mod query;

pub use project::Configs;
pub use query::{ConfigRow, get};
