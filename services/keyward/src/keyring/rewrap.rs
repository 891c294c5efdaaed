//! Wrapping every data key anew, under the active KEK. What is sealed is not touched.
//!
//! Safe beside running nodes: a row changes only if it still is what was read, and whoever reads it
//! before or after opens the same data key. It may be stopped anywhere, and run again.

use domain::WorkspaceId;
use eventlog::Database;
use uuid::Uuid;
use vault::{Keks, WrappedDek};

use crate::storage::StorageError;

/// Rows of one statement.
const BATCH: i64 = 500;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rewrapped {
    /// Rows that were looked at.
    pub(crate) looked_at: u64,
    /// Rows that are under the active KEK now.
    pub(crate) done: u64,
    /// Rows that don't open.
    pub(crate) unreadable: u64,
}

/// Wraps every data key that is under another KEK. `progress` is told (looked at, all) after each batch.
///
/// # Errors
/// The database does not answer; what was done stays.
pub(crate) async fn rewrap(
    database: &Database,
    keks: &Keks,
    mut progress: impl FnMut(u64, u64),
) -> Result<Rewrapped, StorageError> {
    const ALL: &str = "SELECT count(*) FROM vault.data_keys WHERE kek <> $1";
    const READ: &str = "SELECT dek_id, workspace_id, kek, wrapped FROM vault.data_keys \
         WHERE kek <> $1 AND dek_id > $2 ORDER BY dek_id LIMIT $3";
    const WRITE: &str = "UPDATE vault.data_keys AS kept SET kek = $1, wrapped = new.wrapped \
         FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS new (dek_id, before, wrapped) \
         WHERE kept.dek_id = new.dek_id AND kept.wrapped = new.before";
    let client = database.connect("keyring", &[("statement_timeout", "0")]).await?;
    let active = i32::from(keks.active_id());
    let all: i64 = client.query_one(ALL, &[&active]).await?.try_get(0)?;
    let mut came = Rewrapped::default();
    let mut last = Uuid::nil();
    loop {
        let rows = client.query(READ, &[&active, &last, &BATCH]).await?;
        let Some(end) = rows.last() else {
            return Ok(came);
        };
        last = end.try_get(0)?;
        let (mut ids, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let (id, workspace): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
            let wrapped: Vec<u8> = row.try_get(3)?;
            match anew(keks, workspace, id, row.try_get(2)?, &wrapped) {
                Some(new) => {
                    ids.push(id);
                    before.push(wrapped);
                    after.push(new);
                }
                None => came.unreadable += 1,
            }
        }
        came.done += client.execute(WRITE, &[&active, &ids, &before, &after]).await?;
        came.looked_at += rows.len() as u64;
        progress(came.looked_at, all.unsigned_abs().max(came.looked_at));
    }
}

fn anew(keks: &Keks, workspace: Uuid, id: Uuid, kek: i32, wrapped: &[u8]) -> Option<Vec<u8>> {
    let kek = u16::try_from(kek).ok()?;
    let wrapped = WrappedDek { kek, bytes: wrapped.to_vec() };
    match keks.rewrap(WorkspaceId::new(workspace), id, &wrapped) {
        Ok(new) => Some(new.bytes),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(%id, error, "a data key does not open");
            None
        }
    }
}
