//! Services and operators, by the certificate of their connection (mutual TLS) instead of a credential in
//! the metadata. That the certificate is good was checked at the handshake.

use domain::SpiffeId;

use super::super::status::Refusal;
use super::Caller;
use super::presented::missing;
use crate::freshness::Begun;
use crate::node::Node;

/// Whose identity this is: one look, so that no verdict is slower for it.
///
/// # Errors
/// Nobody's, or a gateway's, which calls for others and by their credentials only.
#[inline]
pub(super) fn find(node: &Node, identity: &SpiffeId, begun: Begun) -> Result<Caller, Refusal> {
    // Or whoever reaches a gateway without a credential would be what the gateway is.
    if node.gateways.has_identity(identity) {
        return Err(missing());
    }
    if node.operator_identities.contains(identity) {
        return Ok(Caller::Operator);
    }
    Caller::known(node, node.verifier.load().caller_by_identity(identity), begun)
}
