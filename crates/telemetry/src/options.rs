//! The settings of telemetry, as values. Where they come from (flags, environment, files) is not
//! known here.

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
    /// [`Text`](LogFormat::Text) when standard error is a terminal, else [`Json`](LogFormat::Json).
    #[default]
    Auto,
}

/// The settings of [`Telemetry::start`](crate::Telemetry::start).
#[derive(Clone, Debug)]
pub struct TelemetryOptions {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which events and spans are logged: directives such as `info,eventlog=debug`.
    pub log_filter: String,
    /// Where spans are sent by OTLP over gRPC, as `http://host:port`; `None` exports nothing, and
    /// then no request is ever sampled.
    pub otlp_endpoint: Option<String>,
    /// The share of traces, 0 to 1, that are sampled when the caller has not decided.
    pub sample_ratio: f64,
    /// Which spans are exported: those whose target starts with one of these. The transport's own
    /// spans (h2, hyper, tonic) must not be among them; they cost most of the throughput.
    pub span_targets: Vec<String>,
    /// The service's name, for example `keyward`.
    pub service_name: String,
    /// The service's version, for example `0.1.0`.
    pub service_version: String,
    /// What tells this instance from its siblings, for example a host name and port.
    pub instance_id: String,
}

impl Default for TelemetryOptions {
    fn default() -> Self {
        TelemetryOptions {
            log_format: LogFormat::Auto,
            log_filter: String::from("info"),
            otlp_endpoint: None,
            sample_ratio: 0.01,
            span_targets: Vec::new(),
            service_name: String::from("keyward"),
            service_version: String::from("unknown"),
            instance_id: String::from("unknown"),
        }
    }
}
