//! Who may ask: workspace tokens within their workspace, service credentials within their bounds.

use api::v1::{
    CreateServiceCredentialRequest, ErrorReason, Permission, RevokeServiceCredentialRequest,
};
use harness::{Client, Credentials, Refused};

use super::*;

async fn outcome(client: &Client, secret: &str) -> Denial {
    client.keys.clone().verify_key(plain(secret)).await.unwrap().into_inner().denial()
}

async fn bounded(server: &Server, workspaces: &[&Tenant], envs: &[Environment]) -> Client {
    let request = CreateServiceCredentialRequest {
        name: "bounded".to_owned(),
        permissions: vec![Permission::Verify.into()],
        workspace_ids: workspaces.iter().map(|one| one.id.clone()).collect(),
        envs: envs.iter().map(|&env| env.into()).collect(),
        ..CreateServiceCredentialRequest::default()
    };
    let made = server.operator.workspaces.clone().create_service_credential(request).await;
    server.bearer(&made.unwrap().into_inner().secret)
}

#[tokio::test]
async fn a_service_sees_the_keys_within_its_bounds_and_no_others() {
    let server = Server::shared().await;
    let [a, b, c] =
        [server.workspace("a").await, server.workspace("b").await, server.workspace("c").await];
    let live = |tenant: Tenant| async move { tenant.create_key("live").await.secret };
    let [in_a, in_b, in_c] = [live(a.clone()).await, live(b.clone()).await, live(c.clone()).await];
    let test_in_a = a.create(test_world(&a)).await.secret;
    let (yes, no) = (Denial::Unspecified, Denial::NotFound);
    let cases = [
        (bounded(&server, &[], &[]).await, [yes, yes, yes, yes]),
        (bounded(&server, &[&a, &b], &[]).await, [yes, yes, no, yes]),
        (bounded(&server, &[], &[Environment::Test]).await, [no, no, no, yes]),
        (bounded(&server, &[&a], &[Environment::Live]).await, [yes, no, no, no]),
    ];
    for (client, expected) in cases {
        for (secret, expected) in [&in_a, &in_b, &in_c, &test_in_a].into_iter().zip(expected) {
            assert_eq!(outcome(&client, secret).await, expected);
        }
    }
}

#[tokio::test]
async fn what_a_service_asks_for_narrows_its_bounds_and_never_widens_them() {
    let server = Server::shared().await;
    let (a, b) = (server.workspace("a").await, server.workspace("b").await);
    let (in_a, in_b) = (a.create_key("in a").await.secret, b.create_key("in b").await.secret);
    let test_in_a = a.create(test_world(&a)).await.secret;
    let client = bounded(&server, &[&a], &[Environment::Live]).await;
    let pinned = |secret: &str, to: &Tenant, env: Environment| VerifyKeyRequest {
        workspace_id: to.id.clone(),
        allowed_envs: vec![env.into()],
        ..plain(secret)
    };
    let asked = async |request| {
        client.keys.clone().verify_key(request).await.unwrap().into_inner().denial()
    };
    assert_eq!(asked(pinned(&in_a, &a, Environment::Live)).await, Denial::Unspecified);
    assert_eq!(asked(pinned(&in_b, &b, Environment::Live)).await, Denial::NotFound);
    assert_eq!(asked(pinned(&in_a, &b, Environment::Live)).await, Denial::NotFound);
    assert_eq!(asked(pinned(&test_in_a, &a, Environment::Test)).await, Denial::NotFound);
}

#[tokio::test]
async fn whoever_lacks_the_permission_to_verify_is_told_so() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    let others =
        [Permission::Reveal, Permission::AuditRead, Permission::OrgRead, Permission::OrgReadWrite];
    let service = server.bearer(&server.service(&others, &[]).await);
    for client in [service, server.operator.clone()] {
        let refusal = client.keys.clone().verify_key(plain(&secret)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
        // Before the request is looked at: a stranger learns no rule from it.
        let refusal = client.keys.clone().verify_key(from("x", "x")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}

#[tokio::test]
async fn a_key_an_auth_token_or_a_revoked_service_calls_nothing() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let request = CreateApiKeyRequest { create_auth_token: true, ..tenant.key("a key") };
    let made = tenant.create(request).await;
    let request = CreateServiceCredentialRequest {
        name: "short-lived".to_owned(),
        permissions: vec![Permission::Verify.into()],
        ..CreateServiceCredentialRequest::default()
    };
    let mut operator = server.operator.workspaces.clone();
    let service = operator.create_service_credential(request).await.unwrap().into_inner();
    assert_eq!(outcome(&server.bearer(&service.secret), &made.secret).await, Denial::Unspecified);
    let service_credential_id = service.service_credential.unwrap().service_credential_id;
    let default = RevokeServiceCredentialRequest::default();
    let request = RevokeServiceCredentialRequest { service_credential_id, ..default };
    operator.revoke_service_credential(request).await.unwrap();
    for credential in [&made.secret, &made.auth_token, &service.secret, "nonsense"] {
        let client = server.bearer(credential);
        let refusal = client.keys.clone().verify_key(plain(&made.secret)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
    }
}

#[tokio::test]
async fn a_call_needs_exactly_one_credential() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let ask = async |credentials: Credentials| {
        let mut keys = server.client(&credentials).keys;
        keys.verify_key(plain("x")).await.refused().reason
    };
    assert_eq!(ask(Credentials::none()).await, ErrorReason::CredentialMissing);
    let bearer = format!("Bearer {}", tenant.token);
    let twice = Credentials::bearer(&tenant.token).and("authorization", &bearer);
    assert_eq!(ask(twice).await, ErrorReason::TwoCredentials);
    let basic = Credentials::none().and("authorization", &bearer.replace("Bearer", "Basic"));
    assert_eq!(ask(basic).await, ErrorReason::CredentialInvalid);
}
