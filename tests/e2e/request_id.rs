//! A request that is repeated with its `request_id` is done once (AIP-155).

use std::time::Duration;

use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server, Tenant};

const REQUEST_ID: &str = "d6f5a3c2-0001-request";

/// How long a wait took is not said twice alike.
const WAIT: i32 = wire::BarrierWait::None as i32;

/// How long secrets can be had again.
const REPLAY: Duration = Duration::from_secs(600);

#[tokio::test]
async fn two_hundred_identical_requests_at_once_make_one_key_and_one_answer() {
    let server = Server::shared().await;
    let tenant = server.workspace("parallel").await;
    let request = wire::CreateApiKeyRequest {
        request_id: REQUEST_ID.to_owned(),
        create_auth_token: true,
        ..tenant.key("once")
    };
    let each = || tenant.create(request.clone());
    let answers = futures_util::future::join_all((0..200).map(|_| each())).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "secrets included");
    assert_eq!(tenant.names(tenant.list()).await, ["once"]);
    assert_eq!(tenant.verify(&answers[0].secret).await.decision(), wire::Decision::Accepted);
}

#[tokio::test]
async fn a_repetition_on_another_replica_is_answered_the_same() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("replicas").await;
    let there = replica.tenant(&tenant);
    testkit::eventually("the replica knows the workspace", Duration::from_secs(5), async || {
        there.client.clone().keys.list_api_keys(there.list()).await.is_ok()
    })
    .await;
    let asked =
        wire::CreateApiKeyRequest { request_id: REQUEST_ID.to_owned(), ..tenant.key("once") };
    let (here, other) = tokio::join!(tenant.create(asked.clone()), there.create(asked.clone()));
    assert_eq!(here, other);
    assert_eq!(tenant.names(tenant.list()).await, ["once"]);
}

#[tokio::test]
async fn other_content_under_the_same_request_id_is_refused() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("reused").await;
    let asked = |name: &str| wire::CreateApiKeyRequest {
        request_id: REQUEST_ID.to_owned(),
        ..tenant.key(name)
    };
    let (first, other) = (asked("first"), asked("other"));
    tenant.create(first).await;
    let refusal = tenant.client.keys.create_api_key(other).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestIdReused);
    assert_eq!(tenant.names(tenant.list()).await, ["first"]);
}

#[tokio::test]
async fn a_request_id_belongs_to_its_workspace_caller_and_rpc() {
    let server = Server::shared().await;
    let (one, mut two) = (server.workspace("one").await, server.workspace("two").await);
    let request_id = REQUEST_ID.to_owned();
    let service = server.service(&[wire::Permission::OrgReadWrite], &[&one]).await;
    let asked = wire::CreateApiKeyRequest { request_id: request_id.clone(), ..one.key("x") };
    one.create(asked.clone()).await;
    server.bearer(&service).keys.create_api_key(asked).await.unwrap();
    assert_eq!(one.names(one.list()).await, ["x", "x"]);
    let asked = wire::CreateApiKeyRequest { request_id: request_id.clone(), ..two.key("y") };
    let key = two.create(asked).await.api_key.unwrap();
    let disable = wire::DisableApiKeyRequest { request_id, ..two.disable(&key.key_id) };
    two.client.keys.disable_api_key(disable).await.unwrap();
}

#[tokio::test]
async fn after_ten_minutes_the_secrets_are_gone_and_the_key_is_named() {
    let server = Server::start().await;
    let mut tenant = server.workspace("late").await;
    let asked =
        wire::CreateApiKeyRequest { request_id: REQUEST_ID.to_owned(), ..tenant.key("once") };
    let first = tenant.create(asked.clone()).await;
    server.clock.turn(REPLAY - Duration::from_secs(30));
    assert_eq!(tenant.create(asked.clone()).await.secret, first.secret);
    server.clock.turn(Duration::from_secs(31));
    let refusal = tenant.client.keys.create_api_key(asked).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
    let key_id = first.api_key.unwrap().key_id;
    assert_eq!(refusal.metadata.get("key_id"), Some(&key_id), "{refusal:?}");
    assert_eq!(tenant.names(tenant.list()).await, ["once"]);
}

#[tokio::test]
async fn a_workspace_and_a_service_are_named_as_well_when_their_secrets_are_gone() {
    let server = Server::start().await;
    let mut operator = server.operator.workspaces.clone();
    let (name, request_id) = ("once".to_owned(), REQUEST_ID.to_owned());
    let workspace =
        wire::CreateWorkspaceRequest { name: name.clone(), request_id: request_id.clone() };
    let service = wire::CreateServiceCredentialRequest {
        name,
        request_id,
        permissions: vec![wire::Permission::Verify.into()],
        ..Default::default()
    };
    let made = operator.create_workspace(workspace.clone()).await.unwrap().into_inner();
    let again = operator.create_workspace(workspace.clone()).await.unwrap().into_inner();
    assert_eq!(made, again);
    let served = operator.create_service_credential(service.clone()).await.unwrap().into_inner();
    server.clock.turn(REPLAY);
    let refusal = operator.create_workspace(workspace).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
    let id = made.workspace.unwrap().workspace_id;
    assert_eq!(refusal.metadata.get("workspace_id"), Some(&id));
    let refusal = operator.create_service_credential(service).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
    let id = served.service_credential.unwrap().service_credential_id;
    assert_eq!(refusal.metadata.get("service_credential_id"), Some(&id));
}

#[tokio::test]
async fn a_repeated_change_with_an_etag_is_answered_as_before() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("replayed").await;
    let key = tenant.create_key("key").await.api_key.unwrap();
    let asked = wire::DisableApiKeyRequest {
        etag: key.etag,
        request_id: REQUEST_ID.to_owned(),
        wait: WAIT,
        ..tenant.disable(&key.key_id)
    };
    let first = tenant.client.keys.disable_api_key(asked.clone()).await.unwrap().into_inner();
    tenant.client.keys.enable_api_key(tenant.enable(&key.key_id)).await.unwrap();
    let events = server.tables().events_of(&tenant.id).await;
    let again = tenant.client.keys.disable_api_key(asked).await.unwrap().into_inner();
    assert_eq!(again, first, "the old etag and all");
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn a_request_that_changed_nothing_is_remembered_as_well() {
    let server = Server::start().await;
    let mut tenant = server.workspace("unchanged").await;
    let id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let disable = wire::DisableApiKeyRequest { wait: WAIT, ..tenant.disable(&id) };
    let done = tenant.client.keys.disable_api_key(disable.clone()).await.unwrap().into_inner();
    tenant.create_key("later").await;
    let unkeyed = tenant.client.keys.disable_api_key(disable.clone()).await.unwrap().into_inner();
    assert_eq!(unkeyed, done, "its token covers what was seen, and no more");
    let asked = wire::DisableApiKeyRequest { request_id: REQUEST_ID.to_owned(), ..disable };
    let first = tenant.client.keys.disable_api_key(asked.clone()).await.unwrap().into_inner();
    assert_eq!(first, done);
    tenant.client.keys.enable_api_key(tenant.enable(&id)).await.unwrap();
    let again = tenant.client.keys.disable_api_key(asked.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    assert_eq!(tenant.read_key(&id).await.status(), wire::ApiKeyStatus::Active);
    server.clock.turn(REPLAY);
    let refusal = tenant.client.keys.disable_api_key(asked).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
    assert_eq!(refusal.metadata.get("key_id"), Some(&id));
}

/// Asks both replicas at once, 200 times in all.
async fn asked_at_once(replicas: [&Tenant; 2], asked: &wire::DisableApiKeyRequest) {
    let each = |index: usize| {
        let mut keys = replicas[index % 2].client.keys.clone();
        async move { keys.disable_api_key(asked.clone()).await.unwrap().into_inner() }
    };
    let answers = futures_util::future::join_all((0..200).map(each)).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one answer");
}

#[tokio::test]
async fn identical_requests_at_once_get_one_answer_whether_they_change_something_or_not() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("crowd").await;
    let there = replica.tenant(&tenant);
    testkit::eventually("the replica knows the workspace", Duration::from_secs(5), async || {
        there.client.clone().keys.list_api_keys(there.list()).await.is_ok()
    })
    .await;
    let key = tenant.create_key("key").await.api_key.unwrap();
    let asked = |request_id: &str, etag: &str| wire::DisableApiKeyRequest {
        request_id: request_id.to_owned(),
        etag: etag.to_owned(),
        wait: WAIT,
        ..tenant.disable(&key.key_id)
    };
    asked_at_once([&tenant, &there], &asked("a-change-at-its-etag", &key.etag)).await;
    asked_at_once([&tenant, &there], &asked("nothing-to-change", "")).await;
    assert_eq!(server.tables().events_of(&tenant.id).await, 4);
}

#[tokio::test]
async fn a_request_is_remembered_for_seven_days_and_then_forgotten() {
    let server = Server::start().await;
    let mut tenant = server.workspace("old").await;
    let asked = |request_id: &str| wire::CreateApiKeyRequest {
        request_id: request_id.to_owned(),
        ..tenant.key(request_id)
    };
    let (old, young) = (asked("more-than-seven-days"), asked("less-than-seven-days"));
    tenant.create(old.clone()).await;
    tenant.create(young.clone()).await;
    let aged = "UPDATE log.requests SET expires_at = now() - interval '7 days' \
         + CASE WHEN request_id LIKE 'more%' THEN -1 ELSE 1 END * interval '10 minutes'";
    server.tables().run(aged).await;
    // What it finds to clear, it clears when it starts.
    let _replica = server.replica().await;
    testkit::eventually("old requests are cleared", Duration::from_secs(5), async || {
        let left = "SELECT count(*), count(sealed_reply) FROM log.requests";
        let left = server.tables().row(left, &[]).await;
        (left.get::<_, i64>(0), left.get::<_, i64>(1)) == (1, 0)
    })
    .await;
    let refusal = tenant.client.keys.create_api_key(young).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
    tenant.create(old).await;
    let names = ["more-than-seven-days", "less-than-seven-days", "more-than-seven-days"];
    assert_eq!(tenant.names(tenant.list()).await, names);
}

#[tokio::test]
async fn a_refused_request_leaves_its_id_unused() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("unused").await;
    let request_id = REQUEST_ID.to_owned();
    let bad = wire::CreateApiKeyRequest { request_id: request_id.clone(), ..tenant.key("") };
    tenant.client.keys.create_api_key(bad).await.refused();
    tenant.create(wire::CreateApiKeyRequest { request_id, ..tenant.key("good") }).await;
}
