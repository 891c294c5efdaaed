//! Users, by the JWT of an identity provider that this deployment trusts.

use super::super::status::Refusal;
use super::{Caller, invalid};
use crate::node::Node;

/// Whose this JWT is.
///
/// # Errors
/// Nobody's: one answer, whatever is wrong with it.
pub(super) async fn find(_node: &Node, _jwt: &str) -> Result<Caller, Refusal> {
    Err(invalid())
}
