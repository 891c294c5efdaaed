//! Every setting under its one name: as a flag, as a variable and as a member of the TOML file.

use std::net::SocketAddr;
use std::path::PathBuf;

use ::settings::{LogFormat, layered};
use clap::ValueEnum;
use ipnet::IpNet;
use serde::Deserialize;

use super::networks::{network, networks};
use crate::surface::Surface;

/// What `/verify` answers while the service gives no verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyFailMode {
    /// 503: nobody passes.
    #[default]
    Closed,
    /// 200 with empty identity headers and `x-keyward-verdict: none`: whoever presents anything passes.
    Open,
}

layered! {
    /// TOML file with any of these settings; flags and environment win over it.
    #[arg(long, env = "KEYWARD_GATEWAY_CONFIG", value_name = "FILE")]
    config: PathBuf;

    /// Address of the HTTP listener [default: 127.0.0.1:8080]
    #[arg(long, env = "KEYWARD_GATEWAY_LISTEN", value_name = "ADDRESS", help_heading = "Listener")]
    listen: SocketAddr,
    /// Allow a listener without TLS that is not on loopback
    #[arg(long, env = "KEYWARD_GATEWAY_PLAINTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Listener")]
    plaintext: bool,
    /// PEM file with the certificate chain, leaf first
    #[arg(long, env = "KEYWARD_GATEWAY_TLS_CERT", value_name = "FILE", help_heading = "Listener")]
    tls_cert: PathBuf,
    /// PEM file with the private key
    #[arg(long, env = "KEYWARD_GATEWAY_TLS_KEY", value_name = "FILE", help_heading = "Listener")]
    tls_key: PathBuf,
    /// Addresses or networks of proxies whose X-Forwarded-For counts, such as 10.0.0.0/8; several with commas [default: none]
    #[arg(long, env = "KEYWARD_GATEWAY_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network, help_heading = "Listener")]
    #[serde(default, deserialize_with = "networks")]
    trusted_proxy: Vec<IpNet>,
    /// Surfaces to switch off; several with commas
    #[arg(long, env = "KEYWARD_GATEWAY_WITHOUT", value_name = "SURFACE", value_delimiter = ',', help_heading = "Listener")]
    without: Vec<Surface>,
    /// Threads that serve connections [default: one a core]
    #[arg(long, env = "KEYWARD_GATEWAY_THREADS", value_name = "COUNT", help_heading = "Listener")]
    threads: usize,
    /// Connections that may be open at once [default: 10000]
    #[arg(long, env = "KEYWARD_GATEWAY_MAX_CONNECTIONS", value_name = "COUNT", help_heading = "Listener")]
    max_connections: usize,
    /// Connections from one address (IPv6: one /64) that may be open at once; loopback is not counted [default: 1000]
    #[arg(long, env = "KEYWARD_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", help_heading = "Listener")]
    max_connections_per_address: usize,
    /// Requests a second of one address (IPv6: one /64); loopback is not counted, 0 is any number [default: 1000]
    #[arg(long, env = "KEYWARD_GATEWAY_REQUESTS_PER_SECOND", value_name = "COUNT", help_heading = "Listener")]
    requests_per_second: u32,
    /// After how long a connection is ended, give or take a tenth, in milliseconds; requests under way have --timeout-ms and --drain-ms to finish [default: 3600000]
    #[arg(long, env = "KEYWARD_GATEWAY_MAX_CONNECTION_AGE_MS", value_name = "MS", help_heading = "Listener")]
    max_connection_age_ms: u64,
    /// Origins, such as https://app.example.com, whose pages may ask from a browser; several with commas [default: none]
    #[arg(long, env = "KEYWARD_GATEWAY_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', help_heading = "Listener")]
    cors_origin: Vec<String>,
    /// How long requests may go on after a signal to stop, in milliseconds [default: 10000]
    #[arg(long, env = "KEYWARD_GATEWAY_DRAIN_MS", value_name = "MS", help_heading = "Listener")]
    drain_ms: u64,

    /// Host and port of the service's gRPC [default: 127.0.0.1:50051]
    #[arg(long, env = "KEYWARD_GATEWAY_SERVICE", value_name = "ADDRESS", help_heading = "Service")]
    service: String,
    /// PEM file with the roots that the service's certificate must lead to; turns TLS on
    #[arg(long, env = "KEYWARD_GATEWAY_SERVICE_CA", value_name = "FILE", help_heading = "Service")]
    service_ca: PathBuf,
    /// PEM file with the gateway's own certificate (mutual TLS)
    #[arg(long, env = "KEYWARD_GATEWAY_SERVICE_CERT", value_name = "FILE", help_heading = "Service")]
    service_cert: PathBuf,
    /// PEM file with the key of that certificate
    #[arg(long, env = "KEYWARD_GATEWAY_SERVICE_KEY", value_name = "FILE", help_heading = "Service")]
    service_key: PathBuf,
    /// Name that the service's certificate must have [default: the host]
    #[arg(long, env = "KEYWARD_GATEWAY_SERVICE_NAME", value_name = "NAME", help_heading = "Service")]
    service_name: String,
    /// File (mode 0600) with a secret that the service has, too: shows it that the client's address is a gateway's word
    #[arg(long, env = "KEYWARD_GATEWAY_SECRET_FILE", value_name = "FILE", help_heading = "Service")]
    gateway_secret_file: PathBuf,
    /// How long a call may take, streams aside, in milliseconds [default: 5000]
    #[arg(long, env = "KEYWARD_GATEWAY_TIMEOUT_MS", value_name = "MS", help_heading = "Service")]
    timeout_ms: u64,

    /// File (mode 0600) with a service credential that may verify: turns /verify on
    #[arg(long, env = "KEYWARD_GATEWAY_VERIFY_CREDENTIAL_FILE", value_name = "FILE", help_heading = "Surfaces")]
    verify_credential_file: PathBuf,
    /// How long /verify waits for a verdict, in milliseconds; less than the proxy waits for /verify [default: 200]
    #[arg(long, env = "KEYWARD_GATEWAY_VERIFY_TIMEOUT_MS", value_name = "MS", help_heading = "Surfaces")]
    verify_timeout_ms: u64,
    /// Header that /verify takes a key from, besides Authorization and X-Api-Key
    #[arg(long, env = "KEYWARD_GATEWAY_VERIFY_HEADER", value_name = "NAME", help_heading = "Surfaces")]
    verify_header: String,
    /// File (mode 0600) with a service credential that may make workspaces: lets whoever asks make one at
    /// Velt's /v2/workspace/create
    #[arg(long, env = "KEYWARD_GATEWAY_VELT_WORKSPACE_CREDENTIAL_FILE", value_name = "FILE", help_heading = "Surfaces")]
    velt_workspace_credential_file: PathBuf,
    /// Workspaces an hour that one address (IPv6: one /64; loopback too) may so make [default: 5]
    #[arg(long, env = "KEYWARD_GATEWAY_VELT_WORKSPACES_PER_HOUR", value_name = "COUNT", help_heading = "Surfaces")]
    velt_workspaces_per_hour: u32,
    /// What /verify answers while the service gives no verdicts: 503, or 200 that says who it is not [default: closed]
    #[arg(long, env = "KEYWARD_GATEWAY_VERIFY_FAIL_MODE", value_name = "MODE", help_heading = "Surfaces")]
    verify_fail_mode: VerifyFailMode,
    /// Text of the member `version` in SlaunchX's answers [default: 1.3.0]
    #[arg(long, env = "KEYWARD_GATEWAY_SLAUNCHX_VERSION", value_name = "TEXT", help_heading = "Surfaces")]
    slaunchx_version: String,

    /// Log each request [default: true]
    #[arg(long, env = "KEYWARD_GATEWAY_ACCESS_LOG", value_name = "BOOL", help_heading = "Telemetry")]
    access_log: bool,
    /// How logs are written [default: auto]
    #[arg(long, env = "KEYWARD_GATEWAY_LOG_FORMAT", value_name = "FORMAT", help_heading = "Telemetry")]
    log_format: LogFormat,
    /// What is logged, as tracing directives [default: info]
    #[arg(long, env = "KEYWARD_GATEWAY_LOG", value_name = "DIRECTIVES", help_heading = "Telemetry")]
    log: String,
    /// OTLP/gRPC endpoint for traces, such as http://127.0.0.1:4317 [default: none]
    #[arg(long, env = "KEYWARD_GATEWAY_OTLP_ENDPOINT", value_name = "URL", help_heading = "Telemetry")]
    otlp_endpoint: String,
    /// Share of requests traced that nobody else decided on, 0 to 1 [default: 0.01]
    #[arg(long, env = "KEYWARD_GATEWAY_TRACE_SAMPLE_RATIO", value_name = "RATIO", help_heading = "Telemetry")]
    trace_sample_ratio: f64,
    /// Address of the Prometheus listener, on loopback [default: 127.0.0.1:9465]
    #[arg(long, env = "KEYWARD_GATEWAY_METRICS_LISTEN", value_name = "ADDRESS", help_heading = "Telemetry")]
    metrics_listen: SocketAddr,
    /// Offer no metrics
    #[arg(long, env = "KEYWARD_GATEWAY_NO_METRICS", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Telemetry")]
    no_metrics: bool,
}
