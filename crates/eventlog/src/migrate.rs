//! The migrator: forward only, one transaction a file, under one advisory lock.
//!
//! Each component (this crate, the read models, the service) brings its own numbered files. A file
//! that was applied is never edited; there is deliberately no way down.

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use crate::database::{Connection, Database};
use crate::error::{Cause, LogError, sqlstate};

/// The files of one component, in order.
#[derive(Clone, Copy, Debug)]
pub struct MigrationSet {
    /// Whose files these are, for instance `log`.
    pub component: &'static str,
    /// All files since the first, in order. The place in this list is the file's number.
    pub files: &'static [Migration],
}

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name, for instance `0001_log.sql`.
    pub name: &'static str,
    /// Its content.
    pub sql: &'static str,
}

/// The tables of the log itself.
pub const LOG_MIGRATIONS: MigrationSet = MigrationSet {
    component: "log",
    files: &[
        Migration { name: "0001_log.sql", sql: include_str!("../migrations/0001_log.sql") },
        Migration {
            name: "0002_requests.sql",
            sql: include_str!("../migrations/0002_requests.sql"),
        },
        Migration {
            name: "0003_verifier_leases.sql",
            sql: include_str!("../migrations/0003_verifier_leases.sql"),
        },
        Migration { name: "0004_audit.sql", sql: include_str!("../migrations/0004_audit.sql") },
        Migration {
            name: "0005_verifier_beats.sql",
            sql: include_str!("../migrations/0005_verifier_beats.sql"),
        },
        Migration {
            name: "0006_chain_keys.sql",
            sql: include_str!("../migrations/0006_chain_keys.sql"),
        },
    ],
};

/// What the migrator did, or found still to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// `component/file`, in the order they were applied.
    pub files: Vec<String>,
}

/// Why the migrator refuses.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file that was applied has another content now.
    #[error("migration {component}/{name} was changed after it was applied")]
    Changed {
        /// Whose file.
        component: &'static str,
        /// Which file.
        name: String,
    },
    /// A file that was applied is not the one this program has under its number.
    #[error("migration {component}/{name} was applied but is missing here")]
    Missing {
        /// Whose file.
        component: &'static str,
        /// Which file.
        name: String,
    },
    /// The database is ahead of this program.
    #[error("the database has {component}/{name}: it is newer than this program")]
    Newer {
        /// Whose file.
        component: &'static str,
        /// Which file.
        name: String,
    },
    /// The database's roles are missing.
    #[error(
        "role {0} is missing or lacks a right: run deploy/roles.sql in this database as a superuser"
    )]
    Roles(&'static str),
    /// A file failed; nothing of it remains.
    #[error("migration {component}/{name} failed")]
    Failed {
        /// Whose file.
        component: &'static str,
        /// Which file.
        name: &'static str,
        /// What the database said.
        #[source]
        cause: Cause,
    },
    /// The database does not answer or does not let us in.
    #[error("the migrations could not be read or recorded")]
    Log(#[from] LogError),
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Log(error.into())
    }
}

const OWNER: &str = "keyward_owner";
const ROLES: [&str; 4] = [OWNER, "keyward_migrator", "keyward_writer", "keyward_reader"];

/// Applies what is missing. May run in any number of programs at once: one works, the others wait
/// and then find nothing to do.
///
/// # Errors
/// See [`MigrateError`]. Files before a failing one stay applied.
pub async fn migrate(database: &Database, sets: &[MigrationSet]) -> Result<Migrated, MigrateError> {
    let settings = [("statement_timeout", "0"), ("lock_timeout", "60000")];
    let mut connection = database.connect("migrate", &settings).await?;
    // Held by the session: it ends with the connection, however this function ends.
    connection
        .execute("SELECT pg_advisory_lock(hashtextextended('keyward migrations', 0))", &[])
        .await?;
    become_owner(&connection).await?;
    connection
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS log; \
             CREATE TABLE IF NOT EXISTS log.migrations ( \
                 component  text        NOT NULL, \
                 number     integer     NOT NULL, \
                 name       text        NOT NULL, \
                 checksum   text        NOT NULL, \
                 applied_at timestamptz NOT NULL DEFAULT clock_timestamp(), \
                 PRIMARY KEY (component, number)); \
             GRANT USAGE ON SCHEMA log TO keyward_writer, keyward_reader; \
             GRANT SELECT ON log.migrations TO keyward_writer, keyward_reader",
        )
        .await?;
    let mut migrated = Migrated::default();
    for set in sets {
        let pending = pending(&connection, set).await?;
        for (number, file) in pending {
            apply(&mut connection, set.component, number, file).await?;
            tracing::info!(component = set.component, file = file.name, "migration applied");
            migrated.files.push(format!("{}/{}", set.component, file.name));
        }
    }
    Ok(migrated)
}

/// Says what [`migrate`] would apply, without changing anything.
///
/// # Errors
/// See [`MigrateError`].
pub async fn pending_migrations(
    database: &Database,
    sets: &[MigrationSet],
) -> Result<Migrated, MigrateError> {
    let connection = database.connect("migrate", &[("statement_timeout", "5000")]).await?;
    let exists = "SELECT to_regclass('log.migrations') IS NOT NULL";
    let exists: bool = connection.query_one(exists, &[]).await?.try_get(0)?;
    let mut found = Migrated::default();
    for set in sets {
        let files: Vec<_> = if exists {
            pending(&connection, set).await?.into_iter().map(|(_, file)| file).collect()
        } else {
            set.files.iter().collect()
        };
        found.files.extend(files.iter().map(|file| format!("{}/{}", set.component, file.name)));
    }
    Ok(found)
}

/// Acts as the owner, so that every table is owned by a role nobody logs in as.
async fn become_owner(connection: &Connection) -> Result<(), MigrateError> {
    for role in ROLES {
        let found =
            connection.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role]).await?;
        found.ok_or(MigrateError::Roles(role))?;
    }
    let rights = "SELECT has_database_privilege($1, current_database(), 'CREATE'), \
         current_database(), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), \
         pg_has_role(current_user, $1, 'MEMBER')";
    let row = connection.query_one(rights, &[&OWNER]).await?;
    let (may_create, name): (bool, String) = (row.try_get(0)?, row.try_get(1)?);
    let (superuser, member): (bool, bool) = (row.try_get(2)?, row.try_get(3)?);
    if !may_create && superuser {
        let name = name.replace('"', "\"\"");
        connection
            .batch_execute(&format!("GRANT CREATE ON DATABASE \"{name}\" TO {OWNER}"))
            .await?;
    } else if !may_create || !member {
        return Err(MigrateError::Roles(OWNER));
    }
    connection.batch_execute(&format!("SET ROLE {OWNER}")).await?;
    Ok(())
}

/// Compares what was applied with what is here; returns the files still to apply.
async fn pending(
    connection: &Connection,
    set: &MigrationSet,
) -> Result<Vec<(i32, &'static Migration)>, MigrateError> {
    const APPLIED: &str =
        "SELECT number, name, checksum FROM log.migrations WHERE component = $1 ORDER BY number";
    // Postgres makes the checksums: no hash function is needed here.
    const CHECKSUM: &str = "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')";
    let component = set.component;
    let applied = connection.query(APPLIED, &[&component]).await?;
    let mut files = (1_i32..).zip(set.files);
    for row in applied {
        let (number, name): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some((due, file)) = files.next() else {
            return Err(MigrateError::Newer { component, name });
        };
        if due != number || file.name != name {
            return Err(MigrateError::Missing { component, name });
        }
        let checksum: String = connection.query_one(CHECKSUM, &[&file.sql]).await?.try_get(0)?;
        if checksum != row.try_get::<_, String>(2)? {
            return Err(MigrateError::Changed { component, name });
        }
    }
    Ok(files.collect())
}

async fn apply(
    connection: &mut Connection,
    component: &'static str,
    number: i32,
    file: &'static Migration,
) -> Result<(), MigrateError> {
    let failed = |error: tokio_postgres::Error| match sqlstate(&error) {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => MigrateError::Roles(OWNER),
        Some(_) | None => {
            MigrateError::Failed { component, name: file.name, cause: std::sync::Arc::new(error) }
        }
    };
    let transaction = connection.transaction().await?;
    run_file(&transaction, component, number, file).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn run_file(
    transaction: &Transaction<'_>,
    component: &'static str,
    number: i32,
    file: &'static Migration,
) -> Result<(), tokio_postgres::Error> {
    const RECORD: &str = "INSERT INTO log.migrations (component, number, name, checksum) \
         VALUES ($1, $2, $3, encode(sha256(convert_to($4, 'UTF8')), 'hex'))";
    transaction.batch_execute(file.sql).await?;
    transaction.execute(RECORD, &[&component, &number, &file.name, &file.sql]).await?;
    Ok(())
}
