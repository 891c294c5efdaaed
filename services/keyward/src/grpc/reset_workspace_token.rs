//! ResetWorkspaceToken: a new token, shown once; the old one is dead. For the token itself and the
//! operator.
//!
//! Deliberately absent: a repetition for the token that the reset has ended. It would hand the new token
//! to whoever holds the old one, and keeping those out may be what the reset was for.

use std::sync::Arc;

use api::v1::{ResetWorkspaceTokenRequest, ResetWorkspaceTokenResponse};
use domain::workspace::WorkspaceCommand;
use domain::{CredentialKind, Env};

use super::call::Call;
use super::fields;
use super::status::Refusal;
use super::workspaces::OnWorkspace;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ResetWorkspaceTokenRequest,
) -> Result<ResetWorkspaceTokenResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    let kind = CredentialKind::WorkspaceToken;
    let drawn = node.draw(kind, Env::Live, Some(workspace), workspace.uuid())?;
    let on_workspace = OnWorkspace {
        asked: &request,
        workspace,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: fields::wait(request.wait)?,
    };
    let command =
        WorkspaceCommand::ResetToken { token: drawn.record.clone(), now: node.clock.now() };
    let reply = |workspace| ResetWorkspaceTokenResponse {
        workspace,
        workspace_token: drawn.text.expose().to_owned(),
        ..ResetWorkspaceTokenResponse::default()
    };
    on_workspace.run(&node, &call, command, reply).await
}
