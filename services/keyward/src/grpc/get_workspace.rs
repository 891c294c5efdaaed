//! GetWorkspace: a tenant, from the read model. For its own token and the operator.

use std::sync::Arc;

use api::v1::{GetWorkspaceRequest, GetWorkspaceResponse};

use eventlog::Projection;
use readmodel::workspaces::Workspaces;

use super::call::Call;
use super::caller::foreign;
use super::status::Refusal;
use super::{convert, reading};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: GetWorkspaceRequest,
) -> Result<GetWorkspaceResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    let needed = [Workspaces.name()];
    let client = reading::of_workspace(&node, workspace, &needed, &request.at_least).await?;
    let row = readmodel::workspaces::get(&**client, workspace)
        .await?
        .ok_or_else(|| foreign(workspace))?;
    let workspace = convert::workspace(&node.brand, &row.workspace, row.revision);
    Ok(GetWorkspaceResponse { workspace: Some(workspace) })
}
