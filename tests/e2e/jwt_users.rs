//! Users: what a JWT that is valid lets its holder do, where, as whom, and until when.

use std::time::Duration;

use api::v1::{self as wire, Environment, ErrorReason};
use harness::{Credentials, Refused, Server};
use serde_json::json;
use tokio::time::timeout;

use crate::asks::missing;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_user_may_leave_out_the_workspace_and_gets_that_of_the_token() {
    let server = Server::shared().await;
    let (tenant, other) = (server.workspace("own").await, server.workspace("other").await);
    tenant.create_key("mine").await;
    other.create_key("theirs").await;
    for role in ["owner", "member"] {
        let mut user = server.bearer(&server.user_token(&tenant, role)).keys;
        for workspace_id in [String::new(), tenant.id.clone()] {
            let request = wire::ListApiKeysRequest { workspace_id, ..Default::default() };
            let listed = user.list_api_keys(request).await.unwrap().into_inner();
            let names: Vec<_> = listed.api_keys.iter().map(|key| key.name.as_str()).collect();
            assert_eq!(names, ["mine"], "{role}");
        }
    }
}

#[tokio::test]
async fn another_workspace_is_answered_to_a_user_as_one_that_does_not_exist() {
    let server = Server::shared().await;
    let (tenant, other) = (server.workspace("own").await, server.workspace("other").await);
    let mut user = server.bearer(&server.user_token(&tenant, "owner")).keys;
    let mut ask = async |workspace_id: &str| {
        let workspace_id = workspace_id.to_owned();
        let request = wire::ListApiKeysRequest { workspace_id, ..Default::default() };
        let status = user.list_api_keys(request.clone()).await.unwrap_err();
        let details = String::from_utf8_lossy(status.details()).replace(&request.workspace_id, "*");
        (status.code(), status.message().to_owned(), details)
    };
    let (foreign, nowhere) = (ask(&other.id).await, ask(&missing(&other.id)).await);
    assert_eq!(foreign, nowhere);
    assert_eq!(foreign.0, tonic::Code::NotFound);
}

#[tokio::test]
async fn events_name_the_issuer_and_the_subject() {
    let server = Server::shared().await;
    let tenant = server.workspace("named").await;
    let ed = &server.identities().ed;
    let mut claims = ed.claims(&tenant.id, "owner");
    claims["sub"] = json!("auth0|5f:7c");
    let mut user = server.bearer(&ed.key.token(&claims)).keys;
    let made = user.create_api_key(tenant.key("by a user")).await.unwrap().into_inner();
    let actor = "user:ed:auth0|5f:7c";
    assert_eq!(made.api_key.unwrap().created_by, actor);
    let filtered = wire::ListEventsRequest { actor: actor.to_owned(), ..tenant.events() };
    assert!(!tenant.all_events(filtered).await.is_empty());
}

#[tokio::test]
async fn only_a_user_of_the_partner_portal_makes_test_keys() {
    let server = Server::shared().await;
    let tenant = server.workspace("portal").await;
    let ed = &server.identities().ed;
    let key = |environment: Environment| wire::CreateApiKeyRequest {
        env: environment.into(),
        ..tenant.key("made")
    };
    let mut claims = ed.claims(&tenant.id, "owner");
    for (portal, may) in [(None, false), (Some("somebody else"), false), (Some("partner"), true)] {
        if let Some(portal) = portal {
            claims["portal"] = json!([portal]);
        }
        let mut user = server.bearer(&ed.key.token(&claims)).keys;
        user.create_api_key(key(Environment::Live)).await.unwrap();
        let test = user.create_api_key(key(Environment::Test)).await;
        match may {
            true => drop(test.unwrap()),
            false => {
                assert_eq!(test.refused().reason, ErrorReason::PermissionDenied, "{portal:?}");
            }
        }
    }
    claims["access"] = json!({"roles": ["member"]});
    let mut member = server.bearer(&ed.key.token(&claims)).keys;
    let refused = member.create_api_key(key(Environment::Test)).await.refused();
    assert_eq!(refused.reason, ErrorReason::PermissionDenied, "a partner is still a member");
}

#[tokio::test]
async fn owner_wins_over_member() {
    let server = Server::shared().await;
    let tenant = server.workspace("both").await;
    let ed = &server.identities().ed;
    let mut claims = ed.claims(&tenant.id, "member");
    claims["access"] = json!({"roles": ["member", "owner"]});
    let mut user = server.bearer(&ed.key.token(&claims)).keys;
    user.create_api_key(tenant.key("by an owner")).await.unwrap();
}

#[tokio::test]
async fn a_token_ends_half_a_minute_after_its_end_and_so_does_a_stream_that_it_opened() {
    let server = Server::start().await;
    let tenant = server.workspace("ends").await;
    let mut user = server.bearer(&server.user_token(&tenant, "owner"));
    let request =
        wire::WatchEventsRequest { workspace_id: tenant.id.clone(), ..Default::default() };
    let mut stream = user.audit.watch_events(request).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    // The token is good for an hour.
    server.clock.turn(Duration::from_secs(3_600));
    user.keys.list_api_keys(tenant.list()).await.unwrap();
    server.clock.turn(Duration::from_secs(31));
    let refused = user.keys.list_api_keys(tenant.list()).await.refused();
    assert_eq!(refused.reason, ErrorReason::CredentialInvalid);
    tenant.create_key("not for them").await;
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(message)) => assert!(message.events.is_empty(), "{message:?}"),
                Ok(None) => panic!("it ends without a word"),
                Err(status) => return harness::Refusal::of(&status),
            }
        }
    };
    let ended = timeout(SOON, ended).await.expect("it ends");
    assert_eq!(ended.reason, ErrorReason::CredentialInvalid);
}

#[tokio::test]
async fn a_token_before_its_beginning_does_not_count_yet() {
    let server = Server::start().await;
    let tenant = server.workspace("begins").await;
    let ed = &server.identities().ed;
    let mut claims = ed.claims(&tenant.id, "owner");
    claims["nbf"] = json!(claims["iat"].as_i64().unwrap() + 300);
    let mut user = server.bearer(&ed.key.token(&claims)).keys;
    let refused = user.list_api_keys(tenant.list()).await.refused();
    assert_eq!(refused.reason, ErrorReason::CredentialInvalid);
    server.clock.turn(Duration::from_secs(271));
    user.list_api_keys(tenant.list()).await.unwrap();
}

#[tokio::test]
async fn a_suspended_workspace_is_to_its_users_what_it_is_to_its_token() {
    let server = Server::shared().await;
    let tenant = server.workspace("suspended").await;
    let suspend =
        wire::SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
    server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    for mut keys in
        [tenant.client.keys.clone(), server.bearer(&server.user_token(&tenant, "owner")).keys]
    {
        keys.list_api_keys(tenant.list()).await.unwrap();
        let refused = keys.create_api_key(tenant.key("new")).await.refused();
        assert_eq!(refused.reason, ErrorReason::WorkspaceSuspended);
    }
}

#[tokio::test]
async fn a_jwt_and_a_key_beside_it_are_two_credentials() {
    let server = Server::shared().await;
    let tenant = server.workspace("two").await;
    let key = tenant.create_key("key").await.api_key.unwrap().key_id;
    let two =
        Credentials::bearer(&server.user_token(&tenant, "owner")).and("x-keyward-api-key", &key);
    let refused = server.client(&two).keys.list_api_keys(tenant.list()).await.refused();
    assert_eq!(refused.reason, ErrorReason::TwoCredentials);
}

#[tokio::test]
async fn a_token_of_one_client_is_good_for_no_other() {
    let server = Server::shared().await;
    let tenant = server.workspace("clients").await;
    let ed = &server.identities().ed;
    let mut claims = ed.claims(&tenant.id, "owner");
    let plain = ed.key.token(&claims);
    claims["client_hash"] = json!("abc");
    let bound = ed.key.token(&claims);
    let from = |token: &str, hash: Option<&str>| {
        let credentials = Credentials::bearer(token);
        let credentials = match hash {
            Some(hash) => credentials.and("x-keyward-client-hash", hash),
            None => credentials,
        };
        server.client(&credentials).keys
    };
    for (token, hash) in
        [(&bound, None), (&bound, Some("abc")), (&plain, Some("abd")), (&plain, None)]
    {
        from(token, hash).list_api_keys(tenant.list()).await.unwrap();
    }
    let long = "a".repeat(300);
    for hash in ["abd", "ABC", "ab", "abcd", &long] {
        let refused = from(&bound, Some(hash)).list_api_keys(tenant.list()).await.refused();
        assert_eq!(refused.reason, ErrorReason::CredentialInvalid, "{hash}");
    }
    let mut keys = from(&bound, Some("abc"));
    keys.create_api_key(tenant.key("recorded")).await.unwrap();
    let sql = "SELECT count(*) FROM log.events WHERE workspace_id = $1 \
               AND convert_from(metadata, 'UTF8') LIKE '%\"client_hash\"%abc%'";
    let recorded = server.tables().row(sql, &[&tenant.id]).await;
    assert!(recorded.get::<_, i64>(0) > 0);
}
