//! Filling a projection's tables anew, beside the live ones, and switching in one transaction.
//!
//! Readers see the old tables until the switch and the new ones after it. Nothing of the old rows is
//! used. A rebuild that dies leaves the live tables as they were; the next one starts from scratch.

use std::error::Error;
use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio_postgres::error::SqlState;

use crate::chain::{ChainMac, Tip};
use crate::checkpoint::Checkpoints;
use crate::database::{Connection, Database};
use crate::error::{LogError, sqlstate};
use crate::event::Position;
use crate::projection::{
    Projection, ProjectionError, RunError, prepare_transaction, read_after, store,
};

/// How many events are folded in one transaction.
const PAGE: usize = 5_000;
/// How often the switch waits for readers before it gives up.
const SWITCH_ATTEMPTS: u32 = 10;

/// Why a rebuild did not happen. The live tables are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another rebuild of the same projection is at work.
    #[error("projection {0} is being rebuilt already")]
    AlreadyRunning(&'static str),
    /// A table has something that a new table would lose.
    #[error("table {table} cannot be rebuilt: it has {what}")]
    Unsupported {
        /// The table.
        table: String,
        /// What would be lost.
        what: String,
    },
    /// The projection refuses an event.
    #[error("the projection refuses a batch after position {after}")]
    Apply {
        /// The last position that was applied.
        after: Position,
        /// What it said.
        #[source]
        cause: ProjectionError,
    },
    /// The log cannot be read, or the tables cannot be made.
    #[error("the rebuild failed")]
    Log(#[from] LogError),
}

impl From<tokio_postgres::Error> for RebuildError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<RunError> for RebuildError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Log(error) => Self::Log(error),
            RunError::Apply { after, cause } => Self::Apply { after, cause },
        }
    }
}

/// Folds the whole log into new tables and puts them in the place of the live ones. `progress` is
/// told (done, head) after each page. Returns the position the new tables stand at.
///
/// The database role must be able to act as the tables' owner.
///
/// # Errors
/// See [`RebuildError`].
pub async fn rebuild(
    database: &Database,
    chain: &ChainMac,
    projection: &impl Projection,
    checkpoints: &Checkpoints,
    mut progress: impl FnMut(Position, Position),
) -> Result<Position, RebuildError> {
    let settings = [("statement_timeout", "0"), ("lock_timeout", "5000")];
    let mut connection = database.connect("rebuild", &settings).await?;
    let names = Names::of(projection);
    take_turn(&connection, projection.name()).await?;
    let rebuilt = fold_and_switch(&mut connection, chain, projection, &names, &mut progress).await;
    if rebuilt.is_err() {
        names.discard(&connection).await;
    }
    end_turn(&connection, projection.name()).await;
    let position = rebuilt?;
    checkpoints.publish(projection.name(), position);
    progress(position, position);
    Ok(position)
}

async fn fold_and_switch(
    connection: &mut Connection,
    chain: &ChainMac,
    projection: &impl Projection,
    names: &Names,
    progress: &mut impl FnMut(Position, Position),
) -> Result<Position, RebuildError> {
    names.check(connection).await?;
    make_tables(connection, names).await?;
    let mut position = Position::ZERO;
    loop {
        let transaction = connection.transaction().await.map_err(LogError::from)?;
        prepare_transaction(&transaction, &names.scratch).await?;
        let tip = fold_page(&transaction, chain, projection, position).await?;
        let head = head_position(&transaction).await?;
        transaction.commit().await.map_err(LogError::from)?;
        progress(tip.position, head);
        if tip.position == position {
            break;
        }
        position = tip.position;
    }
    for table in names.tables {
        let sql = format!("ANALYZE {}.{}", quoted(&names.scratch), quoted(table));
        connection.batch_execute(&sql).await?;
    }
    switch_over(connection, chain, projection, names, position).await
}

async fn take_turn(connection: &Connection, name: &'static str) -> Result<(), RebuildError> {
    const TURN: &str = "SELECT pg_try_advisory_lock(hashtextextended('keyward rebuild ' || $1, 0))";
    let taken: bool = connection.query_one(TURN, &[&name]).await?.try_get(0)?;
    if taken { Ok(()) } else { Err(RebuildError::AlreadyRunning(name)) }
}

/// Lets the next one in at once: a closed connection gives its lock back only when the server has
/// noticed that it is closed, which is soon enough where this fails.
async fn end_turn(connection: &Connection, name: &'static str) {
    const END: &str = "SELECT pg_advisory_unlock(hashtextextended('keyward rebuild ' || $1, 0))";
    if let Err(error) = connection.query_one(END, &[&name]).await {
        tracing::debug!(error = &error as &dyn Error, "the turn ends with the connection");
    }
}

/// Makes the new tables as the owner of the live ones, and acts as that role from here on.
async fn make_tables(connection: &Connection, names: &Names) -> Result<(), RebuildError> {
    const OWNER: &str = "SELECT coalesce(min(quote_ident(pg_get_userbyid(relowner))), 'CURRENT_USER') \
         FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname = ANY ($2)";
    let owner = connection.query_one(OWNER, &[&quoted(names.live), &names.tables]).await?;
    let owner: String = owner.try_get(0)?;
    let scratch = quoted(&names.scratch);
    // Made before the change of role: a superuser needs no grant on the database.
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS {scratch} CASCADE; CREATE SCHEMA {scratch} AUTHORIZATION {owner}"
        ))
        .await?;
    if owner != "CURRENT_USER" {
        connection.batch_execute(&format!("SET ROLE {owner}")).await?;
    }
    names.make(connection).await
}

async fn head_position(transaction: &Transaction<'_>) -> Result<Position, LogError> {
    let row = transaction.query_one("SELECT position FROM log.head", &[]).await?;
    Ok(Position::from_sql(row.try_get(0)?))
}

async fn fold_page(
    transaction: &Transaction<'_>,
    chain: &ChainMac,
    projection: &impl Projection,
    after: Position,
) -> Result<Tip, RunError> {
    let (events, tip) = read_after(transaction, chain, after, PAGE).await?;
    if !events.is_empty() {
        projection
            .apply(transaction, &events)
            .await
            .map_err(|cause| RunError::Apply { after, cause })?;
    }
    Ok(tip)
}

async fn switch_over(
    connection: &mut Connection,
    chain: &ChainMac,
    projection: &impl Projection,
    names: &Names,
    position: Position,
) -> Result<Position, RebuildError> {
    let mut attempt = 1;
    loop {
        let error = match switch_once(connection, chain, projection, names, position).await {
            Ok(position) => return Ok(position),
            Err(error) => error,
        };
        let busy = [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::T_R_DEADLOCK_DETECTED];
        let retry =
            sqlstate(&error as &(dyn Error + 'static)).is_some_and(|code| busy.contains(&code));
        if !retry || attempt == SWITCH_ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One transaction: stop the runners, apply what is left, exchange the tables, move the checkpoint.
async fn switch_once(
    connection: &mut Connection,
    chain: &ChainMac,
    projection: &impl Projection,
    names: &Names,
    mut position: Position,
) -> Result<Position, RebuildError> {
    let transaction = connection.transaction().await.map_err(LogError::from)?;
    prepare_transaction(&transaction, &names.scratch).await?;
    store(&transaction, projection.name(), position).await?;
    loop {
        let tip = fold_page(&transaction, chain, projection, position).await?;
        if tip.position == position {
            break;
        }
        position = tip.position;
    }
    // Everything the old tables held was read after the checkpoint was locked, so the new tables
    // never stand behind them.
    names.exchange(&transaction).await?;
    store(&transaction, projection.name(), position).await?;
    // Unlike a batch, the exchange waits for the disk: it is not repeated by itself.
    transaction.batch_execute("SET LOCAL synchronous_commit = on").await.map_err(LogError::from)?;
    transaction.commit().await.map_err(LogError::from)?;
    Ok(position)
}

/// The live and the new tables of a projection.
struct Names {
    live: &'static str,
    scratch: String,
    tables: &'static [&'static str],
}

impl Names {
    fn of(projection: &impl Projection) -> Self {
        let live = projection.schema();
        let scratch = format!("{live}_rebuild_{}", projection.name());
        Self { live, scratch, tables: projection.tables() }
    }

    /// Refuses what `CREATE TABLE LIKE` does not carry over.
    async fn check(&self, connection: &Connection) -> Result<(), RebuildError> {
        const LOST: &str = "SELECT c.relname, what FROM pg_class c, LATERAL ( \
             SELECT 'foreign key ' || conname FROM pg_constraint \
                 WHERE contype = 'f' AND c.oid IN (conrelid, confrelid) \
             UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger \
                 WHERE tgrelid = c.oid AND NOT tgisinternal \
             UNION ALL SELECT 'policy ' || polname FROM pg_policy WHERE polrelid = c.oid \
             UNION ALL SELECT 'grants on column ' || attname FROM pg_attribute \
                 WHERE attrelid = c.oid AND attacl IS NOT NULL) AS lost (what) \
             WHERE c.relnamespace = to_regnamespace($1) AND c.relname = ANY ($2)";
        let tables = self.tables;
        if let Some(row) = connection.query(LOST, &[&quoted(self.live), &tables]).await?.first() {
            return Err(RebuildError::Unsupported {
                table: row.try_get(0)?,
                what: row.try_get(1)?,
            });
        }
        Ok(())
    }

    /// Takes the half-filled tables away and gives up the turn. What it fails to remove, the next
    /// rebuild will.
    async fn discard(&self, connection: &Connection) {
        let sql = format!(
            "DROP SCHEMA IF EXISTS {} CASCADE; SELECT pg_advisory_unlock_all()",
            quoted(&self.scratch)
        );
        if let Err(error) = connection.batch_execute(&sql).await {
            tracing::debug!(%error, "a failed rebuild left its tables");
        }
    }

    async fn make(&self, connection: &Connection) -> Result<(), RebuildError> {
        use std::fmt::Write as _;

        let (live, scratch) = (quoted(self.live), quoted(&self.scratch));
        let mut sql = String::new();
        for table in self.tables {
            let table = quoted(table);
            // Writing to a string cannot fail.
            let _ =
                write!(sql, "CREATE TABLE {scratch}.{table} (LIKE {live}.{table} INCLUDING ALL);");
        }
        connection.batch_execute(&sql).await?;
        Ok(())
    }

    async fn exchange(&self, transaction: &Transaction<'_>) -> Result<(), LogError> {
        for table in self.tables {
            let grants = self.grants(transaction, table).await?;
            let renames = self.index_renames(transaction, table).await?;
            let (live, scratch, table) = (quoted(self.live), quoted(&self.scratch), quoted(table));
            let sql = format!(
                "DROP TABLE {live}.{table}; ALTER TABLE {scratch}.{table} SET SCHEMA {live}; \
                 {renames} {grants}"
            );
            transaction.batch_execute(&sql).await?;
        }
        let drop = format!("DROP SCHEMA {}", quoted(&self.scratch));
        Ok(transaction.batch_execute(&drop).await?)
    }

    /// The statements that give the new table the grants of the old one.
    async fn grants(&self, transaction: &Transaction<'_>, table: &str) -> Result<String, LogError> {
        const GRANTS: &str = "SELECT coalesce(string_agg(format('GRANT %s ON %I.%I TO %s%s;', \
             privilege_type, $1::text, $2::text, \
             CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, \
             CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ' '), '') \
             FROM pg_class, aclexplode(relacl) \
             WHERE relnamespace = to_regnamespace(quote_ident($1::text)) AND relname = $2::text \
             AND grantee <> relowner";
        let row = transaction.query_one(GRANTS, &[&self.live, &table]).await?;
        Ok(row.try_get(0)?)
    }

    /// The statements that give the new table's indexes the names of the old ones: `LIKE` makes up
    /// names of its own. Pairs are found by definition; equal ones are interchangeable.
    async fn index_renames(
        &self,
        transaction: &Transaction<'_>,
        table: &str,
    ) -> Result<String, LogError> {
        const RENAMES: &str = "WITH named AS ( \
             SELECT n.nspname, i.relname, row_number() OVER ( \
                 PARTITION BY n.nspname, shape ORDER BY i.relname) AS turn, shape \
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
             JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace, \
             LATERAL (SELECT x.indisprimary::text || x.indisunique || \
                 regexp_replace(pg_get_indexdef(i.oid), '^.* USING ', '')) AS s (shape) \
             WHERE t.relname = $3::text) \
             SELECT coalesce(string_agg(format('ALTER INDEX %I.%I RENAME TO %I;', \
                 $1::text, made.relname, kept.relname), ' ' ORDER BY kept.relname), '') \
             FROM named kept JOIN named made USING (shape, turn) \
             WHERE kept.nspname = $1::text AND made.nspname = $2::text AND made.relname <> kept.relname";
        let row = transaction.query_one(RENAMES, &[&self.live, &self.scratch, &table]).await?;
        Ok(row.try_get(0)?)
    }
}

/// An SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
