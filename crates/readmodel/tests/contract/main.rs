//! The contract of the read models, against a real Postgres.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod config;
mod list;
mod paging;
mod project;
mod quarantine;
mod service_credentials;
mod setup;
mod snapshot;
mod story;
mod workspaces;
