//! Every setting under its one name: as a flag, as a variable and as a member of the TOML file.

use std::net::SocketAddr;
use std::path::PathBuf;

use ::settings::{LogFormat, layered};
use gateway::config::{IpNet, network, networks};
use secrecy::SecretString;

layered! {
    /// TOML file with any of these settings; flags and environment win over it.
    #[arg(long, global = true, env = "KEYWARD_CONFIG", value_name = "FILE")]
    config: PathBuf;

    /// Address of the gRPC listener [default: 127.0.0.1:50051]
    #[arg(long, global = true, env = "KEYWARD_LISTEN", value_name = "ADDRESS", help_heading = "Listener")]
    listen: SocketAddr,
    /// Allow a listener without TLS that is not on loopback
    #[arg(long, global = true, env = "KEYWARD_PLAINTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Listener")]
    plaintext: bool,
    /// PEM file with the certificate chain, leaf first
    #[arg(long, global = true, env = "KEYWARD_TLS_CERT", value_name = "FILE", help_heading = "Listener")]
    tls_cert: PathBuf,
    /// PEM file with the private key
    #[arg(long, global = true, env = "KEYWARD_TLS_KEY", value_name = "FILE", help_heading = "Listener")]
    tls_key: PathBuf,
    /// PEM file with the roots that client certificates must lead to (mutual TLS)
    #[arg(long, global = true, env = "KEYWARD_TLS_CLIENT_CA", value_name = "FILE", help_heading = "Listener")]
    tls_client_ca: PathBuf,
    /// Threads that serve connections [default: one a core]
    #[arg(long, global = true, env = "KEYWARD_SERVING_THREADS", value_name = "COUNT", help_heading = "Listener")]
    serving_threads: usize,
    /// Connections that may be open at once [default: 10000]
    #[arg(long, global = true, env = "KEYWARD_MAX_CONNECTIONS", value_name = "COUNT", help_heading = "Listener")]
    max_connections: usize,
    /// Connections from one address (IPv6: one /64) that may be open at once; loopback is not counted [default: 1000]
    #[arg(long, global = true, env = "KEYWARD_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", help_heading = "Listener")]
    max_connections_per_address: usize,
    /// After how long without a new call a connection is ended, in milliseconds [default: 900000]
    #[arg(long, global = true, env = "KEYWARD_CONNECTION_IDLE_MS", value_name = "MS", help_heading = "Listener")]
    connection_idle_ms: u64,
    /// After how long a connection is ended, give or take a tenth, in milliseconds; calls under way finish [default: 3600000]
    #[arg(long, global = true, env = "KEYWARD_CONNECTION_AGE_MS", value_name = "MS", help_heading = "Listener")]
    connection_age_ms: u64,
    /// Management calls that may be under way at once; verdicts are not among them [default: 1024]
    #[arg(long, global = true, env = "KEYWARD_MAX_MANAGEMENT_CALLS", value_name = "COUNT", help_heading = "Listener")]
    max_management_calls: usize,
    /// Keys that there are not which a caller may ask for in a minute, before that is refused; keys that there are stay unaffected; 0 for no limit [default: 6000]
    #[arg(long, global = true, env = "KEYWARD_GUESS_LIMIT_PER_MINUTE", value_name = "COUNT", help_heading = "Listener")]
    guess_limit_per_minute: u32,
    /// Offer server reflection [default: true, false with --production]
    #[arg(long, global = true, env = "KEYWARD_REFLECTION", value_name = "BOOL", help_heading = "Listener")]
    reflection: bool,
    /// How long calls may go on after a signal to stop, in milliseconds [default: 10000]
    #[arg(long, global = true, env = "KEYWARD_DRAIN_MS", value_name = "MS", help_heading = "Listener")]
    drain_ms: u64,
    /// Address of the REST gateway beside the service [default: 127.0.0.1:8080 with the private Postgres, else none]
    #[arg(long, global = true, env = "KEYWARD_GATEWAY_LISTEN", value_name = "ADDRESS", help_heading = "Listener")]
    gateway_listen: SocketAddr,
    /// Addresses or networks of proxies in front of that gateway whose X-Forwarded-For counts; several with commas [default: none]
    #[arg(long, global = true, env = "KEYWARD_GATEWAY_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network, help_heading = "Listener")]
    #[serde(default, deserialize_with = "networks")]
    gateway_trusted_proxy: Vec<IpNet>,
    /// Start no REST gateway beside the service
    #[arg(long, global = true, env = "KEYWARD_NO_GATEWAY", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Listener")]
    no_gateway: bool,

    /// Header that a key is in, besides Authorization, where Envoy asks by ext_authz [default: x-api-key]
    #[arg(long, global = true, env = "KEYWARD_EXT_AUTHZ_HEADER", value_name = "NAME", help_heading = "Envoy")]
    ext_authz_header: String,
    /// What the six headers begin with that name a key to the backend behind Envoy [default: x-]
    #[arg(long, global = true, env = "KEYWARD_EXT_AUTHZ_PREFIX", value_name = "TEXT", help_heading = "Envoy")]
    ext_authz_prefix: String,
    /// Take the client's address from x-envoy-external-address; only where Envoy sets it itself on every request [default: the other end of the connection to Envoy]
    #[arg(long, global = true, env = "KEYWARD_EXT_AUTHZ_EXTERNAL_ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Envoy")]
    ext_authz_external_address: bool,

    /// Postgres URL; without it Keyward runs a private Postgres of its own
    #[arg(long, global = true, env = "KEYWARD_DATABASE_URL", value_name = "URL", hide_env_values = true, help_heading = "Database")]
    database_url: SecretString,
    /// URL of a hot standby of that database: the log is followed there, and all else goes to --database-url
    #[arg(long, global = true, env = "KEYWARD_FOLLOW_URL", value_name = "URL", hide_env_values = true, help_heading = "Database")]
    follow_url: SecretString,
    /// Connections of the pool [default: 16]
    #[arg(long, global = true, env = "KEYWARD_POOL_SIZE", value_name = "COUNT", help_heading = "Database")]
    pool_size: usize,
    /// Accept a database with only asynchronous standbys: a failover can lose acknowledged writes
    #[arg(long, global = true, env = "KEYWARD_ACCEPT_ASYNC", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Database")]
    accept_async: bool,
    /// How often the usage of keys is written, in milliseconds; 0 records none [default: 5000]
    #[arg(long, global = true, env = "KEYWARD_USAGE_FLUSH_MS", value_name = "MS", help_heading = "Database")]
    usage_flush_ms: u64,
    /// Folder of the private Postgres' binaries [default: looked for]
    #[arg(long, global = true, env = "KEYWARD_POSTGRES_BIN", value_name = "FOLDER", help_heading = "Database")]
    postgres_bin: PathBuf,
    /// Never fetch Postgres binaries
    #[arg(long, global = true, env = "KEYWARD_OFFLINE", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Database")]
    offline: bool,
    /// Refuse everything that is meant for development only
    #[arg(long, global = true, env = "KEYWARD_PRODUCTION", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Database")]
    production: bool,
    /// Make a demo workspace on an empty private Postgres [default: true]
    #[arg(long, global = true, env = "KEYWARD_DEMO", value_name = "BOOL", help_heading = "Database")]
    demo: bool,

    /// Folder for key ring, operator token and private Postgres [default: /var/lib/keyward for root, else in XDG_DATA_HOME]
    #[arg(long, global = true, env = "KEYWARD_FOLDER", value_name = "FOLDER", help_heading = "Secrets")]
    folder: PathBuf,
    /// Key ring, mode 0600 [default: keyring.toml in the folder]
    #[arg(long, global = true, env = "KEYWARD_KEYRING", value_name = "FILE", help_heading = "Secrets")]
    keyring: PathBuf,
    /// Program, with arguments, that prints the key ring instead; run without a shell, for 10 s at most
    #[arg(long, global = true, env = "KEYWARD_KEYRING_COMMAND", value_name = "COMMAND", help_heading = "Secrets")]
    keyring_command: String,
    /// Operator token, mode 0600 [default: operator-token in the folder]
    #[arg(long, global = true, env = "KEYWARD_OPERATOR_TOKEN_FILE", value_name = "FILE", help_heading = "Secrets")]
    operator_token_file: PathBuf,
    /// SPIFFE ID of a client certificate that is an operator's; may be given more than once [default: none]
    #[arg(long, global = true, env = "KEYWARD_OPERATOR_IDENTITY", value_name = "URI", value_delimiter = ',', help_heading = "Secrets")]
    operator_identity: Vec<String>,
    /// SPIFFE ID of a client certificate that is a gateway's, whose word on its clients' addresses counts; may be given more than once [default: none]
    #[arg(long, global = true, env = "KEYWARD_GATEWAY_IDENTITY", value_name = "URI", value_delimiter = ',', help_heading = "Secrets")]
    gateway_identity: Vec<String>,
    /// File, mode 0600, with the secret by which gateways without a certificate are believed; a second line may have the one before [default: none]
    #[arg(long, global = true, env = "KEYWARD_GATEWAY_SECRET_FILE", value_name = "FILE", help_heading = "Secrets")]
    gateway_secret_file: PathBuf,
    /// TOML file with the identity providers whose JWTs are taken [default: none]
    #[arg(long, global = true, env = "KEYWARD_JWT_ISSUERS", value_name = "FILE", help_heading = "Secrets")]
    jwt_issuers: PathBuf,
    /// What credentials begin with, 2 to 5 lower-case letters [default: kw]
    #[arg(long, global = true, env = "KEYWARD_BRAND", value_name = "LETTERS", help_heading = "Secrets")]
    brand: String,
    /// AI providers whose keys are taken into configurations, with commas between [default: any]
    #[arg(long, global = true, env = "KEYWARD_AI_PROVIDERS", value_name = "NAMES", help_heading = "Secrets")]
    ai_providers: String,

    /// How long a heartbeat lets a node answer, 200 to 5000 milliseconds [default: 1000]
    #[arg(long, global = true, env = "KEYWARD_LEASE_MS", value_name = "MS", help_heading = "Freshness")]
    lease_ms: u64,
    /// How often a node beats, at most a third of the lease [default: 200]
    #[arg(long, global = true, env = "KEYWARD_HEARTBEAT_MS", value_name = "MS", help_heading = "Freshness")]
    heartbeat_ms: u64,

    /// How logs are written [default: auto]
    #[arg(long, global = true, env = "KEYWARD_LOG_FORMAT", value_name = "FORMAT", help_heading = "Telemetry")]
    log_format: LogFormat,
    /// What is logged, as tracing directives [default: info]
    #[arg(long, global = true, env = "KEYWARD_LOG", value_name = "DIRECTIVES", help_heading = "Telemetry")]
    log: String,
    /// OTLP/gRPC endpoint for traces, such as http://127.0.0.1:4317 [default: none]
    #[arg(long, global = true, env = "KEYWARD_OTLP_ENDPOINT", value_name = "URL", help_heading = "Telemetry")]
    otlp_endpoint: String,
    /// Share of calls traced that nobody else decided on, 0 to 1 [default: 0.01]
    #[arg(long, global = true, env = "KEYWARD_TRACE_SAMPLE_RATIO", value_name = "RATIO", help_heading = "Telemetry")]
    trace_sample_ratio: f64,
    /// Address of the Prometheus listener, on loopback [default: 127.0.0.1:9464]
    #[arg(long, global = true, env = "KEYWARD_METRICS_LISTEN", value_name = "ADDRESS", help_heading = "Telemetry")]
    metrics_listen: SocketAddr,
    /// Offer no metrics
    #[arg(long, global = true, env = "KEYWARD_NO_METRICS", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Telemetry")]
    no_metrics: bool,
}
