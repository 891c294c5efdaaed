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

mod by_a_service {
    use api::v1::{CreateServiceCredentialRequest, Environment, Permission};

    use super::*;

    #[tokio::test]
    async fn a_service_that_may_and_is_bound_to_nothing_makes_workspaces_and_is_named() {
        let server = Server::shared().await;
        let secret = server.service(&[Permission::WorkspaceCreate], &[]).await;
        let mut service = server.bearer(&secret).workspaces;
        let made = service.create_workspace(named("Signed up")).await.unwrap().into_inner();
        let workspace = made.workspace.unwrap();
        assert!(workspace.created_by.starts_with("service:svc_"), "{}", workspace.created_by);
        // It has no say in what it has made.
        let request = api::v1::GetWorkspaceRequest {
            workspace_id: workspace.workspace_id,
            ..Default::default()
        };
        let refusal = service.get_workspace(request).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }

    #[tokio::test]
    async fn a_service_that_is_bound_to_something_makes_none() {
        let server = Server::shared().await;
        let tenant = server.workspace("bound").await;
        let to_workspace = server.service(&[Permission::WorkspaceCreate], &[&tenant]).await;
        let to_env = CreateServiceCredentialRequest {
            name: "a service".to_owned(),
            permissions: vec![Permission::WorkspaceCreate.into()],
            envs: vec![Environment::Test.into()],
            ..CreateServiceCredentialRequest::default()
        };
        let to_env =
            server.operator.clone().workspaces.create_service_credential(to_env).await.unwrap();
        for secret in [to_workspace, to_env.into_inner().secret] {
            let mut service = server.bearer(&secret).workspaces;
            let refusal = service.create_workspace(named("x")).await.refused();
            assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
        }
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
