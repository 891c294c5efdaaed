//! IssueAuthToken: one more credential that manages a key's configuration, shown once.

use std::sync::Arc;

use api::v1::{ErrorReason, IssueAuthTokenRequest, IssueAuthTokenResponse};
use domain::api_key::ApiKeyCommand;
use domain::auth_token::{AuthTokenCommand, AuthTokenSettings};
use domain::{AuthTokenId, CredentialKind, Name};

use super::auth_tokens::resource;
use super::call::Call;
use super::mutation::{Mutation, Wait};
use super::status::{InField, Refusal, Resource};
use super::switch::visible;
use super::{fields, standing};
use crate::commands::{Folded, Intent};
use crate::entropy;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: IssueAuthTokenRequest,
) -> Result<IssueAuthTokenResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    let settings = settings(&request)?;
    if standing::existing(&node, workspace)?.suspended {
        return Err(Refusal::new(ErrorReason::WorkspaceSuspended, "the workspace is suspended"));
    }
    let key = visible(&node, &call, workspace, key_id).await?;
    let now = node.clock.now();
    let id = AuthTokenId::new(entropy::uuid_v7(now)?);
    let drawn =
        node.draw(CredentialKind::AuthToken, key.settings.env, Some(workspace), id.uuid())?;
    let issue = AuthTokenCommand::Issue {
        key_id,
        auth_token_id: id,
        issued_by: call.caller.actor(),
        settings,
        credential: drawn.record.clone(),
        now,
    };
    let intents = [
        Intent::ApiKey(workspace, key_id, ApiKeyCommand::RequireLive { now }, None),
        Intent::AuthToken(key_id, issue, None),
    ];
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::ApiKey, key_id.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| IssueAuthTokenResponse {
        auth_token: resource(&node, &key, folded, id),
        secret: drawn.text.expose().to_owned(),
        consistency_token: String::new(),
    };
    mutation.run(&node, &intents, reply).await
}

fn settings(request: &IssueAuthTokenRequest) -> Result<AuthTokenSettings, Refusal> {
    if request.name.is_empty() {
        return Err(Refusal::field("name", "is required"));
    }
    Ok(AuthTokenSettings {
        name: Name::new(request.name.clone()).in_field("name")?,
        expires_at: fields::moment("expires_at", request.expires_at)?,
        domains: fields::domains(
            "allowed_domains",
            &request.allowed_domains,
            request.allow_localhost,
        )?,
    })
}
