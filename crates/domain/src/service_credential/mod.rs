//! The service credential: what another service proves itself with, and what it may do.

mod command;
mod decide;
mod event;
mod proof;
#[cfg(test)]
mod spec;
mod state;

pub use command::ServiceCredentialCommand;
pub use event::{Created, Revoked, ServiceCredentialEvent};
pub use proof::{NeitherOrBoth, Proof};
pub use state::{Bounds, Permission, ServiceCredential, ServiceCredentialState};
