//! Users: JWTs of the identity providers that this deployment trusts (RFC 7519, RFC 8725).
//!
//! `settings` is the table of issuers, which fixes for each one algorithm, one audience and where its keys
//! are; nothing that a token says chooses any of that. `token` reads a token strictly, `claims` says whether
//! it counts now and whose it is, `keys` reads a key set, `source` and `fetch` get it, `provider` keeps it up to
//! date, and `issuers` puts all of it together.
//!
//! Nothing of a token is kept: the next call is judged anew. What is wrong with one is counted and logged
//! by kind, never told, and never with anything that the token holds.
//!
//! Deliberately absent: what a user may do (`grpc/access.rs`), and signatures, which are the vault's.

mod claims;
mod fault;
mod fetch;
mod issuers;
mod json;
mod keys;
mod provider;
mod settings;
mod source;
mod token;

pub(crate) use claims::Role;
pub use issuers::IssuersError;
pub(crate) use issuers::{Issuers, NotKnown};

#[cfg(test)]
mod tests;
