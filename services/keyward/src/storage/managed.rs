//! The private Postgres: found or fetched, started, given database, roles and tables, and stopped.

use std::path::PathBuf;
use std::time::Duration;

use eventlog::{Database, LogError};
use pgserver::{Binaries, BinarySearch, Options, Server};
use postgres_protocol::password::scram_sha_256;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ROLES, Storage, StorageError, migrations, options};
use crate::config::Config;
use crate::entropy;

const DATABASE: &str = "keyward";
/// The role that the service logs in as: a member of `keyward_writer`, and nothing else.
const SERVICE_ROLE: &str = "keyward_service";

/// How long a server that is starting is waited for once it is to stop. After that it is left to its
/// watchdog, which stops it when this program ends.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// A private server under supervision.
pub struct Managed {
    stop: CancellationToken,
    supervision: JoinHandle<Result<(), pgserver::StopError>>,
}

impl Managed {
    /// Stops the server, orderly.
    pub async fn stop(self) {
        self.stop.cancel();
        match self.supervision.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the private Postgres did not stop orderly"),
            Err(error) => tracing::error!(%error, "the supervision of Postgres failed"),
        }
    }
}

/// Starts the private server and makes everything in it ready; unless `stop` is cancelled first.
pub(super) async fn start(
    config: &Config,
    binaries: Option<PathBuf>,
    offline: bool,
    stop: &CancellationToken,
) -> Result<Storage, StorageError> {
    let binaries = tokio::select! {
        () = stop.cancelled() => return Err(StorageError::Stopped),
        found = find(config, binaries, offline) => found?,
    };
    if pgserver::cluster_major(&config.folder).is_none() {
        let folder = config.folder.display();
        tracing::info!(%folder, "making a private Postgres, which takes some seconds");
    }
    // Not given up halfway: whoever makes a cluster or waits for Postgres must also see it stopped.
    let server = tokio::select! {
        started = Server::start(&binaries, Options::new(config.folder.clone())) => started?,
        () = after(stop, LAST_WAIT) => return Err(StorageError::Stopped),
    };
    let prepared = tokio::select! {
        // First: a server that is to stop is not prepared.
        biased;
        () = stop.cancelled() => Err(StorageError::Stopped),
        prepared = prepare(config, &server) => prepared,
    };
    let urls = match prepared {
        Ok(urls) => urls,
        Err(error) => {
            if let Err(stop) = server.stop().await {
                tracing::warn!(error = %stop, "the private Postgres did not stop orderly");
            }
            return Err(error);
        }
    };
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let supervision = tokio::spawn(server.supervise(async move { stopping.cancelled().await }));
    Ok(Storage {
        database: Database::new(&urls.service, options(config))?,
        owner: Database::new(&urls.owner, options(config))?,
        managed: Some(Managed { stop, supervision }),
    })
}

/// The binaries: found or fetched, on a thread that may be left behind.
async fn find(
    config: &Config,
    configured: Option<PathBuf>,
    offline: bool,
) -> Result<Binaries, StorageError> {
    let cache = pgserver::default_folders().cache;
    let search = BinarySearch { configured, offline, cache };
    let folder = config.folder.clone();
    let found = tokio::task::spawn_blocking(move || Binaries::find_for(&folder, &search)).await;
    Ok(found.map_err(|error| StorageError::Folder {
        path: config.folder.clone(),
        source: std::io::Error::other(error),
    })??)
}

/// Waits until `stop` is cancelled, and then for so long.
async fn after(stop: &CancellationToken, pause: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(pause).await;
}

/// The private server that another process runs on this folder, if one does.
pub(super) fn attach(config: &Config) -> Result<Option<Storage>, StorageError> {
    let Some(running) = pgserver::attach(&config.folder)? else {
        return Ok(None);
    };
    let url = running.superuser_url_of(DATABASE);
    let owner = Database::new(&url, options(config))?;
    Ok(Some(Storage { database: owner.clone(), owner, managed: None }))
}

struct Urls {
    service: String,
    owner: String,
}

/// Database, roles, tables, and a password for the service's role that is drawn anew at every start.
async fn prepare(config: &Config, server: &Server) -> Result<Urls, StorageError> {
    let maintenance = Database::new(&server.superuser_url(), options(config))?;
    let client = maintenance.client().await?;
    let known = client
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&DATABASE])
        .await?
        .is_some();
    if !known {
        client.batch_execute("CREATE DATABASE keyward").await?;
    }
    drop(client);
    let owner_url = server.superuser_url_of(DATABASE);
    let owner = Database::new(&owner_url, options(config))?;
    let secret =
        entropy::secret().map_err(|error| LogError::Unavailable(std::sync::Arc::new(error)))?;
    // Base62 only, so that it needs no quoting in SQL or in a URL.
    let password: String = secret.expose().iter().copied().map(char::from).collect();
    let client = owner.client().await?;
    client.batch_execute(ROLES).await?;
    client
        .batch_execute(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVICE_ROLE}') THEN \
             CREATE ROLE {SERVICE_ROLE} LOGIN IN ROLE keyward_writer; END IF; END $$; \
             ALTER ROLE {SERVICE_ROLE} PASSWORD '{}'",
            // Never the password itself: statements can end in a log, ours or that of Postgres.
            scram_sha_256(password.as_bytes())
        ))
        .await?;
    drop(client);
    eventlog::migrate(&owner, &migrations()).await?;
    let service = server.url_without_password(SERVICE_ROLE, DATABASE).replacen(
        &format!("{SERVICE_ROLE}@"),
        &format!("{SERVICE_ROLE}:{password}@"),
        1,
    );
    Ok(Urls { service, owner: owner_url })
}
