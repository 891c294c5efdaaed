//! Messages that are too large or that can't be decoded, and methods that are not there.

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::{self as wire, ErrorReason};
use harness::{Refusal, Refused, Server, Tenant};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

/// A message whose first field is bytes where text must be.
#[derive(Clone, PartialEq, prost::Message)]
struct Bytes {
    #[prost(bytes = "vec", tag = "1")]
    first: Vec<u8>,
}

/// A message whose first field is a number where text must be.
#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    first: u64,
}

/// Sends any message to any path.
async fn send<M: prost::Message + Default + 'static>(
    server: &Server,
    tenant: &Tenant,
    path: &'static str,
    message: M,
) -> Status {
    let mut grpc = tonic::client::Grpc::new(server.channel().clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(message);
    let credential = format!("Bearer {}", tenant.token).parse().unwrap();
    request.metadata_mut().insert("authorization", credential);
    let codec = tonic_prost::ProstCodec::<M, Number>::default();
    grpc.unary(request, PathAndQuery::from_static(path), codec).await.unwrap_err()
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_malformed() {
    let server = Server::shared().await;
    let tenant = server.workspace("bytes").await;
    let events = server.tables().events_of(&tenant.id).await;
    for path in [
        "/keyward.v1.ApiKeyService/CreateApiKey",
        "/keyward.v1.ApiKeyService/VerifyKey",
        "/keyward.v1.WorkspaceService/GetWorkspace",
    ] {
        let status = send(&server, &tenant, path, Bytes { first: vec![0xff, 0xfe] }).await;
        assert_eq!(Refusal::of(&status).reason, ErrorReason::MessageMalformed, "{path}");
        let status = send(&server, &tenant, path, Number { first: u64::MAX }).await;
        assert_eq!(Refusal::of(&status).reason, ErrorReason::MessageMalformed, "{path}");
    }
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn a_message_of_65_kib_is_too_large_where_no_list_of_addresses_is_taken() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("large").await;
    let id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let events = server.tables().events_of(&tenant.id).await;
    let large = "x".repeat(65 * 1024);
    let asked = wire::RevokeApiKeyRequest { reason_text: large.clone(), ..tenant.revoke(&id) };
    let refusal = tenant.client.keys.revoke_api_key(asked).await.refused();
    assert_eq!(refusal.reason, ErrorReason::MessageTooLarge);
    let asked = wire::ListApiKeysRequest { name_prefix: large, ..tenant.list() };
    let refusal = tenant.client.keys.list_api_keys(asked).await.refused();
    assert_eq!(refusal.reason, ErrorReason::MessageTooLarge);
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn ten_thousand_addresses_fit_and_more_than_a_mebibyte_does_not() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("addresses").await;
    let ip_allowlist = (0..10_000).map(|n| format!("2001:db8::{n:x}")).collect();
    let request = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("many") };
    assert_eq!(tenant.create(request).await.api_key.unwrap().ip_allowlist.len(), 10_000);
    let events = server.tables().events_of(&tenant.id).await;
    let huge =
        wire::CreateApiKeyRequest { description: "x".repeat(1_100_000), ..tenant.key("huge") };
    let refusal = tenant.client.keys.create_api_key(huge).await.refused();
    assert_eq!(refusal.reason, ErrorReason::MessageTooLarge);
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn a_method_that_is_not_there_is_unknown() {
    let server = Server::shared().await;
    let tenant = server.workspace("unknown").await;
    for path in [
        "/keyward.v1.ApiKeyService/RotateApiKeyTwice",
        "/keyward.v1.NoSuchService/GetApiKey",
        "/nothing",
    ] {
        let status = send(&server, &tenant, path, Number { first: 1 }).await;
        assert_eq!(Refusal::of(&status).reason, ErrorReason::MethodUnknown, "{path}");
    }
}

#[tokio::test]
async fn a_deadline_that_cannot_be_kept_is_exceeded() {
    let server = Server::start().await;
    let tenant = server.workspace("late").await;
    // The head is locked, so that no append can finish before the deadline.
    let mut other = server.tables().connect().await;
    let lock = other.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM log.head FOR UPDATE", &[]).await.unwrap();
    // Not by tonic's client, which would give up by itself.
    let patient = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let origin = format!("http://{}", server.address()).parse().unwrap();
    let mut keys = ApiKeyServiceClient::with_origin(patient, origin);
    let mut request = Request::new(tenant.key("late"));
    request.metadata_mut().insert("grpc-timeout", "100m".parse().unwrap());
    let credential = format!("Bearer {}", tenant.token).parse().unwrap();
    request.metadata_mut().insert("authorization", credential);
    let refusal = keys.create_api_key(request).await.refused();
    assert_eq!(refusal.reason, ErrorReason::DeadlineExceeded);
    lock.rollback().await.unwrap();
    testkit::eventually("the change goes on", std::time::Duration::from_secs(5), async || {
        tenant.names(tenant.list()).await == ["late"]
    })
    .await;
}
