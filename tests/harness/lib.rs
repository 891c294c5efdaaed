//! What tests through the wire begin with: a real service on a free port, a database of its own with
//! a role of its own, a clock that can be turned, and clients.
//!
//! Deliberately not here: what any RPC must answer. Nothing here knows a rule, except that every
//! failure must carry an `ErrorInfo` of ours under the code that `error_reason.proto` names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth_tokens;
mod client;
pub mod envoy;
mod identity;
pub mod proxy;
mod refusal;
mod server;
mod site;
mod tables;
mod tenant;
pub mod tools;

pub use auth_tokens::{Pair, of_key};
pub use client::{Audit, Client, Credentials};
pub use identity::{
    AUDIENCE, Identities, IdentityProvider, SigningKey, WORKSPACE_CLAIM, base64url, key_set,
};
pub use refusal::{Refusal, Refused, code_of};
pub use server::Server;
pub use site::{ROLE, Site, prepare};
pub use tables::Tables;
pub use tenant::Tenant;
