//! Spans against a real OTLP collector over gRPC. One program can start telemetry once, so this
//! file is one test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use telemetry::{
    SampleDecision, Telemetry, TelemetryError, TelemetryOptions, TraceParent, continue_trace,
    current_traceparent,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const CALLERS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct Collector(mpsc::UnboundedSender<Vec<ResourceSpans>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner().resource_spans).map_err(|_| Status::internal("gone"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<ResourceSpans>>) {
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

fn options(endpoint: String) -> TelemetryOptions {
    TelemetryOptions {
        log_filter: String::from("error"),
        otlp_endpoint: Some(endpoint),
        sample_ratio: 0.0,
        span_targets: vec![String::from("otlp_export")],
        service_version: String::from("1.2.3"),
        instance_id: String::from("here:1"),
        ..TelemetryOptions::default()
    }
}

/// Makes one span of each kind and answers with the child's place in its trace.
fn work(telemetry: &Telemetry) -> TraceParent {
    let decision = telemetry.sampler().decide(Some(CALLERS));
    let span = tracing::info_span!("grpc.VerifyKey");
    continue_trace(&span, &decision);
    let place = span.in_scope(|| {
        tracing::info_span!("log.append").in_scope(|| {});
        tracing::info_span!(target: "h2::client", "of the transport").in_scope(|| {});
        tracing::debug_span!("too fine").in_scope(|| {});
        current_traceparent(None)
    });
    let root = tracing::info_span!("decided on");
    continue_trace(&root, &SampleDecision::Root);
    root.in_scope(|| {});
    tracing::info_span!("nobody decided").in_scope(|| {});
    place.unwrap().parse().unwrap()
}

#[tokio::test]
async fn sampled_spans_of_our_targets_reach_the_collector_by_shutdown() {
    let (endpoint, mut received) = collector().await;
    let telemetry = Telemetry::start(options(endpoint.clone())).unwrap();
    assert!(matches!(Telemetry::start(options(endpoint)), Err(TelemetryError::AlreadyStarted)));
    let callers: TraceParent = CALLERS.parse().unwrap();
    assert_eq!(telemetry.sampler().decide(None), SampleDecision::Skip);

    let place = work(&telemetry);
    let metrics = telemetry.metrics().clone();
    telemetry.shutdown(Duration::from_secs(10)).await.unwrap();

    let sent = received.try_recv().expect("spans have arrived when shutdown is done");
    let resource = sent[0].resource.as_ref().unwrap();
    let attribute = |key: &str| {
        let found = resource.attributes.iter().find(|attribute| attribute.key == key);
        match found.and_then(|found| found.value.clone()?.value) {
            Some(Value::StringValue(text)) => text,
            other => panic!("{key} is {other:?}"),
        }
    };
    assert_eq!(attribute("service.name"), "keyward");
    assert_eq!(attribute("service.version"), "1.2.3");
    assert_eq!(attribute("service.instance.id"), "here:1");

    let mut spans: Vec<_> = sent[0].scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    spans.sort_by_key(|span| span.name.clone());
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["decided on", "grpc.VerifyKey", "log.append"]);
    assert_eq!(spans[1].trace_id, callers.trace_id());
    assert_eq!(spans[1].parent_span_id, callers.span_id());
    assert_eq!(spans[1].span_id, place.span_id());
    assert_eq!(spans[2].parent_span_id, place.span_id());
    assert!(metrics.render().contains("\nkeyward_spans_exported_total 3\n"));
}
