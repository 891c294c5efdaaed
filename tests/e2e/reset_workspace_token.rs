//! ResetWorkspaceToken: a new token, once; the old one is dead.

use api::v1::{ErrorReason, ResetWorkspaceTokenRequest, ResetWorkspaceTokenResponse};
use harness::{Refused, Server};

fn of(workspace_id: &str) -> ResetWorkspaceTokenRequest {
    ResetWorkspaceTokenRequest { workspace_id: workspace_id.to_owned(), ..Default::default() }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn the_old_token_ends_at_once_and_the_new_one_works() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("reset").await;
        tenant.create_key("kept").await;
        let answer = tenant.client.workspaces.reset_workspace_token(of(&tenant.id)).await;
        let answer = answer.unwrap().into_inner();
        assert_ne!(answer.workspace_token, tenant.token);
        let refusal = tenant.client.keys.list_api_keys(tenant.list()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        let mut renewed = server.bearer(&answer.workspace_token).keys;
        let listed = renewed.list_api_keys(tenant.list()).await.unwrap().into_inner();
        assert_eq!(listed.api_keys.len(), 1);
        let (shown, _) = answer.workspace_token.rsplit_once('_').unwrap();
        assert_eq!(answer.workspace.unwrap().token_display, shown);
    }

    #[tokio::test]
    async fn the_operator_resets_for_a_tenant_that_lost_its_token() {
        let server = Server::shared().await;
        let tenant = server.workspace("lost").await;
        let answer = server.operator.workspaces.clone().reset_workspace_token(of(&tenant.id)).await;
        let token = answer.unwrap().into_inner().workspace_token;
        server.bearer(&token).keys.list_api_keys(tenant.list()).await.unwrap();
    }
}

mod repeated {
    use super::*;

    fn keyed(workspace_id: &str) -> ResetWorkspaceTokenRequest {
        let request_id = "the-same-reset-again".to_owned();
        ResetWorkspaceTokenRequest { request_id, ..of(workspace_id) }
    }

    #[tokio::test]
    async fn the_ended_token_gets_nothing_and_the_operator_resets_anew() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("again").await;
        let asked = keyed(&tenant.id);
        let first = tenant.client.workspaces.reset_workspace_token(asked.clone()).await.unwrap();
        let refusal = tenant.client.workspaces.reset_workspace_token(asked.clone()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        let mut operator = server.operator.workspaces.clone();
        let anew = operator.reset_workspace_token(asked).await.unwrap().into_inner();
        assert_ne!(anew.workspace_token, first.into_inner().workspace_token);
        let mut renewed = server.bearer(&anew.workspace_token).keys;
        renewed.list_api_keys(tenant.list()).await.unwrap();
    }

    #[tokio::test]
    async fn the_operator_is_answered_as_before() {
        let server = Server::shared().await;
        let tenant = server.workspace("as before").await;
        let mut operator = server.operator.workspaces.clone();
        let asked = keyed(&tenant.id);
        let first = operator.reset_workspace_token(asked.clone()).await.unwrap().into_inner();
        let again = operator.reset_workspace_token(asked).await.unwrap().into_inner();
        assert!(first.barrier.is_some() && again.barrier.is_some(), "each waits for itself");
        let first = ResetWorkspaceTokenResponse { barrier: None, ..first };
        let again = ResetWorkspaceTokenResponse { barrier: None, ..again };
        assert_eq!(again, first);
        let mut renewed = server.bearer(&again.workspace_token).keys;
        renewed.list_api_keys(tenant.list()).await.unwrap();
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_workspace_that_is_not_there_has_no_token() {
        let server = Server::shared().await;
        let missing = crate::asks::missing(&server.workspace("real").await.id);
        let refusal =
            server.operator.workspaces.clone().reset_workspace_token(of(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_leaves_the_token_as_it_was() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let asked = ResetWorkspaceTokenRequest { etag: "\"9\"".to_owned(), ..of(&tenant.id) };
        let refusal = tenant.client.workspaces.reset_workspace_token(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        tenant.client.keys.list_api_keys(tenant.list()).await.unwrap();
    }
}

mod denied {
    use super::*;

    #[tokio::test]
    async fn a_service_resets_no_tokens() {
        let server = Server::shared().await;
        let tenant = server.workspace("serviced").await;
        let secret = server.service(&[api::v1::Permission::OrgReadWrite], &[&tenant]).await;
        let mut service = server.bearer(&secret).workspaces;
        let refusal = service.reset_workspace_token(of(&tenant.id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
