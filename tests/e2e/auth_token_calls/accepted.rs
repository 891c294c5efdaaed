//! What a right pair is good for, and that it ends everywhere at once.

use super::*;

#[tokio::test]
async fn a_pair_reads_the_configuration_of_its_own_key_named_or_not() {
    let server = Server::shared().await;
    let tenant = server.workspace("own").await;
    let request = crate::create_api_key::everything(&tenant, server.clock.now().as_second());
    let pair = tenant.pair(request).await;
    let expected = tenant.client.keys.clone().get_config(tenant.config(&pair.key_id)).await;
    let expected = expected.unwrap().into_inner().config.unwrap();
    assert_eq!(own_config(&server, &pair.credentials()).await.unwrap(), expected);
    let whole = of_key(&pair.key, &pair.token);
    assert_eq!(own_config(&server, &whole).await.unwrap(), expected, "named by the whole key");
    let mut app = server.client(&pair.credentials()).keys;
    for (workspace_id, key_id) in [("", ""), (&*tenant.id, ""), ("", &*pair.key_id)] {
        let (workspace_id, key_id) = (workspace_id.to_owned(), key_id.to_owned());
        let asked = GetConfigRequest { workspace_id, key_id, ..Default::default() };
        let answer = app.get_config(asked).await.unwrap().into_inner();
        assert_eq!(answer.config.as_ref(), Some(&expected));
    }
}

#[tokio::test]
async fn an_imported_key_has_tokens_and_may_be_named_by_its_text() {
    let server = Server::shared().await;
    let tenant = server.workspace("imported").await;
    let raw = format!("their-own-text-{}", tenant.id);
    let api_key = Some(wire::ApiKey { name: "theirs".to_owned(), ..Default::default() });
    let item = wire::ImportApiKeysItem { raw: raw.clone(), api_key, ..Default::default() };
    let workspace_id = tenant.id.clone();
    let asked =
        wire::ImportApiKeysRequest { workspace_id, items: vec![item], ..Default::default() };
    tenant.client.clone().keys.import_api_keys(asked).await.unwrap();
    let listed = tenant.client.clone().keys.list_api_keys(tenant.list()).await.unwrap();
    let key_id = listed.into_inner().api_keys.remove(0).key_id;
    let token = tenant.issue_token(tenant.issue(&key_id, "a token")).await.secret;
    for named in [&key_id, &raw] {
        let config = own_config(&server, &of_key(named, &token)).await.unwrap();
        assert_eq!(config.key_id, key_id);
    }
}

#[tokio::test]
async fn a_rotated_key_keeps_its_tokens_and_its_old_secret_names_it_while_its_grace_runs() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("rotated").await;
    let pair = pair(&tenant).await;
    let rotated = tenant.client.keys.rotate_api_key(tenant.rotate(&pair.key_id)).await.unwrap();
    let rotated = rotated.into_inner().secret;
    for named in [&pair.key_id, &pair.key, &rotated] {
        own_config(&server, &of_key(named, &pair.token)).await.unwrap();
    }
    tenant.client.keys.end_rotation_grace(tenant.end_grace(&pair.key_id)).await.unwrap();
    let old = own_config(&server, &of_key(&pair.key, &pair.token)).await.unwrap_err();
    assert_eq!(Refusal::of(&old).reason, ErrorReason::CredentialInvalid);
    own_config(&server, &of_key(&rotated, &pair.token)).await.unwrap();
}

#[tokio::test]
async fn a_token_with_domains_is_good_from_those() {
    let server = Server::shared().await;
    let tenant = server.workspace("domains").await;
    let key_id = pair(&tenant).await.key_id;
    let asked = wire::IssueAuthTokenRequest {
        allowed_domains: vec!["example.com".to_owned(), "*.example.org".to_owned()],
        allow_localhost: true,
        ..tenant.issue(&key_id, "browser")
    };
    let token = tenant.issue_token(asked).await.secret;
    let good = [
        "https://example.com",
        "https://www.example.com:8443",
        "https://a.b.example.org",
        "http://localhost:3000",
        "http://127.0.0.1",
    ];
    for origin in good {
        let from = of_key(&key_id, &token).and("origin", origin);
        own_config(&server, &from).await.expect(origin);
    }
}

#[tokio::test]
async fn a_suspended_workspace_is_read_as_by_its_own_token() {
    let server = Server::shared().await;
    let tenant = server.workspace("suspended").await;
    let pair = pair(&tenant).await;
    let suspend =
        wire::SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
    server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    let theirs = tenant.client.clone().keys.get_config(tenant.config(&pair.key_id)).await.unwrap();
    let own = own_config(&server, &pair.credentials()).await.unwrap();
    assert_eq!(Some(own), theirs.into_inner().config);
}

#[tokio::test]
async fn what_one_node_ends_is_over_on_the_other_when_the_call_returns() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let mut tenant = server.workspace("two nodes").await;
    let mut pair = pair(&tenant).await;
    testkit::eventually("the replica knows the workspace", Duration::from_secs(10), async || {
        own_config(&replica, &pair.credentials()).await.is_ok()
    })
    .await;
    let refused_there = async |credentials: &Credentials| {
        let status = own_config(&replica, credentials).await.unwrap_err();
        assert_eq!(Refusal::of(&status).reason, ErrorReason::CredentialInvalid);
    };
    for _ in 0..20 {
        let asked = tenant.reset(&pair.key_id, &pair.token_id);
        let reset = tenant.client.keys.reset_auth_token(asked).await.unwrap().into_inner();
        refused_there(&pair.credentials()).await;
        pair.token = reset.secret;
        own_config(&replica, &pair.credentials()).await.unwrap();
    }
    for _ in 0..5 {
        let (wait, etag) = (wire::BarrierWait::None.into(), String::new());
        let disable = wire::DisableApiKeyRequest { wait, etag, ..tenant.disable(&pair.key_id) };
        tenant.client.keys.disable_api_key(disable).await.unwrap();
        refused_there(&pair.credentials()).await;
        tenant.client.keys.enable_api_key(tenant.enable(&pair.key_id)).await.unwrap();
        own_config(&replica, &pair.credentials()).await.unwrap();
    }
    for number in 0..10 {
        let issued = tenant.issue_token(tenant.issue(&pair.key_id, &format!("{number}"))).await;
        let credentials = of_key(&pair.key_id, &issued.secret);
        own_config(&replica, &credentials).await.unwrap();
        let id = issued.auth_token.unwrap().auth_token_id;
        let revoke = tenant.revoke_token(&pair.key_id, &id);
        tenant.client.keys.revoke_auth_token(revoke).await.unwrap();
        refused_there(&credentials).await;
    }
}

#[tokio::test]
async fn all_that_happens_to_a_token_is_in_the_audit_log_by_whom() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("audited").await;
    let pair = pair(&tenant).await;
    let mut app = server.client(&pair.credentials()).keys;
    app.reset_auth_token(wire::ResetAuthTokenRequest::default()).await.unwrap();
    let revoke = tenant.revoke_token(&pair.key_id, &pair.token_id);
    tenant.client.keys.revoke_auth_token(revoke).await.unwrap();
    let asked = wire::ListEventsRequest { key_id: pair.key_id.clone(), ..tenant.events() };
    let mut events = tenant.all_events(asked).await;
    events.retain(|event| event.kind.starts_with("auth_token."));
    events.sort_by_key(|event| event.position);
    let told: Vec<_> =
        events.iter().map(|event| (event.kind.as_str(), event.actor.clone())).collect();
    let workspace = format!("workspace:{}", tenant.id);
    let itself = format!("auth_token:{}", pair.token_id);
    let expected = [
        ("auth_token.issued", workspace.clone()),
        ("auth_token.reset", itself),
        ("auth_token.revoked", workspace),
    ];
    assert_eq!(told, expected);
    for event in &events[..2] {
        let said = format!("{:?}", event.payload);
        assert!(said.contains("[sealed]") && said.contains(&pair.token_id), "{said}");
    }
}
