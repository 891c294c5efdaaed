//! The start and the end of telemetry in a program. What is logged, traced and counted is decided
//! by those who do it.

use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::TelemetryError;
use crate::export::SpanExport;
use crate::logs;
use crate::metrics::Metrics;
use crate::options::TelemetryOptions;
use crate::sampler::Sampler;

/// Telemetry while it runs.
///
/// Logs and metrics belong to the whole program and outlive this value. Spans that wait for export
/// are lost unless [`shutdown`](Telemetry::shutdown) is called.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    sampler: Sampler,
    spans: Option<SpanExport>,
}

impl Telemetry {
    /// Installs logging and metrics for the whole program and, with an endpoint, starts exporting
    /// spans. Needs no runtime around it. A program calls it once.
    ///
    /// # Errors
    /// For a setting that cannot be used, and [`TelemetryError::AlreadyStarted`] or
    /// [`TelemetryError::RecorderTaken`] when someone was first; nothing has changed then but that
    /// metrics may have been installed.
    pub fn start(options: TelemetryOptions) -> Result<Self, TelemetryError> {
        let ratio_sampler = Sampler::new(options.sample_ratio)?;
        let lines = logs::layer(options.log_format, &options.log_filter)?;
        if tracing::dispatcher::has_been_set() {
            return Err(TelemetryError::AlreadyStarted);
        }
        let metrics = Metrics::global()?;
        let spans = match &options.otlp_endpoint {
            Some(endpoint) => Some(SpanExport::start(endpoint, &options, &metrics)?),
            None => None,
        };
        let layer = spans.as_ref().map(|spans| {
            // Location, threads and activity times are left out: each costs on every span.
            tracing_opentelemetry::layer()
                .with_tracer(spans.tracer(&options.service_name))
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_context_activation(false)
                .with_filter(ours(&options.span_targets))
        });
        tracing_subscriber::registry()
            .with(layer)
            .with(lines)
            .try_init()
            .map_err(|_| TelemetryError::AlreadyStarted)?;
        metrics.set_build_info(&options.service_name, &options.service_version);
        let sampler = if spans.is_some() { ratio_sampler } else { Sampler::off() };
        Ok(Telemetry { metrics, sampler, spans })
    }

    /// Telemetry for a test: no logging is installed, nothing is exported or sampled, metrics are
    /// the program's. May be called any number of times, and never fails.
    pub fn for_tests() -> Self {
        let metrics = Metrics::global().unwrap_or_else(|_| Metrics::apart());
        metrics.set_build_info("keyward", "test");
        Telemetry { metrics, sampler: Sampler::off(), spans: None }
    }

    /// The metrics of this program.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The sampler to ask before a request's span is made. Without an endpoint it is
    /// [`Sampler::off`].
    pub fn sampler(&self) -> Sampler {
        self.sampler
    }

    /// Sends the spans that are waiting and stops exporting, in at most about `within`. Spans that
    /// have not ended by then are not among them. Needs tokio's time driver.
    ///
    /// # Errors
    /// [`TelemetryError::FlushTimeout`] or [`TelemetryError::Flush`]: the spans are lost, nothing
    /// else is.
    pub async fn shutdown(self, within: Duration) -> Result<(), TelemetryError> {
        match self.spans {
            Some(spans) => spans.finish(within).await,
            None => Ok(()),
        }
    }
}

/// Lets through what our own targets say, from INFO up. Fixed lists are answered once per call
/// site, so that the transport's own spans cost nothing.
fn ours(prefixes: &[String]) -> Targets {
    Targets::new().with_targets(prefixes.iter().map(|prefix| (prefix.as_str(), LevelFilter::INFO)))
}
