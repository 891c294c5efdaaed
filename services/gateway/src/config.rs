//! The configuration: flags, then environment (`KEYWARD_GATEWAY_...`), then a TOML file, then defaults.
//!
//! An unknown flag, variable or member is refused.

mod networks;
mod settings;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::settings::{metrics_listen, pair, plain_is_on_loopback, read_toml, refuse, within};
use http::HeaderName;
use http::uri::Authority;

pub use self::settings::{Settings, VerifyFailMode};
pub use crate::secrets::Secret;
pub use ::settings::{ConfigError, TelemetryChoice};
pub use ipnet::IpNet;
pub use networks::{network, networks};
pub use serving::TlsFiles;

use crate::cors::Origins;
use crate::secrets::{load_credential, load_shared};
use crate::surface::Surface;

/// What the gateway runs with: every setting decided and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where HTTP listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS; `None` for plain.
    pub tls: Option<TlsFiles>,
    /// The service.
    pub service: Service,
    /// Where Prometheus scrapes, on loopback; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Proxies whose word on the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Surfaces that are switched off.
    pub off: Vec<Surface>,
    /// Threads that serve connections.
    pub threads: usize,
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// Connections that one address other than loopback may have open at once.
    pub max_connections_per_address: usize,
    /// Requests a second of one address other than loopback; `None` for any number.
    pub requests_per_second: Option<u32>,
    /// How long a call may take, streams aside.
    pub timeout: Duration,
    /// How long requests may go on after a stop.
    pub drain: Duration,
    /// What `/verify` asks for verdicts with; without it there are none.
    pub verify_credential: Option<Secret>,
    /// The file that it is from, which is read again when it changes.
    pub verify_credential_file: Option<PathBuf>,
    /// What tells the service that it is a gateway who calls.
    pub gateway_secret: Option<Secret>,
    /// The file that it is from, which is read again when it changes.
    pub gateway_secret_file: Option<PathBuf>,
    /// How long `/verify` waits for a verdict.
    pub verify_timeout: Duration,
    /// What `/verify` answers while the service gives no verdicts.
    pub verify_fail_mode: VerifyFailMode,
    /// Whose pages may ask from a browser.
    pub cors: Origins,
    /// How long a connection may be there, give or take a tenth.
    pub connection_age: Duration,
    /// Where `/verify` takes a key from, besides Authorization and X-Api-Key.
    pub verify_header: Option<HeaderName>,
    /// What workspaces are made with for those who sign up on Velt's path; without it nobody may.
    pub workspace_credential: Option<Secret>,
    /// The file that it is from, which is read again when it changes.
    pub workspace_credential_file: Option<PathBuf>,
    /// Workspaces an hour that one address may so make.
    pub workspaces_per_hour: u32,
    /// What SlaunchX's answers say of their version.
    pub slaunchx_version: String,
    /// Whether each request is logged.
    pub access_log: bool,
    /// Logs and traces.
    pub telemetry: TelemetryChoice,
}

/// Where the service is.
#[derive(Debug, Clone)]
pub struct Service {
    /// Host and port.
    pub address: String,
    /// TLS to it; `None` for plain.
    pub tls: Option<ServiceTls>,
}

/// TLS to the service.
#[derive(Debug, Clone)]
pub struct ServiceTls {
    /// Roots that its certificate must lead to.
    pub roots: PathBuf,
    /// The gateway's own certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that its certificate must have, if not that of its address.
    pub name: Option<String>,
}

impl Config {
    /// The configuration of these flags (already filled from the environment by `clap`) and of the
    /// file that they name.
    ///
    /// # Errors
    /// One line on the first setting that can't be used.
    pub fn resolve(flags: Settings) -> Result<Self, ConfigError> {
        let settings = match flags.config.clone() {
            Some(path) => flags.or(read_toml(&path, "")?),
            None => flags,
        };
        Self::check(settings)
    }

    fn check(settings: Settings) -> Result<Self, ConfigError> {
        let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let per_second = settings.requests_per_second.unwrap_or(1_000);
        let millis = |flag, value: u64, range: std::ops::RangeInclusive<u64>| {
            within(flag, value, range).map(Duration::from_millis)
        };
        Ok(Self {
            listen,
            tls: tls(&settings, listen)?,
            service: service(&settings)?,
            metrics_listen: metrics_listen(settings.no_metrics, settings.metrics_listen, 9465)?,
            trusted_proxies: settings.trusted_proxy.clone().unwrap_or_default(),
            off: settings.without.clone().unwrap_or_default(),
            threads: within("threads", settings.threads.unwrap_or_else(cores), 1..=256)?,
            max_connections: within(
                "max-connections",
                settings.max_connections.unwrap_or(10_000),
                1..=1_000_000,
            )?,
            max_connections_per_address: within(
                "max-connections-per-address",
                settings.max_connections_per_address.unwrap_or(1_000),
                1..=1_000_000,
            )?,
            requests_per_second: Some(per_second).filter(|&count| count > 0),
            timeout: millis("timeout-ms", settings.timeout_ms.unwrap_or(5_000), 10..=60_000)?,
            drain: millis("drain-ms", settings.drain_ms.unwrap_or(10_000), 0..=600_000)?,
            verify_credential: credential(
                "verify-credential-file",
                settings.verify_credential_file.as_deref(),
            )?,
            verify_credential_file: settings.verify_credential_file.clone(),
            gateway_secret: settings.gateway_secret_file.as_deref().map(load_shared).transpose()?,
            gateway_secret_file: settings.gateway_secret_file.clone(),
            workspace_credential: credential(
                "velt-workspace-credential-file",
                settings.velt_workspace_credential_file.as_deref(),
            )?,
            workspace_credential_file: settings.velt_workspace_credential_file.clone(),
            workspaces_per_hour: within(
                "velt-workspaces-per-hour",
                settings.velt_workspaces_per_hour.unwrap_or(5),
                1..=3_600,
            )?,
            verify_timeout: millis(
                "verify-timeout-ms",
                settings.verify_timeout_ms.unwrap_or(200),
                10..=60_000,
            )?,
            verify_fail_mode: settings.verify_fail_mode.unwrap_or_default(),
            cors: Origins::new(settings.cors_origin.as_deref().unwrap_or_default())
                .map_err(|rule| refuse("cors-origin", rule))?,
            connection_age: millis(
                "max-connection-age-ms",
                settings.max_connection_age_ms.unwrap_or(3_600_000),
                500..=86_400_000,
            )?,
            verify_header: verify_header(&settings)?,
            slaunchx_version: settings
                .slaunchx_version
                .clone()
                .unwrap_or_else(|| "1.3.0".to_owned()),
            access_log: settings.access_log.unwrap_or(true),
            telemetry: telemetry(&settings)?,
        })
    }
}

fn tls(settings: &Settings, listen: SocketAddr) -> Result<Option<TlsFiles>, ConfigError> {
    let files =
        pair(("tls-cert", settings.tls_cert.as_ref()), ("tls-key", settings.tls_key.as_ref()))?;
    plain_is_on_loopback(listen, files.is_some(), settings.plaintext)?;
    Ok(files.map(|(certificate, key)| TlsFiles { certificate, key, client_ca: None }))
}

fn service(settings: &Settings) -> Result<Service, ConfigError> {
    let address = settings.service.clone().unwrap_or_else(|| "127.0.0.1:50051".to_owned());
    let identity = pair(
        ("service-cert", settings.service_cert.as_ref()),
        ("service-key", settings.service_key.as_ref()),
    )?;
    let name = settings.service_name.clone();
    let tls = match &settings.service_ca {
        Some(roots) => Some(ServiceTls { roots: roots.clone(), identity, name }),
        None if identity.is_some() || name.is_some() => {
            return Err(refuse("service-ca", "is required with a certificate or a name"));
        }
        None => None,
    };
    let port = address.parse::<Authority>().ok().and_then(|address| address.port_u16());
    if port.is_none() {
        return Err(refuse("service", "must be a host and a port, such as 127.0.0.1:50051"));
    }
    let service = Service { address, tls };
    crate::upstream::endpoint(&service)?;
    Ok(service)
}

fn credential(flag: &'static str, path: Option<&Path>) -> Result<Option<Secret>, ConfigError> {
    path.map(|path| load_credential(flag, path)).transpose()
}

fn verify_header(settings: &Settings) -> Result<Option<HeaderName>, ConfigError> {
    let Some(name) = &settings.verify_header else {
        return Ok(None);
    };
    let name = HeaderName::try_from(name.as_str());
    name.map(Some).map_err(|_| refuse("verify-header", "must be the name of a header"))
}

fn telemetry(settings: &Settings) -> Result<TelemetryChoice, ConfigError> {
    TelemetryChoice::new(
        settings.log_format,
        settings.log.as_deref(),
        settings.otlp_endpoint.as_deref(),
        settings.trace_sample_ratio,
    )
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
