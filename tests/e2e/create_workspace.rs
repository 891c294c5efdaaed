//! CreateWorkspace: a tenant and its token, by the operator.

use api::v1::{CreateWorkspaceRequest, ErrorReason, WorkspaceStatus};
use harness::{Refused, Server};

fn named(name: &str) -> CreateWorkspaceRequest {
    CreateWorkspaceRequest { name: name.to_owned(), request_id: String::new() }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_workspace_comes_with_the_token_that_manages_it() {
        let server = Server::shared().await;
        let mut operator = server.operator.workspaces.clone();
        let made = operator.create_workspace(named("Acme")).await.unwrap().into_inner();
        let workspace = made.workspace.unwrap();
        assert!(workspace.workspace_id.starts_with("ws_"));
        assert_eq!((workspace.name.as_str(), workspace.created_by.as_str()), ("Acme", "operator"));
        assert_eq!(workspace.status(), WorkspaceStatus::Active);
        let (shown, _) = made.workspace_token.rsplit_once('_').unwrap();
        assert_eq!(workspace.token_display, shown);
        let request = api::v1::ListApiKeysRequest {
            workspace_id: workspace.workspace_id,
            ..Default::default()
        };
        server.bearer(&made.workspace_token).keys.list_api_keys(request).await.unwrap();
    }

    #[tokio::test]
    async fn names_need_not_be_unique() {
        let server = Server::shared().await;
        let (one, two) = (server.workspace("twin").await, server.workspace("twin").await);
        assert_ne!(one.id, two.id);
    }
}

mod invalid {
    use super::*;

    #[tokio::test]
    async fn a_name_is_required() {
        let server = Server::shared().await;
        let refusal =
            server.operator.workspaces.clone().create_workspace(named("")).await.refused();
        assert!(refusal.is_field("name"), "{refusal:?}");
    }
}

mod denied {
    use super::*;

    #[tokio::test]
    async fn a_tenant_makes_no_workspaces() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("tenant").await;
        let refusal = tenant.client.workspaces.create_workspace(named("x")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
