//! CreateServiceCredential, ListServiceCredentials, RevokeServiceCredential: by the operator.

use api::v1::{
    self as wire, CreateServiceCredentialRequest, ErrorReason, ListServiceCredentialsRequest,
    Permission, RevokeServiceCredentialRequest,
};
use harness::{Refused, Server};

fn named(name: &str) -> CreateServiceCredentialRequest {
    CreateServiceCredentialRequest {
        name: name.to_owned(),
        permissions: vec![Permission::Verify.into()],
        ..Default::default()
    }
}

fn revoke(id: &str) -> RevokeServiceCredentialRequest {
    RevokeServiceCredentialRequest { service_credential_id: id.to_owned(), ..Default::default() }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_service_may_do_what_it_was_given_where_it_was_given() {
        let server = Server::shared().await;
        let (mine, other) = (server.workspace("mine").await, server.workspace("other").await);
        let asked = CreateServiceCredentialRequest {
            permissions: vec![Permission::Verify.into(); 2],
            workspace_ids: vec![mine.id.clone()],
            envs: vec![wire::Environment::Live.into()],
            ..named("checkout")
        };
        let mut operator = server.operator.workspaces.clone();
        let made = operator.create_service_credential(asked).await.unwrap().into_inner();
        let service = made.service_credential.unwrap();
        assert!(service.service_credential_id.starts_with("svc_"));
        assert!(made.secret.starts_with("kws_live_"));
        assert_eq!(made.secret.rsplit_once('_').unwrap().0, service.display);
        assert_eq!(service.permissions, [Permission::Verify as i32], "without duplicates");
        assert_eq!(service.workspace_ids, vec![mine.id.clone()]);
        assert_eq!((service.created_by.as_str(), service.revoke_time), ("operator", None));
        let mut client = server.bearer(&made.secret).keys;
        for (tenant, decision) in
            [(&mine, wire::Decision::Accepted), (&other, wire::Decision::Denied)]
        {
            let secret = tenant.create_key("key").await.secret;
            let verdict = client.verify_key(tenant.question(&secret)).await.unwrap().into_inner();
            assert_eq!(verdict.decision(), decision);
        }
    }

    #[tokio::test]
    async fn a_revoked_one_ends_at_once_and_is_listed_on_request_only() {
        let server = Server::shared().await;
        let tenant = server.workspace("listed").await;
        let mut operator = server.operator.workspaces.clone();
        let mut made = Vec::new();
        for name in ["one", "two"] {
            let workspace_ids = vec![tenant.id.clone()];
            let asked = CreateServiceCredentialRequest { workspace_ids, ..named(name) };
            made.push(operator.create_service_credential(asked).await.unwrap().into_inner());
        }
        let id = made[0].service_credential.as_ref().unwrap().service_credential_id.clone();
        let ended = operator.revoke_service_credential(revoke(&id)).await.unwrap().into_inner();
        let ended = ended.service_credential.unwrap();
        assert!(ended.revoke_time.is_some());
        let again = operator.revoke_service_credential(revoke(&id)).await.unwrap().into_inner();
        assert_eq!(again.service_credential.unwrap(), ended, "revoking again changes nothing");
        let mut dead = server.bearer(&made[0].secret).keys;
        let refusal = dead.verify_key(tenant.question("x")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        for (show_dead, names) in [(false, vec!["two"]), (true, vec!["two", "one"])] {
            let asked = ListServiceCredentialsRequest {
                workspace_id: tenant.id.clone(),
                show_dead,
                ..Default::default()
            };
            let listed = operator.list_service_credentials(asked).await.unwrap().into_inner();
            let own = |one: &&wire::ServiceCredential| !one.workspace_ids.is_empty();
            let listed: Vec<_> =
                listed.service_credentials.iter().filter(own).map(|one| &one.name).collect();
            assert_eq!(listed, names);
        }
    }

    #[tokio::test]
    async fn pages_join_to_the_whole_list() {
        let server = Server::start().await;
        let mut operator = server.operator.workspaces.clone();
        for name in ["a", "b", "c"] {
            operator.create_service_credential(named(name)).await.unwrap();
        }
        let mut asked = ListServiceCredentialsRequest { page_size: 2, ..Default::default() };
        let first = operator.list_service_credentials(asked.clone()).await.unwrap().into_inner();
        asked.page_token = first.next_page_token;
        let second = operator.list_service_credentials(asked.clone()).await.unwrap().into_inner();
        let names = first.service_credentials.iter().chain(&second.service_credentials);
        assert_eq!(names.map(|one| one.name.as_str()).collect::<String>(), "cba");
        assert_eq!(second.next_page_token, "");
        asked.show_dead = true;
        let refusal = operator.list_service_credentials(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid);
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn what_was_never_made_cannot_be_revoked_or_bound_to() {
        let server = Server::shared().await;
        let mut operator = server.operator.workspaces.clone();
        let made = operator.create_service_credential(named("real")).await.unwrap().into_inner();
        let id = made.service_credential.unwrap().service_credential_id;
        let missing = crate::asks::missing(&id);
        let refusal = operator.revoke_service_credential(revoke(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ServiceCredentialNotFound);
        assert_eq!(refusal.resource.unwrap().1, missing);
        let nowhere = crate::asks::missing(&server.workspace("real").await.id);
        let asked = CreateServiceCredentialRequest { workspace_ids: vec![nowhere], ..named("x") };
        let refusal = operator.create_service_credential(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_leaves_it_alive() {
        let server = Server::shared().await;
        let mut operator = server.operator.workspaces.clone();
        let made = operator.create_service_credential(named("etags")).await.unwrap().into_inner();
        let id = made.service_credential.unwrap().service_credential_id;
        let asked = RevokeServiceCredentialRequest { etag: "\"7\"".to_owned(), ..revoke(&id) };
        let refusal = operator.revoke_service_credential(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        let tenant = server.workspace("any").await;
        server.bearer(&made.secret).keys.verify_key(tenant.question("x")).await.unwrap();
    }
}
