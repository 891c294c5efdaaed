//! RevokeAuthToken: the end of an auth token, for good; also of one whose key is dead.
//!
//! It waits for no verifier, as none knows of auth tokens: see `caller/auth_token.rs`.

use std::sync::Arc;

use api::v1::{RevokeAuthTokenRequest, RevokeAuthTokenResponse};
use domain::auth_token::AuthTokenCommand;

use super::auth_tokens::resource;
use super::call::Call;
use super::mutation::{Mutation, Wait};
use super::status::{Refusal, Resource};
use super::switch::visible;
use super::{fields, standing};
use crate::commands::{Folded, Intent};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RevokeAuthTokenRequest,
) -> Result<RevokeAuthTokenResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    standing::existing(&node, workspace)?;
    let id = call.auth_token(&request.auth_token_id)?;
    let etag = fields::etag(&request.etag)?;
    let key = visible(&node, &call, workspace, key_id).await?;
    let revoke = AuthTokenCommand::Revoke { key_id, auth_token_id: id, now: node.clock.now() };
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::AuthToken, id.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| RevokeAuthTokenResponse {
        auth_token: resource(&node, &key, folded, id),
        consistency_token: String::new(),
    };
    mutation.run(&node, &[Intent::AuthToken(key_id, revoke, etag)], reply).await
}
