//! The configuration: flags, then environment (`KEYWARD_...`), then a TOML file, then defaults.
//!
//! An unknown flag, variable or member is refused: a
//! mistyped `KEYWARD_TLS_CERT` must not make a plain listener.

mod ext_authz;
mod gateway;
mod settings;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::gateway::config::IpNet;
use ::settings::{metrics_listen, pair, plain_is_on_loopback, read_toml, refuse, within};
use domain::config::Provider;
use domain::{Brand, SpiffeId};

pub use self::settings::Settings;
pub use crate::gateways::GatewayTrust;
pub use ::settings::{ConfigError, TelemetryChoice};
pub use ext_authz::ExtAuthz;
pub use gateway::GatewayChoice;
pub use serving::TlsFiles;

/// Guesses that a caller may make in a minute unless another limit is set: 100 a second. A gateway of
/// 10,000 calls a second, of which one in a hundred is junk, stays within it; what is past it is no longer
/// mistyped keys and the scanners that find every public address.
const GUESSES: u32 = 6_000;

/// What `keyward` runs with: every setting decided and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where gRPC listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where Prometheus scrapes, on loopback; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The REST gateway in the same program; `None` for none.
    pub gateway: Option<GatewayChoice>,
    /// Proxies in front of it whose X-Forwarded-For counts.
    pub gateway_proxies: Vec<IpNet>,
    /// The database.
    pub database: DatabaseChoice,
    /// A hot standby of it, to follow the log at.
    pub follow: Option<secrecy::SecretString>,
    /// Connections of the pool.
    pub pool_size: usize,
    /// Whether everything that is meant for development only is refused.
    pub production: bool,
    /// Whether a database with only asynchronous standbys will do.
    pub accept_async: bool,
    /// Whether the database is taken as it is: without fsync, as a superuser. No flag sets it; tests
    /// do.
    pub trust_database: bool,
    /// Folder of what this node keeps on disk: key ring, operator token, managed Postgres.
    pub folder: PathBuf,
    /// The key ring; made at the first start only on the managed database.
    pub keyring: PathBuf,
    /// A program and its arguments whose output is the key ring, instead of the file.
    pub keyring_command: Option<Vec<String>>,
    /// The operator's token; made likewise.
    pub operator_token_file: PathBuf,
    /// Whose certificates are operators', too.
    pub operator_identities: Vec<SpiffeId>,
    /// Who is believed when it says for whom it calls.
    pub gateway_trust: GatewayTrust,
    /// The identity providers whose JWTs are taken; `None` for none.
    pub jwt_issuers: Option<PathBuf>,
    /// What credentials begin with.
    pub brand: Brand,
    /// The AI providers whose keys are taken into configurations; any, if there are none.
    pub ai_providers: Vec<Provider>,
    /// TLS; `None` for plain.
    pub tls: Option<TlsFiles>,
    /// How long a heartbeat lets this node answer.
    pub lease: Duration,
    /// How often it beats.
    pub heartbeat: Duration,
    /// Threads that serve connections.
    pub serving_threads: usize,
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// Connections that one address other than loopback may have open at once.
    pub max_connections_per_address: usize,
    /// How long a connection may be without a new call.
    pub connection_idle: Duration,
    /// How long a connection may be there at all.
    pub connection_age: Duration,
    /// Management calls that may be under way at once.
    pub max_management_calls: usize,
    /// Guesses that a caller may make in a minute; `None` for as many as it likes.
    pub guess_limit: Option<NonZeroU32>,
    /// How long a drain may take.
    pub drain: Duration,
    /// How long usage is gathered before it is written; `None` to record none.
    pub usage_flush: Option<Duration>,
    /// How Envoy's requests are read and answered.
    pub ext_authz: ExtAuthz,
    /// Whether server reflection is on.
    pub reflection: bool,
    /// Whether the demo workspace is made on an empty managed database.
    pub demo: bool,
    /// Logs and traces.
    pub telemetry: TelemetryChoice,
}

/// Which database.
#[derive(Debug, Clone)]
pub enum DatabaseChoice {
    /// A private Postgres that Keyward supervises itself.
    Managed {
        /// Where its binaries are; `None` to look for them.
        binaries: Option<PathBuf>,
        /// Whether missing binaries may not be fetched.
        offline: bool,
    },
    /// The operator's.
    Url(secrecy::SecretString),
}

impl Config {
    /// The configuration of these flags (already filled from the environment by `clap`) and of the
    /// file that they name.
    ///
    /// # Errors
    /// One line on the first setting that can't be used.
    pub fn resolve(flags: Settings) -> Result<Self, ConfigError> {
        let settings = match flags.config.clone() {
            Some(path) => flags.or(read_toml(&path, "the configuration file ")?),
            None => flags,
        };
        Self::check(settings)
    }

    fn check(settings: Settings) -> Result<Self, ConfigError> {
        let production = settings.production.unwrap_or(false);
        let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 50051)));
        let tls = tls(&settings, listen)?;
        let database = database(&settings, listen, production)?;
        let managed = matches!(database, DatabaseChoice::Managed { .. });
        let folder = settings.folder.clone().unwrap_or_else(|| pgserver::default_folders().state);
        let (lease, heartbeat) = lease(&settings)?;
        Ok(Self {
            listen,
            metrics_listen: metrics_listen(settings.no_metrics, settings.metrics_listen, 9464)?,
            gateway: gateway::choice(&settings, managed, tls.is_some())?,
            gateway_proxies: settings.gateway_trusted_proxy.clone().unwrap_or_default(),
            follow: follow(&settings, managed)?,
            database,
            production,
            pool_size: within("pool-size", settings.pool_size.unwrap_or(16), 2..=512)?,
            accept_async: settings.accept_async.unwrap_or(false),
            trust_database: false,
            keyring_command: keyring_command(&settings)?,
            keyring: keyring(&settings, &folder, managed)?,
            operator_token_file: operator_token_file(&settings, &folder, managed)?,
            operator_identities: operator_identities(&settings, tls.as_ref())?,
            gateway_trust: gateway::trust(&settings, tls.as_ref())?,
            jwt_issuers: settings.jwt_issuers.clone(),
            folder: folder.clone(),
            brand: brand(&settings)?,
            ai_providers: ai_providers(&settings)?,
            tls,
            lease,
            heartbeat,
            serving_threads: within(
                "serving-threads",
                settings.serving_threads.unwrap_or_else(cores),
                1..=256,
            )?,
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
            connection_idle: millis(
                "connection-idle-ms",
                settings.connection_idle_ms.unwrap_or(900_000),
                500..=86_400_000,
            )?,
            connection_age: millis(
                "connection-age-ms",
                settings.connection_age_ms.unwrap_or(3_600_000),
                500..=86_400_000,
            )?,
            max_management_calls: within(
                "max-management-calls",
                settings.max_management_calls.unwrap_or(1_024),
                1..=100_000,
            )?,
            guess_limit: NonZeroU32::new(settings.guess_limit_per_minute.unwrap_or(GUESSES)),
            drain: millis("drain-ms", settings.drain_ms.unwrap_or(10_000), 0..=600_000)?,
            usage_flush: usage_flush(&settings)?,
            ext_authz: ext_authz::choice(&settings)?,
            reflection: settings.reflection.unwrap_or(!production),
            demo: managed && settings.demo.unwrap_or(true),
            telemetry: telemetry(&settings)?,
        })
    }
}

/// The file of the key ring; never read if a command prints it, and what works on the file says so.
fn keyring(settings: &Settings, folder: &Path, managed: bool) -> Result<PathBuf, ConfigError> {
    match settings.keyring_command {
        Some(_) => Ok(PathBuf::new()),
        None => {
            required_file("keyring", settings.keyring.as_ref(), folder, "keyring.toml", managed)
        }
    }
}

fn operator_token_file(
    settings: &Settings,
    folder: &Path,
    managed: bool,
) -> Result<PathBuf, ConfigError> {
    let given = settings.operator_token_file.as_ref();
    required_file("operator-token-file", given, folder, "operator-token", managed)
}

fn database(
    settings: &Settings,
    listen: SocketAddr,
    production: bool,
) -> Result<DatabaseChoice, ConfigError> {
    if let Some(url) = &settings.database_url {
        return Ok(DatabaseChoice::Url(url.clone()));
    }
    // The managed database is for trying and for development: it is never on by chance.
    if production || !listen.ip().is_loopback() {
        return Err(refuse(
            "database-url",
            "is required with --production and with a listener that is not on loopback",
        ));
    }
    Ok(DatabaseChoice::Managed {
        binaries: settings.postgres_bin.clone(),
        offline: settings.offline.unwrap_or(false),
    })
}

fn follow(
    settings: &Settings,
    managed: bool,
) -> Result<Option<secrecy::SecretString>, ConfigError> {
    if managed && settings.follow_url.is_some() {
        return Err(refuse("follow-url", "needs --database-url, for the primary"));
    }
    Ok(settings.follow_url.clone())
}

fn tls(settings: &Settings, listen: SocketAddr) -> Result<Option<TlsFiles>, ConfigError> {
    let files = tls_files(settings)?;
    plain_is_on_loopback(listen, files.is_some(), settings.plaintext)?;
    Ok(files)
}

fn tls_files(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    let files =
        pair(("tls-cert", settings.tls_cert.as_ref()), ("tls-key", settings.tls_key.as_ref()))?;
    let client_ca = settings.tls_client_ca.clone();
    match files {
        Some((certificate, key)) => Ok(Some(TlsFiles { certificate, key, client_ca })),
        None if client_ca.is_some() => {
            Err(refuse("tls-client-ca", "needs --tls-cert and --tls-key"))
        }
        None => Ok(None),
    }
}

/// Names in certificates mean nothing unless certificates are asked for and checked.
fn operator_identities(
    settings: &Settings,
    tls: Option<&TlsFiles>,
) -> Result<Vec<SpiffeId>, ConfigError> {
    let given = settings.operator_identity.as_deref().unwrap_or_default();
    if !given.is_empty() && tls.is_none_or(|files| files.client_ca.is_none()) {
        return Err(refuse("operator-identity", "needs --tls-client-ca"));
    }
    let each = |text: &String| {
        SpiffeId::new(text.as_str()).map_err(|error| refuse("operator-identity", error.rule()))
    };
    given.iter().map(each).collect()
}

/// The lease and the pause between heartbeats: two may be lost before the lease is.
fn lease(settings: &Settings) -> Result<(Duration, Duration), ConfigError> {
    let lease = millis("lease-ms", settings.lease_ms.unwrap_or(1_000), 200..=5_000)?;
    let heartbeat = millis("heartbeat-ms", settings.heartbeat_ms.unwrap_or(200), 10..=1_000)?;
    if heartbeat * 3 > lease {
        return Err(refuse("heartbeat-ms", "must be at most a third of --lease-ms"));
    }
    Ok((lease, heartbeat))
}

/// How often usage is written; not at all if it is 0.
fn usage_flush(settings: &Settings) -> Result<Option<Duration>, ConfigError> {
    match settings.usage_flush_ms.unwrap_or(5_000) {
        0 => Ok(None),
        set @ 100..=60_000 => Ok(Some(Duration::from_millis(set))),
        _ => Err(refuse("usage-flush-ms", "must be 0 or from 100 to 60000 milliseconds")),
    }
}

/// The words of the command that prints the key ring. No shell reads them, so there is no quoting.
fn keyring_command(settings: &Settings) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(text) = &settings.keyring_command else {
        return Ok(None);
    };
    if settings.keyring.is_some() {
        return Err(refuse("keyring-command", "can't be set beside --keyring"));
    }
    let words: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Err(refuse("keyring-command", "must name a program"));
    }
    Ok(Some(words))
}

/// A file that the managed default makes by itself and that a real deployment must name.
fn required_file(
    flag: &'static str,
    given: Option<&PathBuf>,
    folder: &Path,
    name: &str,
    managed: bool,
) -> Result<PathBuf, ConfigError> {
    match given {
        Some(path) => Ok(path.clone()),
        None if managed => Ok(folder.join(name)),
        None => Err(refuse(flag, "is required with --database-url: every node needs the same one")),
    }
}

fn brand(settings: &Settings) -> Result<Brand, ConfigError> {
    match &settings.brand {
        Some(text) => Brand::new(text).map_err(|error| refuse("brand", error.rule())),
        None => Ok(Brand::default()),
    }
}

/// The names in the list; none if nothing was said.
fn ai_providers(settings: &Settings) -> Result<Vec<Provider>, ConfigError> {
    let list = settings.ai_providers.as_deref().unwrap_or_default();
    let names = list.split(',').map(str::trim).filter(|_| !list.trim().is_empty());
    let refuse = |error: domain::InvalidValue| refuse("ai-providers", error.rule());
    names.map(|name| Provider::new(name).map_err(refuse)).collect()
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
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

fn millis(
    flag: &'static str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Duration, ConfigError> {
    if range.contains(&value) {
        return Ok(Duration::from_millis(value));
    }
    Err(refuse(flag, format!("must be from {} to {} milliseconds", range.start(), range.end())))
}
