//! Spans leave by OTLP over gRPC, from a thread and a runtime of their own, so that exporting
//! never waits for, nor takes time from, the runtimes that answer requests.
//!
//! A collector that is away costs lost spans, one warning when it goes and one line when it is
//! back; it never costs a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::error::TelemetryError;
use crate::metrics::{HotCounter, Metrics};
use crate::options::TelemetryOptions;
use crate::propagation::ExportSampler;

/// The longest that one batch may take, connecting and retries included.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much longer than asked `finish` waits for the flushing thread to say that it gave up.
const FLUSH_GRACE: Duration = Duration::from_millis(250);

/// The export of spans while it runs. Dropping it ends its thread and loses what was not flushed.
#[derive(Debug)]
pub(crate) struct SpanExport {
    provider: SdkTracerProvider,
    outcome: Arc<Outcome>,
    _running: oneshot::Sender<()>,
}

impl SpanExport {
    /// Starts exporting to `endpoint`; the connection is made with the first batch.
    pub(crate) fn start(
        endpoint: &str,
        options: &TelemetryOptions,
        metrics: &Metrics,
    ) -> Result<Self, TelemetryError> {
        check_endpoint(endpoint)?;
        let (running, handle) = start_runtime().map_err(TelemetryError::Thread)?;
        let wire = {
            let _inside = handle.enter();
            opentelemetry_otlp::SpanExporter::builder()
                .with_tonic()
                .with_endpoint(endpoint)
                .with_timeout(EXPORT_TIMEOUT)
                .build()
                .map_err(TelemetryError::Exporter)?
        };
        let outcome = Arc::new(Outcome::new(metrics));
        let exporter = WatchedExporter {
            wire: Arc::new(wire),
            runtime: handle,
            outcome: Arc::clone(&outcome),
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(ExportSampler::new(options.sample_ratio))
            .with_resource(resource(options))
            .build();
        Ok(SpanExport { provider, outcome, _running: running })
    }

    /// What the tracing layer makes spans with.
    pub(crate) fn tracer(&self, service_name: &str) -> SdkTracer {
        self.provider.tracer(service_name.to_owned())
    }

    /// Sends what is waiting and stops; takes at most about `within`.
    pub(crate) async fn finish(self, within: Duration) -> Result<(), TelemetryError> {
        let (done, stopped) = oneshot::channel();
        let provider = self.provider.clone();
        // The SDK's shutdown blocks, so it gets a thread: the caller's runtime may have one only.
        thread::Builder::new()
            .name(String::from("telemetry-flush"))
            .spawn(move || done.send(provider.shutdown_with_timeout(within)))
            .map_err(TelemetryError::Thread)?;
        match tokio::time::timeout(within + FLUSH_GRACE, stopped).await {
            Ok(Ok(Ok(()))) if !self.outcome.failing.load(Ordering::Acquire) => Ok(()),
            Ok(Ok(Ok(()))) => Err(TelemetryError::Flush(String::from("the last export failed"))),
            Ok(Ok(Err(OTelSdkError::InternalFailure(what)))) if !what.contains("Timeout") => {
                Err(TelemetryError::Flush(what))
            }
            Ok(_) | Err(_) => Err(TelemetryError::FlushTimeout(within)),
        }
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), TelemetryError> {
    let refused = || TelemetryError::Endpoint(endpoint.to_owned());
    let uri: http::Uri = endpoint.parse().map_err(|_| refused())?;
    let plain = uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty());
    if plain { Ok(()) } else { Err(refused()) }
}

fn resource(options: &TelemetryOptions) -> Resource {
    Resource::builder()
        .with_service_name(options.service_name.clone())
        .with_attribute(KeyValue::new("service.version", options.service_version.clone()))
        .with_attribute(KeyValue::new("service.instance.id", options.instance_id.clone()))
        .build()
}

/// Starts the thread that drives the connection; it ends when the sender is dropped.
fn start_runtime() -> io::Result<(oneshot::Sender<()>, Handle)> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (running, stopped) = oneshot::channel::<()>();
    thread::Builder::new()
        .name(String::from("telemetry-export"))
        .spawn(move || runtime.block_on(stopped))?;
    Ok((running, handle))
}

/// How exporting goes, as last seen.
#[derive(Debug)]
struct Outcome {
    failing: AtomicBool,
    exported: HotCounter,
    lost: HotCounter,
}

impl Outcome {
    fn new(metrics: &Metrics) -> Self {
        let (exported, lost) = ("keyward_spans_exported_total", "keyward_spans_lost_total");
        metrics.describe_counter(exported, "Spans that the collector accepted.");
        metrics.describe_counter(lost, "Spans that the collector did not accept.");
        Outcome {
            failing: AtomicBool::new(false),
            exported: metrics.hot_counter(exported, &[]),
            lost: metrics.hot_counter(lost, &[]),
        }
    }

    fn record(&self, spans: u64, result: &OTelSdkResult) {
        let failing = result.is_err();
        let before = self.failing.swap(failing, Ordering::AcqRel);
        match result {
            Ok(()) => self.exported.add(spans),
            Err(_) => self.lost.add(spans),
        }
        match result {
            Err(error) if !before => tracing::warn!(%error, spans, "spans are not exported"),
            Ok(()) if before => tracing::info!("spans are exported again"),
            Ok(()) | Err(_) => {}
        }
    }
}

/// The OTLP exporter, run on our runtime, held to a time, and watched.
#[derive(Debug)]
struct WatchedExporter {
    wire: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
    outcome: Arc<Outcome>,
}

impl SpanExporter for WatchedExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let wire = Arc::clone(&self.wire);
        // The SDK's thread knows no runtime; its time-outs and retries need one.
        let sending = self
            .runtime
            .spawn(async move { tokio::time::timeout(EXPORT_TIMEOUT, wire.export(batch)).await });
        let result = match sending.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(OTelSdkError::Timeout(EXPORT_TIMEOUT)),
            Err(stopped) => Err(OTelSdkError::InternalFailure(stopped.to_string())),
        };
        self.outcome.record(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.wire.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Called before the first export, while nobody else holds the exporter.
        if let Some(wire) = Arc::get_mut(&mut self.wire) {
            wire.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_endpoints_are_taken() {
        for good in ["http://127.0.0.1:4317", "http://collector:4317", "http://[::1]:4317"] {
            assert!(check_endpoint(good).is_ok(), "{good}");
        }
        for bad in ["", "collector:4317", "https://collector:4317", "grpc://a:1", "http://", "/x"] {
            let refused = check_endpoint(bad);
            assert!(matches!(refused, Err(TelemetryError::Endpoint(_))), "{bad}");
        }
    }
}
