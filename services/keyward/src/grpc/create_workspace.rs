//! CreateWorkspace: a tenant, and the token that manages it, shown once. For the operator, and for services
//! that let customers sign up.

use std::sync::Arc;

use api::v1::{CreateWorkspaceRequest, CreateWorkspaceResponse};
use domain::workspace::WorkspaceCommand;
use domain::{CredentialKind, Env, Name, WorkspaceId};

use super::call::Call;
use super::mutation::{Mutation, Wait};
use super::status::{InField, Refusal, Resource};
use super::workspaces::resource;
use crate::commands::{Folded, Intent};
use crate::entropy;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: CreateWorkspaceRequest,
) -> Result<CreateWorkspaceResponse, Refusal> {
    call.caller.makes_workspaces()?;
    let name = Name::new(request.name.clone()).in_field("name")?;
    let now = node.clock.now();
    let workspace = WorkspaceId::new(entropy::uuid_v7(now)?);
    let kind = CredentialKind::WorkspaceToken;
    let drawn = node.draw(kind, Env::Live, Some(workspace), workspace.uuid())?;
    let create = WorkspaceCommand::Create {
        workspace_id: workspace,
        created_by: call.caller.actor(),
        name,
        token: drawn.record.clone(),
        now,
    };
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        // The id is drawn anew on every try, so that the client's request can't be bound to it.
        workspace: None,
        missing: (Resource::Workspace, workspace.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| CreateWorkspaceResponse {
        workspace: resource(&node, folded),
        workspace_token: drawn.text.expose().to_owned(),
        consistency_token: String::new(),
    };
    mutation
        .run_in(&node, Some(workspace), &[Intent::Workspace(workspace, create, None)], reply)
        .await
}
