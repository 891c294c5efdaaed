//! Verdicts that wait are given up at the caller's deadline, and say so.

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::consistency::Requirement;
use api::v1::{BatchVerifyKeysRequest, Consistency, ErrorReason, VerifyKeyRequest};
use futures_util::stream;
use harness::{Refusal, Refused, Server, Tenant};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tonic::Request;
use tonic::body::Body;
use tonic::codegen::http::Uri;
use tonic::codegen::http::uri::PathAndQuery;

/// Not tonic's client, which would give up by itself.
fn patient(server: &Server) -> (Client<HttpConnector, Body>, Uri) {
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    (client, format!("http://{}", server.address()).parse().unwrap())
}

fn with_deadline<M>(tenant: &Tenant, deadline: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    let credential = format!("Bearer {}", tenant.token);
    request.metadata_mut().insert("authorization", credential.parse().unwrap());
    request.metadata_mut().insert("grpc-timeout", deadline.parse().unwrap());
    request
}

#[tokio::test]
async fn a_verdict_whose_message_does_not_come_in_time_is_late() {
    let server = Server::shared().await;
    let tenant = server.workspace("slow").await;
    for path in [
        "/keyward.v1.ApiKeyService/VerifyKey",
        "/keyward.v1.ApiKeyService/BatchVerifyKeys",
        "/keyward.v1.ApiKeyService/GetConfig",
    ] {
        let (client, origin) = patient(&server);
        let mut grpc = tonic::client::Grpc::with_origin(client, origin);
        grpc.ready().await.unwrap();
        let never = with_deadline(&tenant, "50m", stream::pending::<VerifyKeyRequest>());
        let codec = tonic_prost::ProstCodec::<VerifyKeyRequest, VerifyKeyRequest>::default();
        let answered = grpc.streaming(never, PathAndQuery::from_static(path), codec).await;
        let refusal = Refusal::of(&answered.unwrap_err());
        assert_eq!(refusal.reason, ErrorReason::DeadlineExceeded, "{path}");
    }
}

#[tokio::test]
async fn a_verdict_that_waits_for_its_token_past_the_deadline_is_late() {
    let server = Server::shared().await;
    let tenant = server.workspace("ahead").await;
    let made = tenant.create_key("key").await;
    let (log, _) = made.consistency_token.split_once('.').unwrap();
    let requirement = Some(Requirement::AtLeast(format!("{log}.{}", u64::MAX / 4)));
    let ahead = VerifyKeyRequest {
        key: made.secret.clone(),
        consistency: Some(Consistency { requirement }),
        ..VerifyKeyRequest::default()
    };
    let (client, origin) = patient(&server);
    let mut keys = ApiKeyServiceClient::with_origin(client, origin);
    let late = keys.verify_key(with_deadline(&tenant, "5m", ahead.clone())).await.refused();
    assert_eq!(late.reason, ErrorReason::DeadlineExceeded);
    let batch = BatchVerifyKeysRequest { requests: vec![ahead.clone()] };
    let late = keys.batch_verify_keys(with_deadline(&tenant, "5m", batch)).await.refused();
    assert_eq!(late.reason, ErrorReason::DeadlineExceeded);
    let waited = keys.verify_key(with_deadline(&tenant, "9S", ahead)).await.refused();
    assert_eq!(waited.reason, ErrorReason::ConsistencyTokenNotReached);
}
