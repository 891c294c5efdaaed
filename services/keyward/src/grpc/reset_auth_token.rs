//! ResetAuthToken: another secret for an auth token, shown once; the one before is dead.
//!
//! It waits for no verifier, as none knows of auth tokens: see `caller/auth_token.rs`.

use std::sync::Arc;

use api::v1::{ResetAuthTokenRequest, ResetAuthTokenResponse};
use domain::CredentialKind;
use domain::api_key::ApiKeyCommand;
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
    request: ResetAuthTokenRequest,
) -> Result<ResetAuthTokenResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    standing::existing(&node, workspace)?;
    let id = call.auth_token(&request.auth_token_id)?;
    let etag = fields::etag(&request.etag)?;
    let key = visible(&node, &call, workspace, key_id).await?;
    let drawn =
        node.draw(CredentialKind::AuthToken, key.settings.env, Some(workspace), id.uuid())?;
    let now = node.clock.now();
    let reset = AuthTokenCommand::Reset {
        key_id,
        auth_token_id: id,
        credential: drawn.record.clone(),
        now,
    };
    let intents = [
        Intent::ApiKey(workspace, key_id, ApiKeyCommand::RequireLive { now }, None),
        Intent::AuthToken(key_id, reset, etag),
    ];
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::AuthToken, id.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| ResetAuthTokenResponse {
        auth_token: resource(&node, &key, folded, id),
        secret: drawn.text.expose().to_owned(),
        consistency_token: String::new(),
    };
    mutation.run(&node, &intents, reply).await
}
