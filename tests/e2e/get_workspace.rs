//! GetWorkspace: a tenant, for its own token and the operator.

use api::v1::{ErrorReason, GetWorkspaceRequest};
use harness::{Refused, Server};

fn of(workspace_id: &str) -> GetWorkspaceRequest {
    GetWorkspaceRequest { workspace_id: workspace_id.to_owned(), at_least: String::new() }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn its_own_token_and_the_operator_see_the_same() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("seen").await;
        let own = tenant.client.workspaces.get_workspace(of(&tenant.id)).await.unwrap();
        let operators = server.operator.workspaces.clone().get_workspace(of(&tenant.id)).await;
        let own = own.into_inner().workspace.unwrap();
        assert_eq!(own.name, "seen");
        assert_eq!(operators.unwrap().into_inner().workspace.unwrap(), own);
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn the_operator_is_told_when_there_is_none() {
        let server = Server::shared().await;
        let tenant = server.workspace("real").await;
        let missing = crate::asks::missing(&tenant.id);
        let refusal =
            server.operator.workspaces.clone().get_workspace(of(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.Workspace".to_owned(), missing)));
    }
}
