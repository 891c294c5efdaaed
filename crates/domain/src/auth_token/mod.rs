//! The auth tokens of one key: credentials that read and edit that key's own configuration.
//!
//! One stream a key holds them all, so that how many there may be is one decision.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;

pub use command::{AuthTokenCommand, AuthTokenSettings};
pub use event::{AuthTokenEvent, Issued, Reset, Revoked};
pub use state::{AuthToken, AuthTokens, MOST_KEPT, MOST_LIVE};
