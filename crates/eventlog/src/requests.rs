//! Clearing away what is kept of clients' requests: replies past their time, then the requests.
//!
//! In batches, each a transaction of its own: no statement is long, no row is locked for long, and
//! several programs share the work. It waits for no disk and no standby: what is lost is done again.

use jiff::Timestamp;
use tokio_postgres::IsolationLevel;

use crate::database::Database;
use crate::error::LogError;
use crate::transaction::transaction;

/// The most rows that one statement changes.
const BATCH: u64 = 1_000;

/// Removes the sealed replies whose time was over at `now`; says how many.
pub(crate) async fn purge(database: &Database, now: Timestamp) -> Result<u64, LogError> {
    let sql = format!(
        "UPDATE log.requests SET sealed_reply = NULL WHERE ctid = ANY (ARRAY (\
             SELECT ctid FROM log.requests WHERE expires_at <= $1 AND sealed_reply IS NOT NULL \
             ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED))"
    );
    in_batches(database, "purge_requests", &sql, now).await
}

/// Deletes the requests whose replies' time was over at `before`; says how many.
pub(crate) async fn forget(database: &Database, before: Timestamp) -> Result<u64, LogError> {
    let sql = format!(
        "DELETE FROM log.requests WHERE ctid = ANY (ARRAY (\
             SELECT ctid FROM log.requests WHERE expires_at <= $1 \
             ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED))"
    );
    in_batches(database, "forget_requests", &sql, before).await
}

/// Removes every sealed reply of a workspace, whatever its time.
pub(crate) async fn drop_replies(database: &Database, workspace: &str) -> Result<u64, LogError> {
    let client = database.client().await?;
    let sql = "UPDATE log.requests SET sealed_reply = NULL \
               WHERE workspace = $1 AND sealed_reply IS NOT NULL";
    Ok(client.execute(sql, &[&workspace]).await?)
}

async fn in_batches(
    database: &Database,
    name: &'static str,
    sql: &str,
    until: Timestamp,
) -> Result<u64, LogError> {
    let mut total = 0;
    loop {
        let changed = transaction(database, name, IsolationLevel::ReadCommitted, |transaction| {
            let sql = sql.to_owned();
            Box::pin(async move {
                transaction.batch_execute("SET LOCAL synchronous_commit = off").await?;
                let statement = transaction.prepare_cached(&sql).await?;
                Ok::<_, LogError>(transaction.execute(&statement, &[&until]).await?)
            })
        })
        .await?;
        total += changed;
        if changed < BATCH {
            return Ok(total);
        }
    }
}
