//! What the RPCs on the auth tokens of a key have in common.

use api::v1 as wire;
use domain::AuthTokenId;
use domain::api_key::ApiKey;

use super::convert;
use crate::commands::{Folded, Subject};
use crate::node::Node;

/// The auth token of this id, as it is among what was folded.
pub(super) fn resource(
    node: &Node,
    key: &ApiKey,
    folded: &[Folded],
    id: AuthTokenId,
) -> Option<wire::AuthToken> {
    folded.iter().find_map(|folded| match &folded.subject {
        Subject::AuthTokens(tokens) => {
            Some(convert::auth_token(&node.brand, key, tokens.known(id)?, folded.revision))
        }
        Subject::Workspace(_)
        | Subject::ApiKey(_)
        | Subject::Config(_)
        | Subject::ServiceCredential(_) => None,
    })
}
