//! Workspaces that have an event which a projection could not read.
//!
//! The first such event is recorded and the projection goes on: later facts of the workspace, a
//! revocation among them, are still applied, and other workspaces are not held up. What the tables
//! show of a quarantined workspace may be stale until a newer build has rebuilt the projection. Each
//! projection has a table of its own, so that a rebuild begins without old entries.

use deadpool_postgres::Transaction;
use eventlog::Position;
use tokio_postgres::GenericClient;

use crate::columns::{Columns, bigint};
use crate::error::ReadError;
use crate::fold::{FoldError, Unreadable};
use crate::statement::arrays;

/// A workspace that a projection could not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The workspace, as the log spells it.
    pub workspace_id: String,
    /// The projection.
    pub projection: String,
    /// The first event that it could not read.
    pub position: Position,
    /// Why not.
    pub reason: String,
}

/// All quarantined workspaces, by projection, the oldest first.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn quarantined(client: &impl GenericClient) -> Result<Vec<Quarantined>, ReadError> {
    const SQL: &str = "\
        SELECT 'keys', workspace_id, position, reason FROM readmodel.keys_quarantine \
        UNION ALL \
        SELECT 'configs', workspace_id, position, reason FROM readmodel.configs_quarantine \
        UNION ALL \
        SELECT 'workspaces', workspace_id, position, reason FROM readmodel.workspaces_quarantine \
        ORDER BY 1, 3";
    let rows = client.query_typed(SQL, &[]).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new("quarantine", row);
            Ok(Quarantined {
                projection: columns.take()?,
                workspace_id: columns.take()?,
                position: Position::new(columns.count()?),
                reason: columns.take()?,
            })
        })
        .collect()
}

/// Records what could not be read in `table`, one of the quarantine tables.
pub(crate) async fn record(
    transaction: &Transaction<'_>,
    table: &'static str,
    unreadable: &[Unreadable],
) -> Result<(), FoldError> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO {table} AS t (workspace_id, position, reason) \
         SELECT DISTINCT ON (1) * FROM unnest($1::text[], $2::bigint[], $3::text[]) AS new (w, p, r) \
         ORDER BY 1, 2 \
         ON CONFLICT (workspace_id) DO UPDATE SET (position, reason) = (excluded.position, excluded.reason) \
         WHERE excluded.position < t.position"
    );
    let values = arrays!(event in unreadable =>
        event.workspace_id.as_str(),
        bigint(event.position),
        event.reason.as_str()
    );
    transaction.execute(&sql, &values).await?;
    Ok(())
}
