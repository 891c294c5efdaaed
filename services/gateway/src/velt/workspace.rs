//! `POST /v2/workspace/get`

use api::v1::GetWorkspaceRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::data;
use super::credentials::{Level, Workspace};
use super::envelope::{Outcome, told};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VeltNothing)]
pub(super) struct Asked {}

/// The token is masked, and keys are listed elsewhere, page by page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltWorkspace)]
pub(super) struct Shown {
    id: String,
    name: String,
    auth_token: String,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let caller = Workspace::of(&call.head)?;
    data::<Asked>(call)?;
    let message =
        GetWorkspaceRequest { workspace_id: caller.id.clone(), ..GetWorkspaceRequest::default() };
    let answer = call.workspaces().get_workspace(caller.request(call, message)).await?.into_inner();
    let workspace = answer.workspace.ok_or_else(Refusal::internal)?;
    let shown = Shown {
        id: workspace.workspace_id,
        name: workspace.name,
        auth_token: workspace.token_display,
    };
    Outcome::new("Workspace retrieved successfully", shown).reply()
}
