//! SuspendWorkspace: every key of a tenant is denied until it is resumed.

use api::v1::{self as wire, ErrorReason, SuspendWorkspaceRequest, WorkspaceStatus};
use harness::{Refused, Server};

fn of(workspace_id: &str) -> SuspendWorkspaceRequest {
    SuspendWorkspaceRequest {
        workspace_id: workspace_id.to_owned(),
        reason_text: "unpaid".to_owned(),
        ..SuspendWorkspaceRequest::default()
    }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn its_keys_are_denied_and_the_reason_is_kept() {
        let server = Server::shared().await;
        let mut operator = server.operator.workspaces.clone();
        let tenant = server.workspace("unpaid").await;
        let secret = tenant.create_key("key").await.secret;
        let answer = operator.suspend_workspace(of(&tenant.id)).await.unwrap().into_inner();
        let workspace = answer.workspace.unwrap();
        assert_eq!(workspace.status(), WorkspaceStatus::Suspended);
        assert_eq!(workspace.suspend_reason_text, "unpaid");
        assert_eq!(workspace.suspend_time, workspace.update_time);
        assert_eq!(tenant.verify(&secret).await.denial(), wire::Denial::WorkspaceSuspended);
        let again = operator.suspend_workspace(of(&tenant.id)).await.unwrap().into_inner();
        assert_eq!(again.workspace.unwrap(), workspace, "suspending again changes nothing");
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_workspace_that_is_not_there_cannot_be_suspended() {
        let server = Server::shared().await;
        let missing = crate::asks::missing(&server.workspace("real").await.id);
        let mut operator = server.operator.workspaces.clone();
        let refusal = operator.suspend_workspace(of(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_is_refused() {
        let server = Server::shared().await;
        let tenant = server.workspace("etags").await;
        let asked = SuspendWorkspaceRequest { etag: "\"9\"".to_owned(), ..of(&tenant.id) };
        let refusal = server.operator.workspaces.clone().suspend_workspace(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
    }
}

mod denied {
    use super::*;

    #[tokio::test]
    async fn a_tenant_cannot_suspend_itself() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("self").await;
        let refusal = tenant.client.workspaces.suspend_workspace(of(&tenant.id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
