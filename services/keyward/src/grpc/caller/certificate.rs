//! Services and operators, by the certificate of their connection (mutual TLS) instead of a credential in
//! the metadata.

use super::super::status::Refusal;
use super::{Caller, invalid};
use crate::freshness::Begun;
use crate::node::Node;

/// Whose identity this URI is.
///
/// # Errors
/// Nobody's.
pub(super) fn find(_node: &Node, _uri: &str, _begun: Begun) -> Result<Caller, Refusal> {
    Err(invalid())
}
