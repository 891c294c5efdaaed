//! What can go wrong while telemetry starts, serves or stops; nothing here fails a request.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why telemetry did not start, serve or flush. Causes are in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// A subscriber is installed in this program already; the first one stays.
    #[error("logging was started already in this program")]
    AlreadyStarted,
    /// Another recorder of the `metrics` facade was installed by someone else.
    #[error("another metrics recorder is installed in this program")]
    RecorderTaken,
    /// The log filter is not a list of directives such as `info,eventlog=debug`.
    #[error("the log filter {filter:?} is not a list of directives like `info,eventlog=debug`")]
    LogFilter {
        /// What was given.
        filter: String,
        /// What the parser said.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The share of traces to sample is not a number from 0 to 1.
    #[error("the sample ratio {0} is not between 0 and 1")]
    SampleRatio(f64),
    /// The OTLP endpoint is not `http://host:port`.
    #[error(
        "the OTLP endpoint {0:?} is not of the form http://host:port; for a collector behind \
         TLS, send to one on this host and let it forward"
    )]
    Endpoint(String),
    /// The OTLP exporter refused its settings.
    #[error("the OTLP exporter could not be built")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// A thread or runtime of telemetry could not be started.
    #[error("telemetry could not start its background thread")]
    Thread(#[source] io::Error),
    /// The metrics address is reachable from other machines.
    #[error("metrics are served in the clear and so on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The metrics address could not be bound.
    #[error("metrics could not listen on {address}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Spans were still waiting when the time for flushing was over; they are lost.
    #[error("spans were not flushed within {0:?}")]
    FlushTimeout(Duration),
    /// The collector did not take the last spans; they are lost.
    #[error("the last spans were not accepted by the collector: {0}")]
    Flush(String),
}
