//! ResumeWorkspace: the end of a suspension. For the operator.

use std::sync::Arc;

use api::v1::{ResumeWorkspaceRequest, ResumeWorkspaceResponse};
use domain::workspace::WorkspaceCommand;

use super::call::Call;
use super::fields;
use super::mutation::Wait;
use super::status::Refusal;
use super::workspaces::OnWorkspace;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ResumeWorkspaceRequest,
) -> Result<ResumeWorkspaceResponse, Refusal> {
    let on_workspace = OnWorkspace {
        asked: &request,
        workspace: fields::id("workspace_id", &request.workspace_id)?,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: Wait::None,
    };
    let command = WorkspaceCommand::Resume { now: node.clock.now() };
    let reply = |workspace| ResumeWorkspaceResponse { workspace, consistency_token: String::new() };
    on_workspace.run(&node, &call, command, reply).await
}
