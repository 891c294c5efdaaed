//! From where a call comes: the address of its connection, or, if that is a gateway's, the address that the
//! gateway names. From anybody else such a name is dropped, as if it had not been said.

use std::net::IpAddr;

use domain::parse_client_address;
use tonic::metadata::MetadataMap;

use super::call::Peer;
use super::status::{InField, Refusal};
use crate::node::Node;

/// The metadata in which a gateway names its client's address.
pub(super) const CLIENT_ADDRESS: &str = "x-keyward-client-address";
/// The metadata by which a gateway without a certificate shows that it is one.
const GATEWAY_SECRET: &str = "x-keyward-gateway-secret";

/// The address to record of a call; none if nothing is known of its connection.
///
/// # Errors
/// A gateway names what is no address.
pub(super) fn of(
    node: &Node,
    metadata: &MetadataMap,
    peer: Option<&Peer>,
) -> Result<Option<IpAddr>, Refusal> {
    let own = peer.map(|peer| peer.address.ip().to_canonical());
    let mut named = metadata.as_ref().get_all(CLIENT_ADDRESS).iter();
    let Some(first) = named.next() else {
        return Ok(own);
    };
    let secret = metadata.as_ref().get(GATEWAY_SECRET);
    let gateways = &node.gateways;
    let identity = peer.and_then(|peer| peer.identity.as_ref());
    let believed = identity.is_some_and(|identity| gateways.has_identity(identity))
        || secret.is_some_and(|secret| gateways.has_secret(secret.as_bytes()));
    if !believed {
        gateways.dropped(secret.is_some());
        tracing::debug!(peer = ?own, "dropped a client's address that no gateway named");
        return Ok(own);
    }
    if named.next().is_some() {
        return Err(Refusal::field(CLIENT_ADDRESS, "must be there once"));
    }
    let text = first.to_str().unwrap_or_default();
    parse_client_address(text).in_field(CLIENT_ADDRESS).map(Some)
}
