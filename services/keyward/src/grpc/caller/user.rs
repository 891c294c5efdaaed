//! Users, by the JWT of an identity provider that this deployment trusts.

use std::time::Duration;

use api::v1::ErrorReason;
use tonic::metadata::MetadataMap;

use super::super::call::CLIENT_HASH;
use super::super::standing;
use super::super::status::Refusal;
use super::{Caller, Role, invalid};
use crate::jwt::{self, NotKnown};
use crate::node::Node;

/// Whose this JWT is. It is judged anew at each call, and nothing of it is kept.
///
/// # Errors
/// Nobody's: one answer, whatever is wrong with it, a workspace that is not there among that. Or it can't
/// be said: the keys of its issuer are not known here, or nothing can be decided for its workspace.
pub(super) async fn find(
    node: &Node,
    metadata: &MetadataMap,
    jwt: &str,
) -> Result<Caller, Refusal> {
    let client = metadata.as_ref().get(CLIENT_HASH).map(http::HeaderValue::as_bytes);
    let found = node.issuers.user(jwt, client, &node.clock).await;
    let user = found.map_err(|not_known| match not_known {
        NotKnown::Invalid => invalid(),
        NotKnown::Unavailable => keys_unknown(),
    })?;
    if standing::decidable(node, user.workspace)?.is_none() {
        node.issuers.note_no_workspace(&user);
        return Err(invalid());
    }
    Ok(Caller::User {
        subject: user.subject.into(),
        workspace: user.workspace,
        role: match user.role {
            jwt::Role::Owner => Role::Owner,
            jwt::Role::Member => Role::Member,
        },
        partner: user.partner,
    })
}

fn keys_unknown() -> Refusal {
    Refusal::new(
        ErrorReason::IdentityProviderUnavailable,
        "the keys of the identity provider are not known here, or too old",
    )
    .retry_after(Duration::from_secs(5))
}
