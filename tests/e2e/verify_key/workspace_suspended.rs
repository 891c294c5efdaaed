//! Keys of a suspended workspace.

use api::v1::{ResumeWorkspaceRequest, SuspendWorkspaceRequest};

use super::*;

#[tokio::test]
async fn all_keys_of_a_suspended_workspace_are_denied_until_it_is_resumed_and_no_others() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let old = own.create_key("old").await.secret;
    let foreign = other.create_key("foreign").await.secret;
    let mut operator = server.operator.workspaces.clone();
    let (workspace_id, default) = (own.id.clone(), SuspendWorkspaceRequest::default());
    operator.suspend_workspace(SuspendWorkspaceRequest { workspace_id, ..default }).await.unwrap();
    let response = ask(&own, plain(&old)).await;
    assert_eq!(response.denial(), Denial::WorkspaceSuspended);
    assert_eq!(denial(&other, plain(&foreign)).await, Denial::Unspecified);

    let (workspace_id, default) = (own.id.clone(), ResumeWorkspaceRequest::default());
    operator.resume_workspace(ResumeWorkspaceRequest { workspace_id, ..default }).await.unwrap();
    assert_eq!(denial(&own, plain(&old)).await, Denial::Unspecified);
}
