//! Auth tokens of keys. Not known from memory: see the streams of the key, read at each call.

use tonic::metadata::MetadataMap;

use super::super::status::Refusal;
use super::{Caller, invalid};
use crate::node::Node;

/// Whose this auth token is, if it is one of this key.
///
/// # Errors
/// It is not, or the key is dead: one answer.
pub(super) async fn find(
    _node: &Node,
    _metadata: &MetadataMap,
    _api_key: &str,
    _token: &str,
) -> Result<Caller, Refusal> {
    Err(invalid())
}
