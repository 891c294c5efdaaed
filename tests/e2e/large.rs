//! Large messages: whose are read at all, and how large which RPC takes them.

use api::v1::{self as wire, BatchVerifyKeysRequest, ErrorReason, VerifyKeyRequest};
use futures_util::stream;
use harness::{Client, Credentials, Refusal, Refused, Server};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

const KIB: usize = 1024;

/// A message that begins like all of ours: with a text.
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    first: String,
}

fn request<M>(message: M, metadata: &[(&'static str, &str)]) -> Request<M> {
    let mut request = Request::new(message);
    for &(name, value) in metadata {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    request
}

/// Begins a call, and never sends its message.
async fn begin(server: &Server, path: &'static str, metadata: &[(&'static str, &str)]) -> Status {
    let mut grpc = tonic::client::Grpc::new(server.channel().clone());
    grpc.ready().await.unwrap();
    let never = request(stream::pending::<Text>(), metadata);
    let codec = tonic_prost::ProstCodec::<Text, Text>::default();
    grpc.streaming(never, PathAndQuery::from_static(path), codec).await.unwrap_err()
}

/// Sends a text of this many bytes.
async fn send(
    server: &Server,
    path: &'static str,
    bytes: usize,
    metadata: &[(&'static str, &str)],
) -> Refusal {
    let mut grpc = tonic::client::Grpc::new(server.channel().clone());
    grpc.ready().await.unwrap();
    let text = request(Text { first: "x".repeat(bytes) }, metadata);
    let codec = tonic_prost::ProstCodec::<Text, Text>::default();
    let answered = grpc.unary(text, PathAndQuery::from_static(path), codec).await;
    Refusal::of(&answered.unwrap_err())
}

fn batch(sizes: impl IntoIterator<Item = usize>) -> BatchVerifyKeysRequest {
    let each =
        |bytes| VerifyKeyRequest { user_agent: "x".repeat(bytes), ..VerifyKeyRequest::default() };
    BatchVerifyKeysRequest { requests: sizes.into_iter().map(each).collect() }
}

#[tokio::test]
async fn a_message_that_may_be_large_is_not_read_before_its_caller_is_known() {
    let server = Server::shared().await;
    for path in
        ["/keyward.v1.ApiKeyService/CreateApiKey", "/keyward.v1.ApiKeyService/BatchVerifyKeys"]
    {
        let refusal = Refusal::of(&begin(&server, path, &[]).await);
        assert_eq!(refusal.reason, ErrorReason::CredentialMissing, "{path}");
        let unknown = [("authorization", "Bearer nonsense")];
        let refusal = Refusal::of(&begin(&server, path, &unknown).await);
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid, "{path}");
        let refusal = send(&server, path, 200 * KIB, &[]).await;
        assert_eq!(refusal.reason, ErrorReason::CredentialMissing, "{path}");
    }
}

#[tokio::test]
async fn no_other_message_may_be_larger_than_64_kib_in_any_encoding() {
    let server = Server::shared().await;
    let tenant = server.workspace("large").await;
    let credential = format!("Bearer {}", tenant.token);
    let plain = [("authorization", credential.as_str())];
    let named = [plain[0], ("grpc-encoding", "identity")];
    for path in [
        "/keyward.v1.ApiKeyService/GetConfig",
        "/keyward.v1.ApiKeyService/VerifyKey",
        "/keyward.v1.WorkspaceService/CreateServiceCredential",
        "/grpc.health.v1.Health/Check",
    ] {
        for metadata in [&plain[..], &named, &[]] {
            let refusal = send(&server, path, 65 * KIB, metadata).await;
            assert_eq!(refusal.reason, ErrorReason::MessageTooLarge, "{path}, {metadata:?}");
        }
    }
}

#[tokio::test]
async fn a_batch_may_have_a_mebibyte_and_each_of_its_requests_64_kib() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("batches").await;
    let keys = &mut tenant.client.keys;
    let answered = keys.batch_verify_keys(batch([60 * KIB; 17])).await;
    assert_eq!(answered.unwrap().into_inner().verdicts.len(), 17);
    let refusal = keys.batch_verify_keys(batch([1, 1, 65 * KIB, 1])).await.refused();
    assert!(refusal.is_field("requests[2]"), "{refusal:?}");
    let refusal = keys.batch_verify_keys(batch([60 * KIB; 18])).await.refused();
    assert_eq!(refusal.reason, ErrorReason::MessageTooLarge);
    let refusal = keys.batch_verify_keys(batch(std::iter::repeat_n(0, 300 * KIB))).await.refused();
    assert!(refusal.is_field("requests"), "{refusal:?}");
}

#[tokio::test]
async fn a_large_message_of_somebody_who_may_not_is_refused_like_a_small_one() {
    let server = Server::shared().await;
    let tenant = server.workspace("large").await;
    let ip_allowlist = (0..10_000).map(|n| format!("2001:db8::{n:x}")).collect();
    let asked = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("many") };
    let nobody = Client::new(server.channel(), &Credentials::none());
    let refusal = nobody.keys.clone().create_api_key(asked.clone()).await.refused();
    assert_eq!(refusal.reason, ErrorReason::CredentialMissing);
    let refusal = server.operator.keys.clone().create_api_key(asked).await.refused();
    assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
}
