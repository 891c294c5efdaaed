//! Where connections to Postgres come from: a pool for short work, dedicated ones for long work.
//!
//! The writer, every subscription, every heartbeat and every projection has a connection of its
//! own, so that a crowd at the pool cannot make a verifier stale. What is said over a connection is
//! not decided here.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use futures_util::{StreamExt, stream};
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::LogError;
use crate::tls::Trust;
use crate::wake::Wake;

/// A dedicated connection. Its task ends when it is dropped, whatever state it is in.
pub type Connection = ClientWrapper;

/// How to connect.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// The most connections in the pool (dedicated ones come on top).
    pub pool_size: usize,
    /// For one attempt to connect, and for waiting for a pooled connection.
    pub connect_timeout: Duration,
    /// How long sent bytes may stay unacknowledged before the connection counts as dead.
    pub tcp_user_timeout: Duration,
    /// The longest a statement may run on a pooled connection.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How the server's operators see us; the purpose of the connection is added.
    pub application_name: String,
    /// PEM file of the roots that `verify-full` trusts; without it the system's roots.
    pub root_certificates: Option<PathBuf>,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            pool_size: 16,
            connect_timeout: Duration::from_secs(2),
            tcp_user_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            application_name: "keyward".to_owned(),
            root_certificates: None,
        }
    }
}

/// A Postgres database: a factory of connections and a pool. Cheap to clone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    config: Config,
    trust: Trust,
    connector: MakeRustlsConnect,
    options: DatabaseOptions,
    pool: Pool,
}

impl Database {
    /// Reads a `postgres://` URL; connects to nobody yet.
    ///
    /// Beside libpq's usual parameters the URL may carry `sslmode` (`disable`, `prefer`, `require`,
    /// `verify-full`; `prefer` if absent) and `sslrootcert`.
    ///
    /// # Errors
    /// [`LogError::Configuration`] if the URL or the root certificates cannot be read. No message
    /// contains the password.
    pub fn new(url: &str, options: DatabaseOptions) -> Result<Self, LogError> {
        let address = Address::parse(url)?;
        let (mut config, trust) = (address.config, address.trust);
        config
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(options.tcp_user_timeout)
            // For a reader that waits for an answer: nothing of its own is unacknowledged then.
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3)
            .ssl_mode(trust.mode());
        let roots = options.root_certificates.as_ref().or(address.roots.as_ref());
        let connector = trust.connector(roots.map(PathBuf::as_path))?;
        let pool = make_pool(&config, &connector, &options)?;
        Ok(Self(Arc::new(Inner { config, trust, connector, options, pool })))
    }

    /// Whether nobody on the way can read or change what is said: every server is checked by
    /// `verify-full`, or is on this machine (a Unix socket, or a loopback address).
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.0.trust == Trust::VerifyFull || is_on_this_machine(&self.0.config)
    }

    /// The pool itself.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// A pooled connection.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if none is to be had in time.
    pub async fn client(&self) -> Result<Object, LogError> {
        Ok(self.0.pool.get().await?)
    }

    /// A dedicated connection for `purpose`, with `settings` (run-time parameters and values without
    /// blanks) on top of the session's defaults.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the server cannot be reached in time, and
    /// [`LogError::Configuration`] if it does not let us in.
    pub async fn connect(
        &self,
        purpose: &str,
        settings: &[(&str, &str)],
    ) -> Result<Connection, LogError> {
        self.connect_waking(purpose, settings, Arc::default()).await
    }

    /// Like [`Database::connect`]; `wake` hears of every NOTIFY that comes in, and when the
    /// connection ends.
    pub(crate) async fn connect_waking(
        &self,
        purpose: &str,
        settings: &[(&str, &str)],
        wake: Arc<Wake>,
    ) -> Result<Connection, LogError> {
        let config = session(&self.0.config, &self.0.options, purpose, settings);
        // The driver's own limit covers the socket only, not TLS and sign-in.
        let limit = self.0.options.connect_timeout * 2;
        let connecting = config.connect(self.0.connector.clone());
        let (client, mut connection) = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| LogError::timed_out("connect"))??;
        let driver = tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(message) = messages.next().await {
                match message {
                    Ok(AsyncMessage::Notification(heard)) => wake.hear(heard.payload()),
                    Ok(notice) => tracing::debug!(?notice, "postgres says"),
                    Err(error) => {
                        tracing::debug!(%error, "connection to postgres ended");
                        break;
                    }
                }
            }
            wake.ended();
        });
        Ok(ClientWrapper::new(client, driver))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("hosts", &self.0.config.get_hosts())
            .field("ports", &self.0.config.get_ports())
            .field("dbname", &self.0.config.get_dbname())
            .field("user", &self.0.config.get_user())
            .finish_non_exhaustive()
    }
}

/// Whether every server is here. An address that is given beside a name is where we connect to.
fn is_on_this_machine(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    let here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(_) if !addresses.is_empty() => true,
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
        }
    };
    config.get_hosts().iter().all(here)
        && addresses.iter().all(|address| address.to_canonical().is_loopback())
}

fn make_pool(
    config: &Config,
    connector: &MakeRustlsConnect,
    options: &DatabaseOptions,
) -> Result<Pool, LogError> {
    let statement_timeout = options.statement_timeout.as_millis().to_string();
    let config = session(config, options, "pool", &[("statement_timeout", &statement_timeout)]);
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Verified };
    let source = Manager::from_config(config, connector.clone(), recycling);
    Pool::builder(source)
        .max_size(options.pool_size)
        .wait_timeout(Some(options.connect_timeout))
        .create_timeout(Some(options.connect_timeout * 2))
        .recycle_timeout(Some(options.connect_timeout))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| LogError::configuration(format!("connection pool: {error}")))
}

/// The configuration of one session. Settings travel in the start-up message: no round trip, and
/// they hold from the first statement on.
fn session(
    config: &Config,
    options: &DatabaseOptions,
    purpose: &str,
    settings: &[(&str, &str)],
) -> Config {
    use std::fmt::Write as _;

    let mut config = config.clone();
    let mut words = config.get_options().unwrap_or_default().to_owned();
    let lock_timeout = options.lock_timeout.as_millis().to_string();
    let defaults = [("lock_timeout", lock_timeout.as_str()), ("jit", "off")];
    for (name, value) in defaults.iter().chain(settings) {
        // Writing to a string cannot fail.
        let _ = write!(words, " -c {name}={value}");
    }
    config.options(words.trim());
    config.application_name(format!("{}/{purpose}", options.application_name));
    config
}

/// A URL taken apart: what the driver understands, and what we add to it.
struct Address {
    config: Config,
    trust: Trust,
    roots: Option<PathBuf>,
}

impl Address {
    fn parse(url: &str) -> Result<Self, LogError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(LogError::configuration("a database URL begins with postgres://"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut trust = None;
        let mut roots = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", word)) => trust = Some(Trust::parse(word)?),
                Some(("sslrootcert", file)) if file.contains('%') => {
                    return Err(LogError::configuration("sslrootcert is a plain path, without %"));
                }
                Some(("sslrootcert", file)) => roots = Some(PathBuf::from(file)),
                Some(_) | None => rest.push(pair),
            }
        }
        let plain =
            if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let config: Config = plain
            .parse()
            .map_err(|error| LogError::configuration(format!("database URL: {error}")))?;
        let trust = trust.unwrap_or(Trust::Anyone(tokio_postgres::config::SslMode::Prefer));
        Ok(Self { config, trust, roots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, LogError> {
        Address::parse(url)
    }

    #[test]
    fn a_url_says_how_far_the_server_is_trusted() {
        let address =
            parse("postgres://u:p@db:5433/k?sslmode=verify-full&connect_timeout=9").unwrap();
        assert_eq!(address.trust, Trust::VerifyFull);
        assert_eq!(address.config.get_ports(), [5433]);
        assert!(parse("postgres://db/k?sslmode=verify-ca").is_err());
        assert!(parse("host=db").is_err());
    }

    #[test]
    fn a_line_is_private_if_the_server_is_checked_or_here() {
        let private =
            |url: &str| Database::new(url, DatabaseOptions::default()).unwrap().is_private();
        for here in [
            "postgres://u@%2Frun%2Fpostgresql/k",
            "postgres://u@localhost/k",
            "postgres://u@127.0.0.9:5433/k?sslmode=disable",
            "postgres://u@[::1]/k",
            "postgres://u@db/k?hostaddr=127.0.0.1",
        ] {
            assert!(private(here), "{here}");
        }
        for elsewhere in [
            "postgres://u@db/k",
            "postgres://u@db/k?sslmode=require",
            "postgres://u@10.0.0.1/k?sslmode=prefer",
            "postgres://u@localhost,db/k",
            "postgres://u@localhost/k?hostaddr=10.0.0.1",
            "postgres://u@localhost.example/k",
        ] {
            assert!(!private(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_database_never_prints_its_password() {
        let url = "postgres://u:hunter2@db/k?options=-cfoo%3Dhunter2";
        let database = Database::new(url, DatabaseOptions::default()).unwrap();
        assert!(!format!("{database:?}").contains("hunter2"));
    }

    #[test]
    fn verify_full_without_readable_roots_is_refused() {
        let url = "postgres://db/k?sslmode=verify-full&sslrootcert=/nonexistent.pem";
        let refused = Database::new(url, DatabaseOptions::default()).unwrap_err();
        assert!(matches!(refused, LogError::Configuration { .. }), "{refused}");
    }
}
