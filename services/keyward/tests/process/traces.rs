//! Traces leave over OTLP: a collector of ours gets the spans of a sampled call.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::client::{Client, bearer};
use crate::deployment::Deployment;
use crate::rest_beside_the_service::{ask, rest};

const CALLERS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

struct Collector(mpsc::UnboundedSender<Vec<Span>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans).collect();
        self.0.send(spans).map_err(|_| Status::internal("gone"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector: where it listens, and what it gets.
pub(crate) async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<Span>>) {
    let (sender, received) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let service = TraceServiceServer::new(Collector(sender));
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming),
    );
    (endpoint, received)
}

/// Serves, makes one key under a trace of the caller's, stops, and answers with every span sent.
async fn spans_of_a_create(ratio: &str, traceparent: Option<&str>) -> Vec<Span> {
    let (endpoint, mut received) = collector().await;
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let flags = ["--otlp-endpoint", &endpoint, "--trace-sample-ratio", ratio];
    let keyward = deployment.serve(&flags).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let mut request = bearer(&tenant.token, client.plain_key());
    if let Some(parent) = traceparent {
        request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    }
    let key = client.rpc.create_api_key(request).await.unwrap().into_inner().secret;
    client.assert_accepted(&key).await;
    keyward.stop().await;
    let mut spans = Vec::new();
    while let Ok(sent) = received.try_recv() {
        spans.extend(sent);
    }
    spans
}

#[tokio::test]
async fn a_sampled_call_is_traced_from_the_wire_to_the_log() {
    let spans = spans_of_a_create("1", Some(CALLERS)).await;
    let named: HashMap<&str, &Span> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
    let names: Vec<_> = named.keys().collect();
    for name in ["grpc.create_api_key", "grpc.verify_key", "log.append"] {
        assert!(named.contains_key(name), "{name} is not among {names:?}");
    }
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&named["grpc.create_api_key"].trace_id), TRACE);
    assert_eq!(hex(&named["grpc.create_api_key"].parent_span_id), "b7ad6b7169203331");
}

#[tokio::test]
async fn a_call_that_nobody_sampled_is_not_traced() {
    let spans = spans_of_a_create("0", None).await;
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    assert!(!names.iter().any(|name| name.starts_with("grpc.")), "{names:?}");
}

#[tokio::test]
async fn a_call_over_rest_is_one_trace_from_the_gateway_on() {
    let (endpoint, mut received) = collector().await;
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let flags = ["--otlp-endpoint", &endpoint, "--gateway-listen", "127.0.0.1:0"];
    let keyward = deployment.serve(&flags).await;
    let at = rest(&keyward.out()).unwrap();
    let head = format!("GET /v1/workspaces/{}/keys", tenant.workspace);
    let token = format!("{}\r\ntraceparent: {CALLERS}", tenant.token);
    assert_eq!(ask(at, &head, &token, "").0, 200);
    keyward.stop().await;
    let mut spans = Vec::new();
    while let Ok(sent) = received.try_recv() {
        spans.extend(sent);
    }
    let named = |name: &str| {
        let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
        spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {names:?}"))
    };
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (gateways, services) = (named("http.request"), named("grpc.list_api_keys"));
    assert_eq!(hex(&gateways.trace_id), TRACE);
    assert_eq!(hex(&gateways.parent_span_id), "b7ad6b7169203331");
    assert_eq!(services.trace_id, gateways.trace_id);
    assert_eq!(services.parent_span_id, gateways.span_id);
    let told = format!("{:?}", gateways.attributes);
    assert!(told.contains("/v1/workspaces/{workspace_id}/keys"), "{told}");
    assert!(!told.contains(&tenant.workspace), "{told}");
}
