//! Verdicts in HTTP: who may pass is named, who may not is told the class.

use api::v1::{
    DisableApiKeyRequest, Environment, ErrorReason, Owner, SuspendWorkspaceRequest, owner,
};
use prost_types::Timestamp;
use prost_types::value::Kind;

use super::*;

#[tokio::test]
async fn a_key_that_may_pass_is_named_by_six_headers_and_taken_away() {
    let protected = Protected::new("named").await;
    let made = protected.tenant.create(CreateApiKeyRequest {
        scopes: vec!["payment:read".to_owned(), "payment:write".to_owned()],
        owner: Some(Owner {
            principal: Some(owner::Principal::UserId("user-7".to_owned())),
            ..Owner::default()
        }),
        expires_at: Some(Timestamp { seconds: 4_000_000_000, nanos: 250_000_000 }),
        ..protected.key()
    });
    let made = made.await;
    let key_id = made.api_key.unwrap().key_id;
    let asked = request(HERE, &[("x-api-key", &made.secret)], &[("scope", "payment:read")]);
    let answer = protected.envoy.authorization.clone().check(asked).await.unwrap().into_inner();
    let metadata = answer.dynamic_metadata.clone().unwrap().fields;
    let text = |name: &str| {
        let Some(Kind::StringValue(text)) = &metadata[name].kind else { panic!("{metadata:?}") };
        text.clone()
    };
    assert_eq!(text("key_id"), key_id);
    assert_eq!(text("workspace_id"), protected.tenant.id);
    assert_eq!(text("env"), "live");
    let Some(Kind::ListValue(scopes)) = &metadata["scopes"].kind else { panic!("{metadata:?}") };
    assert_eq!((scopes.values.len(), metadata.len()), (2, 4));

    let checked = Checked::of(answer);
    let expected = [
        ("x-key-env", "live"),
        ("x-key-expires", "2096-10-02T07:06:40.250Z"),
        ("x-key-id", &key_id),
        ("x-key-owner", "user-7"),
        ("x-key-scopes", "payment:read payment:write"),
        ("x-workspace-id", &protected.tenant.id),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(checked.headers, expected.into());
    assert_eq!(checked.removed, ["x-api-key", "authorization"]);

    // What is not known is said as empty, so that it overwrites.
    let plain = protected.with(&protected.secret().await, &[]).await;
    assert_eq!((plain.http, plain.headers.len()), (200, 6));
    assert_eq!((&*plain.headers["x-key-owner"], &*plain.headers["x-key-expires"]), ("", ""));
}

#[tokio::test]
async fn denials_are_401_and_403_by_the_table_of_verdicts() {
    let protected = Protected::new("denials").await;
    let secret = protected.secret().await;
    for unknown in ["kwk_live_x", "junk", &secret[..secret.len() - 1], &"k".repeat(60_000)] {
        denied(&protected.with(unknown, &[]).await, 401, INVALID);
    }
    let scope = protected.with(&secret, &[("scope", "a b"), ("any_scope", "c")]).await;
    let needed = "Bearer realm=\"keyward\", error=\"insufficient_scope\", scope=\"a b c\"";
    denied(&scope, 403, needed);
    let elsewhere = request("192.0.2.8", &[("x-api-key", &secret)], &[]);
    denied(&protected.check(elsewhere).await, 403, "");
    denied(&protected.with(&secret, &[("env", "test")]).await, 401, INVALID);

    let later = Timestamp { seconds: 4_000_000_000, nanos: 0 };
    let early = CreateApiKeyRequest { not_before: Some(later), ..protected.key() };
    denied(&protected.with(&protected.tenant.create(early).await.secret, &[]).await, 401, INVALID);

    let off = protected.tenant.create(protected.key()).await;
    let key_id = off.api_key.unwrap().key_id;
    let disable = DisableApiKeyRequest { ..protected.tenant.disable(&key_id) };
    protected.tenant.client.clone().keys.disable_api_key(disable).await.unwrap();
    denied(&protected.with(&off.secret, &[]).await, 401, INVALID);

    let gone = protected.tenant.create(protected.key()).await;
    protected.tenant.revoke_key(&gone.api_key.unwrap().key_id).await;
    let revoked = protected.with(&gone.secret, &[]).await;
    denied(&revoked, 401, INVALID);
    assert!(!format!("{revoked:?}").to_lowercase().contains("revoked"));

    let suspend = SuspendWorkspaceRequest {
        workspace_id: protected.tenant.id.clone(),
        ..SuspendWorkspaceRequest::default()
    };
    protected.server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    denied(&protected.with(&secret, &[]).await, 403, "");
}

#[tokio::test]
async fn a_key_beyond_the_callers_bounds_is_judged_as_an_unknown_one() {
    let protected = Protected::new("bounds").await;
    let other = protected.server.workspace("other").await;
    let foreign = other.create_key("foreign").await.secret;
    let unknown = Server::start().await.workspace("far").await.create_key("far").await.secret;
    let foreign = protected.with(&foreign, &[]).await;
    denied(&foreign, 401, INVALID);
    assert_eq!(foreign, protected.with(&unknown, &[]).await);
    // A workspace's own token sees that workspace.
    let own = Protected { envoy: other.client.clone(), ..protected };
    let theirs = own.secret().await;
    denied(&own.with(&theirs, &[]).await, 401, INVALID);
}

#[tokio::test]
async fn a_service_bound_to_one_environment_lets_only_its_keys_on() {
    let protected = Protected::new("environments").await;
    let asked = api::v1::CreateServiceCredentialRequest {
        name: "for tests".to_owned(),
        permissions: vec![Permission::Verify.into()],
        envs: vec![Environment::Test.into()],
        ..Default::default()
    };
    let operator = protected.server.operator.clone();
    let made = operator.workspaces.clone().create_service_credential(asked).await.unwrap();
    let envoy = protected.server.bearer(&made.into_inner().secret);
    let protected = Protected { envoy, ..protected };
    denied(&protected.with(&protected.secret().await, &[]).await, 401, INVALID);
    let test = CreateApiKeyRequest { env: Environment::Test.into(), ..protected.key() };
    let test = protected.tenant.create(test).await.secret;
    assert_eq!(protected.with(&test, &[]).await.headers["x-key-env"], "test");
    denied(&protected.with(&test, &[("env", "live")]).await, 401, INVALID);
}

#[tokio::test]
async fn too_many_guesses_are_429_and_a_key_that_there_is_still_passes() {
    let site = harness::Site::new().await;
    let mut config = site.config(site.url());
    config.guess_limit = std::num::NonZeroU32::new(2);
    let server = Server::start_with(config, site.operator_token()).await;
    let protected = Protected::on(server, "guesses").await;
    for _ in 0..2 {
        denied(&protected.with("kwk_live_x", &[]).await, 401, INVALID);
    }
    let limited = protected.with("kwk_live_x", &[]).await;
    denied(&limited, 429, "");
    assert!(limited.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(protected.with(&protected.secret().await, &[]).await.http, 200);
}

#[tokio::test]
async fn a_node_that_can_not_know_fails_the_call_and_denies_nothing() {
    let site = harness::Site::new().await;
    let database = testkit::FaultProxy::in_front_of(&site.database);
    let url = database.url_as(harness::ROLE, site.database.name());
    let mut config = site.config(url);
    config.lease = std::time::Duration::from_millis(600);
    let server = Server::start_with(config, site.operator_token()).await;
    let protected = Protected::on(server, "outage").await;
    let secret = protected.secret().await;
    assert_eq!(protected.with(&secret, &[]).await.http, 200);
    database.cut();
    for key in [&*secret, "junk", ""] {
        let asked = request(HERE, &[("x-api-key", key)], &[]);
        testkit::eventually("the lease ends", std::time::Duration::from_secs(20), async || {
            let answered = protected.envoy.authorization.clone().check(asked.clone()).await;
            answered.is_err_and(|status| {
                let reason = Refusal::of(&status).reason;
                assert_eq!(reason, ErrorReason::StalenessBoundExceeded);
                true
            })
        })
        .await;
    }
}
