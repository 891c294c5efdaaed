//! ListAuthTokens: what is known of a key's auth tokens, but for their secrets.

use std::time::Duration;

use api::v1::{self as wire, ErrorReason, ListAuthTokensRequest};
use harness::{Refused, Server};
use prost::Message;

fn names(tokens: &[wire::AuthToken]) -> Vec<&str> {
    tokens.iter().map(|token| token.name.as_str()).collect()
}

#[tokio::test]
async fn the_token_that_comes_with_a_key_is_the_first_of_the_list() {
    let server = Server::shared().await;
    let tenant = server.workspace("with a token").await;
    let asked = wire::CreateApiKeyRequest { create_auth_token: true, ..tenant.key("key") };
    let made = tenant.create(asked).await;
    let key_id = made.api_key.unwrap().key_id;
    let issued = tenant.issue_token(tenant.issue(&key_id, "second")).await;
    let listed = tenant.tokens(&key_id, false).await;
    assert_eq!(names(&listed), ["default", "second"]);
    assert_eq!(listed[0].display, made.auth_token.rsplit_once('_').unwrap().0);
    assert_eq!(listed[0].created_by, format!("workspace:{}", tenant.id));
    assert_eq!(listed[1], issued.auth_token.unwrap());
    assert!(listed.iter().all(|token| token.etag == "\"2\""), "one history");
    let said = format!("{listed:?}");
    for secret in [&made.auth_token, &issued.secret] {
        let secret = secret.rsplit_once('_').unwrap().1;
        assert!(!said.contains(&secret[..43]));
    }
}

#[tokio::test]
async fn those_that_are_over_are_listed_on_request() {
    let server = Server::start().await;
    let mut tenant = server.workspace("over").await;
    let key_id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let end = server.clock.now().as_second() + 60;
    let expires_at = Some(prost_types::Timestamp { seconds: end, nanos: 0 });
    let ends = wire::IssueAuthTokenRequest { expires_at, ..tenant.issue(&key_id, "ends") };
    tenant.issue_token(ends).await;
    let revoked = tenant.issue_token(tenant.issue(&key_id, "revoked")).await.auth_token.unwrap();
    tenant.issue_token(tenant.issue(&key_id, "lives")).await;
    let revoke = tenant.revoke_token(&key_id, &revoked.auth_token_id);
    tenant.client.keys.revoke_auth_token(revoke).await.unwrap();
    assert_eq!(names(&tenant.tokens(&key_id, false).await), ["ends", "lives"]);
    server.clock.turn(Duration::from_secs(61));
    assert_eq!(names(&tenant.tokens(&key_id, false).await), ["lives"]);
    let all = tenant.tokens(&key_id, true).await;
    assert_eq!(names(&all), ["ends", "revoked", "lives"]);
    assert!(all[1].revoke_time.is_some() && all[2].revoke_time.is_none());
}

#[tokio::test]
async fn a_key_without_tokens_has_an_empty_list_and_a_dead_one_keeps_its_own() {
    let server = Server::shared().await;
    let tenant = server.workspace("none").await;
    let key_id = tenant.create_key("bare").await.api_key.unwrap().key_id;
    assert_eq!(tenant.tokens(&key_id, true).await, []);
    let pair = tenant.pair(tenant.key("dead")).await;
    tenant.revoke_key(&pair.key_id).await;
    assert_eq!(names(&tenant.tokens(&pair.key_id, false).await), ["a token"]);
}

#[tokio::test]
async fn a_missing_key_and_one_of_the_other_environment_have_no_list() {
    let server = Server::shared().await;
    let tenant = server.workspace("bounds").await;
    let live = tenant.pair(tenant.key("live")).await;
    let asked = wire::CreateServiceCredentialRequest {
        name: "tests only".to_owned(),
        permissions: vec![wire::Permission::OrgReadWrite.into()],
        workspace_ids: vec![tenant.id.clone()],
        envs: vec![wire::Environment::Test.into()],
        ..Default::default()
    };
    let made = server.operator.clone().workspaces.create_service_credential(asked).await;
    let mut service = server.bearer(&made.unwrap().into_inner().secret).keys;
    let list = |key_id: &str| ListAuthTokensRequest {
        workspace_id: tenant.id.clone(),
        key_id: key_id.to_owned(),
        show_dead: true,
    };
    for key_id in [live.key_id.clone(), crate::asks::missing(&live.key_id)] {
        let refusal = service.list_auth_tokens(list(&key_id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
        let reset = tenant.reset(&key_id, &live.token_id);
        let refusal = service.reset_auth_token(reset).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
    let mut reader = server.bearer(&server.service(&[wire::Permission::OrgRead], &[&tenant]).await);
    let listed = reader.keys.list_auth_tokens(list(&live.key_id)).await.unwrap().into_inner();
    assert_eq!(listed.auth_tokens, tenant.tokens(&live.key_id, true).await);
    assert!(!listed.encode_to_vec().is_empty());
}
