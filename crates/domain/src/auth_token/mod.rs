//! The auth tokens of one key: credentials that read and edit that key's own configuration.
//!
//! One stream a key holds them all, so that a later limit per key is one decision.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;

pub use command::AuthTokenCommand;
pub use event::{AuthTokenEvent, Issued};
pub use state::{AuthToken, AuthTokens};
