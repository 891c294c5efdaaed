//! Workspaces and service credentials that have an event which a projection could not read.
//!
//! The first such event of each is recorded and the projection goes on: later facts of it, a
//! revocation among them, are still applied, and others are not held up. What the tables show of it
//! may be stale until a newer build has rebuilt the projection. Each projection has tables of its
//! own, so that a rebuild begins without old entries.

use deadpool_postgres::Transaction;
use domain::Suspect;
use eventlog::Position;
use tokio_postgres::GenericClient;

use crate::columns::{Columns, bigint};
use crate::error::ReadError;
use crate::fold::{FoldError, Unreadable};
use crate::statement::arrays;

/// Something that a projection could not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// What it is.
    pub suspect: Suspect,
    /// The projection.
    pub projection: String,
    /// The first event that it could not read.
    pub position: Position,
    /// Why not.
    pub reason: String,
}

/// All that is quarantined, by projection, the oldest first.
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
        UNION ALL \
        SELECT 'workspaces', service_credential_id, position, reason \
        FROM readmodel.service_credentials_quarantine \
        ORDER BY 1, 3";
    let rows = client.query_typed(SQL, &[]).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new("quarantine", row);
            let projection = columns.take()?;
            let id: &str = columns.take()?;
            let suspect = (id.parse().map(Suspect::Workspace))
                .or_else(|_| id.parse().map(Suspect::ServiceCredential))
                .map_err(|cause| columns.corrupt(cause))?;
            Ok(Quarantined {
                suspect,
                projection,
                position: Position::new(columns.count()?),
                reason: columns.take()?,
            })
        })
        .collect()
}

/// Records the workspaces among `unreadable` in `table`, one of the quarantine tables.
pub(crate) async fn record_workspaces(
    transaction: &Transaction<'_>,
    table: &'static str,
    unreadable: &[Unreadable],
) -> Result<(), FoldError> {
    let own = |one: &&Unreadable| matches!(one.suspect, Suspect::Workspace(_));
    record(transaction, table, "workspace_id", unreadable.iter().filter(own).collect()).await
}

/// Records the service credentials among `unreadable`.
pub(crate) async fn record_service_credentials(
    transaction: &Transaction<'_>,
    unreadable: &[Unreadable],
) -> Result<(), FoldError> {
    let own = |one: &&Unreadable| matches!(one.suspect, Suspect::ServiceCredential(_));
    let unreadable = unreadable.iter().filter(own).collect();
    let table = "service_credentials_quarantine";
    record(transaction, table, "service_credential_id", unreadable).await
}

async fn record(
    transaction: &Transaction<'_>,
    table: &'static str,
    id: &'static str,
    unreadable: Vec<&Unreadable>,
) -> Result<(), FoldError> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO {table} AS t ({id}, position, reason) \
         SELECT DISTINCT ON (1) * FROM unnest($1::text[], $2::bigint[], $3::text[]) AS new (i, p, r) \
         ORDER BY 1, 2 \
         ON CONFLICT ({id}) DO UPDATE SET (position, reason) = (excluded.position, excluded.reason) \
         WHERE excluded.position < t.position"
    );
    let values = arrays!(event in unreadable =>
        event.suspect.to_string(),
        bigint(event.position),
        event.reason.as_str()
    );
    transaction.execute(&sql, &values).await?;
    Ok(())
}
