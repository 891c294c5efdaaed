//! ResumeWorkspace: a suspended tenant goes on.

use api::v1::{self as wire, ErrorReason, ResumeWorkspaceRequest, WorkspaceStatus};
use harness::{Refused, Server};

fn of(workspace_id: &str) -> ResumeWorkspaceRequest {
    ResumeWorkspaceRequest { workspace_id: workspace_id.to_owned(), ..Default::default() }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn its_keys_pass_again_and_resuming_twice_changes_nothing() {
        let server = Server::shared().await;
        let mut operator = server.operator.workspaces.clone();
        let tenant = server.workspace("back").await;
        let secret = tenant.create_key("key").await.secret;
        let suspend =
            wire::SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
        operator.suspend_workspace(suspend).await.unwrap();
        let answer = operator.resume_workspace(of(&tenant.id)).await.unwrap().into_inner();
        let workspace = answer.workspace.unwrap();
        assert_eq!(workspace.status(), WorkspaceStatus::Active);
        assert_eq!((workspace.suspend_time, workspace.suspend_reason_text.as_str()), (None, ""));
        assert_eq!(tenant.verify(&secret).await.decision(), wire::Decision::Accepted);
        let again = operator.resume_workspace(of(&tenant.id)).await.unwrap().into_inner();
        assert_eq!(again.workspace.unwrap(), workspace);
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_workspace_that_is_not_there_cannot_be_resumed() {
        let server = Server::shared().await;
        let missing = crate::asks::missing(&server.workspace("real").await.id);
        let refusal =
            server.operator.workspaces.clone().resume_workspace(of(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    }
}

mod denied {
    use super::*;

    #[tokio::test]
    async fn a_tenant_cannot_resume_itself() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("self").await;
        let refusal = tenant.client.workspaces.resume_workspace(of(&tenant.id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
