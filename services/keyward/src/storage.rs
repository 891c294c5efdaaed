//! Where the log is kept: the operator's Postgres, or a private one that Keyward supervises itself.
//!
//! What would make Keyward's promises false is refused here, in one line each.

mod managed;

use std::path::PathBuf;
use std::sync::Arc;

use eventlog::{
    ChainMac, Database, DatabaseOptions, LOG_MIGRATIONS, LogError, MigrateError, Migration,
    MigrationSet,
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use vault::KeyRing;

pub use managed::Managed;

use crate::config::{Config, DatabaseChoice};
use crate::keyring::command;
pub use crate::keyring::known::check as check_key_ring;

/// Tables of the vault, and those of the usage of keys.
const VAULT_MIGRATIONS: MigrationSet = MigrationSet {
    component: "vault",
    files: &[
        Migration { name: "0001_vault.sql", sql: include_str!("../migrations/0001_vault.sql") },
        Migration { name: "0002_usage.sql", sql: include_str!("../migrations/0002_usage.sql") },
        Migration {
            name: "0003_subject_keys.sql",
            sql: include_str!("../migrations/0003_subject_keys.sql"),
        },
    ],
};

/// What nodes and commands know of each other's key rings.
const KEYRING_MIGRATIONS: MigrationSet = MigrationSet {
    component: "keyring",
    files: &[Migration {
        name: "0001_keyring.sql",
        sql: include_str!("../migrations/keyring/0001_keyring.sql"),
    }],
};

/// The roles that migrations grant to.
pub(crate) const ROLES: &str = include_str!("../../../deploy/roles.sql");

/// An open database, and the private server behind it if there is one.
pub struct Storage {
    /// For the service: with the rights of `keyward_writer` and no more.
    pub database: Database,
    /// For migrations and rebuilds: with the rights of `keyward_owner`. The operator's URL is used
    /// for both; it is the operator's work to give it the rights that the command needs.
    pub owner: Database,
    /// The private server.
    pub managed: Option<Managed>,
}

/// A database that can't be used: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No Postgres binaries.
    #[error("{0}")]
    Binaries(#[from] pgserver::FindError),
    /// The private server does not start.
    #[error("{0}")]
    Start(#[from] pgserver::StartError),
    /// The folder can't be made.
    #[error("can't make the folder {path}")]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database does not answer, or refuses.
    #[error("the database can't be used: {0}")]
    Log(#[from] LogError),
    /// A migration failed.
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    /// The tables are older than this program.
    #[error("{0} migrations are pending: run `keyward migrate` as the migrator first")]
    Pending(usize),
    /// The database would lose what was acknowledged, or lets the service change history.
    #[error("{0}")]
    Unsafe(&'static str),
    /// The key ring is not the one that this database was written with.
    #[error(
        "the {purpose} {id} of the key ring is not the one that this database was written with: use the ring that belongs to it"
    )]
    OtherKeyRing {
        /// Which purpose.
        purpose: String,
        /// Which id.
        id: u16,
    },
    /// The ring lacks a key that is in use.
    #[error(
        "the key ring has no {purpose} {id}, which this database was written with: use the ring that belongs to it; old keys stay in it beside new ones until `keyward keyring retire`"
    )]
    MissingKey {
        /// Which purpose.
        purpose: String,
        /// Which id.
        id: i32,
    },
    /// The ring makes new values under a key that was retired.
    #[error("the {purpose} {id} of the key ring is active, but was retired: use the newest ring")]
    RetiredKey {
        /// Which purpose.
        purpose: String,
        /// Which id.
        id: u16,
    },
    /// The ring begins with another chain key than before.
    #[error(
        "the key ring has a chain {found} before the first one, {first}: give a new chain key an id above all others"
    )]
    OtherFirstChainKey {
        /// The lowest id of the ring.
        found: u16,
        /// The lowest id that the database knows.
        first: i32,
    },
    /// What is under a key can't be counted.
    #[error(
        "the read models are behind the log, so that credentials can't be counted: start a node, and try again"
    )]
    ReadModelsBehind,
    /// The ring that a command prints can't be had.
    #[error("{0}")]
    KeyringCommand(#[from] command::CommandFault),
    /// The program is to stop before its start is done.
    #[error("stopped before the start was done")]
    Stopped,
    /// The key ring can't be used.
    #[error("{0}")]
    KeyRing(#[from] vault::KeyRingError),
}

impl From<tokio_postgres::Error> for StorageError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Log(error.into())
    }
}

/// All migrations, in order.
#[must_use]
pub fn migrations() -> [MigrationSet; 4] {
    [LOG_MIGRATIONS, readmodel::migrations(), VAULT_MIGRATIONS, KEYRING_MIGRATIONS]
}

/// Opens the configured database for the service, its tables ready; unless `stop` is cancelled first.
///
/// # Errors
/// See [`StorageError`]; nothing is left running then.
pub async fn open(config: &Config, stop: &CancellationToken) -> Result<Storage, StorageError> {
    match &config.database {
        DatabaseChoice::Managed { binaries, offline } => {
            managed::start(config, binaries.clone(), *offline, stop).await
        }
        DatabaseChoice::Url(url) => tokio::select! {
            () = stop.cancelled() => Err(StorageError::Stopped),
            opened = open_given(config, url.expose_secret()) => opened,
        },
    }
}

async fn open_given(config: &Config, url: &str) -> Result<Storage, StorageError> {
    let database = given(config, url)?;
    if !config.trust_database {
        refuse_unsafe(&database, config.accept_async).await?;
    }
    refuse_pending(&database).await?;
    Ok(Storage { owner: database.clone(), database, managed: None })
}

/// Opens the configured database for a command that runs and ends, with the owner's rights. A private
/// server that is running is used as it is; otherwise it is started for as long as the command takes.
///
/// # Errors
/// See [`StorageError`].
pub async fn open_for_command(config: &Config) -> Result<Storage, StorageError> {
    let storage = attach_or_start(config).await?;
    // A private server that was started just now has been brought up to date.
    if storage.managed.is_none() {
        refuse_pending(&storage.owner).await?;
    }
    Ok(storage)
}

/// Opens the configured database if that takes no more than a connection: the operator's, or a private
/// one that is running.
///
/// # Errors
/// See [`StorageError`].
pub(crate) async fn open_if_there(config: &Config) -> Result<Option<Storage>, StorageError> {
    let there = match &config.database {
        DatabaseChoice::Managed { .. } => managed::attach(config)?,
        DatabaseChoice::Url(_) => Some(attach_or_start(config).await?),
    };
    if let Some(storage) = &there {
        refuse_pending(&storage.owner).await?;
    }
    Ok(there)
}

async fn attach_or_start(config: &Config) -> Result<Storage, StorageError> {
    match &config.database {
        DatabaseChoice::Managed { binaries, offline } => match managed::attach(config)? {
            Some(storage) => Ok(storage),
            None => {
                let never = CancellationToken::new();
                managed::start(config, binaries.clone(), *offline, &never).await
            }
        },
        DatabaseChoice::Url(url) => {
            let database = given(config, url.expose_secret())?;
            Ok(Storage { owner: database.clone(), database, managed: None })
        }
    }
}

/// Brings the tables up to date, as the migrator; answers with what was applied.
///
/// # Errors
/// See [`StorageError`].
pub async fn migrate(config: &Config) -> Result<Vec<String>, StorageError> {
    let storage = attach_or_start(config).await?;
    let migrated = eventlog::migrate(&storage.owner, &migrations()).await;
    if let Some(managed) = storage.managed {
        managed.stop().await;
    }
    Ok(migrated?.files)
}

/// Makes a new key ring in a file of mode 0600 that does not exist yet.
///
/// # Errors
/// The file is there already, or can't be made.
pub fn new_key_ring(path: &std::path::Path) -> Result<(), StorageError> {
    Ok(KeyRing::generate_file(path)?)
}

/// The key ring of this deployment; on the managed database it is made at the first start.
///
/// # Errors
/// It can't be had, can't be read, or is readable by others.
pub fn key_ring(config: &Config) -> Result<KeyRing, StorageError> {
    if let Some(command) = &config.keyring_command {
        return Ok(command::ring(command)?);
    }
    match config.database {
        DatabaseChoice::Managed { .. } => Ok(KeyRing::load_or_generate(&config.keyring)?),
        DatabaseChoice::Url(_) => Ok(KeyRing::load(&config.keyring)?),
    }
}

/// The key ring as it is there now: never made.
///
/// # Errors
/// As [`key_ring`].
pub(crate) fn present_key_ring(config: &Config) -> Result<KeyRing, StorageError> {
    match &config.keyring_command {
        Some(command) => Ok(command::ring(command)?),
        None => Ok(KeyRing::load(&config.keyring)?),
    }
}

/// The MAC of the log's chain under this ring.
#[must_use]
pub fn chain_mac(ring: &KeyRing) -> ChainMac {
    let chain = Arc::clone(ring.chain());
    let under = Arc::clone(&chain);
    ChainMac::of_keys(move |text| chain.link(text), move |id, text| under.under(id, text))
}

fn options(config: &Config) -> DatabaseOptions {
    DatabaseOptions { pool_size: config.pool_size, ..DatabaseOptions::default() }
}

async fn refuse_pending(database: &Database) -> Result<(), StorageError> {
    let pending = eventlog::pending_migrations(database, &migrations()).await?;
    match pending.files.len() {
        0 => Ok(()),
        count => Err(StorageError::Pending(count)),
    }
}

/// The operator's database; nothing was said to it yet, no password either.
fn given(config: &Config, url: &str) -> Result<Database, StorageError> {
    let database = Database::new(url, options(config))?;
    if config.production && !database.is_private() {
        return Err(StorageError::Unsafe(
            "--production needs a checked line to the database, which this URL does not ask for: add sslmode=verify-full (and sslrootcert) to it, or use a Unix socket or loopback",
        ));
    }
    Ok(database)
}

/// The hot standby to follow the log at, if one is named. It may be out of reach: then this node answers
/// nothing until it is there.
///
/// # Errors
/// The URL can't be used.
pub fn followed(config: &Config) -> Result<Option<Database>, StorageError> {
    config.follow.as_ref().map(|url| given(config, url.expose_secret())).transpose()
}

/// Refuses settings under which an acknowledged write could be lost or history be changed. A commit
/// that waits for no standby counts as lost where a standby may take over.
async fn refuse_unsafe(database: &Database, accept_async: bool) -> Result<(), StorageError> {
    let client = database.client().await?;
    let row = client
        .query_one(
            "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' \
                 AND current_setting('synchronous_commit') <> 'off', \
             (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), \
             current_setting('synchronous_standby_names') = '' \
                 AND EXISTS (SELECT FROM pg_stat_replication), \
             current_setting('synchronous_standby_names') <> '' \
                 AND current_setting('synchronous_commit') = 'local'",
            &[],
        )
        .await?;
    let refused = |unsafe_how| Err(StorageError::Unsafe(unsafe_how));
    if !row.try_get::<_, bool>(0)? {
        return refused(
            "the database runs with fsync, full_page_writes or synchronous_commit off and would lose acknowledged writes: turn them on",
        );
    }
    if row.try_get::<_, bool>(1)? {
        return refused(
            "the database URL names a superuser, who could change history: use a role in keyward_writer (deploy/roles.sql)",
        );
    }
    if row.try_get::<_, bool>(2)? && !accept_async {
        return refused(
            "the database has only asynchronous standbys, so that a failover can lose a revocation: set synchronous_standby_names, or --accept-async",
        );
    }
    if row.try_get::<_, bool>(3)? && !accept_async {
        return refused(
            "the database has synchronous standbys, but synchronous_commit = local does not wait for them, so that a failover can lose a revocation: set synchronous_commit = on for this role and database, or --accept-async",
        );
    }
    Ok(())
}
