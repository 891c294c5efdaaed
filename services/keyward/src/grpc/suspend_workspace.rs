//! SuspendWorkspace: every key of a tenant is denied until it is resumed. For the operator.

use std::sync::Arc;

use api::v1::{SuspendWorkspaceRequest, SuspendWorkspaceResponse};
use domain::ReasonText;
use domain::workspace::WorkspaceCommand;

use super::call::Call;
use super::fields;
use super::status::{InField, Refusal};
use super::workspaces::OnWorkspace;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: SuspendWorkspaceRequest,
) -> Result<SuspendWorkspaceResponse, Refusal> {
    let reason = ReasonText::new(request.reason_text.clone()).in_field("reason_text")?;
    let on_workspace = OnWorkspace {
        asked: &request,
        workspace: fields::id("workspace_id", &request.workspace_id)?,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: fields::wait(request.wait)?,
    };
    let command = WorkspaceCommand::Suspend { reason, now: node.clock.now() };
    let reply =
        |workspace| SuspendWorkspaceResponse { workspace, ..SuspendWorkspaceResponse::default() };
    on_workspace.run(&node, &call, command, reply).await
}
