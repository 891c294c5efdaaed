//! The verifier's warm start: everything it needs, as of one moment, read in one pass.
//!
//! Deliberately absent: what the verifier does with it, and following the log from there on.

use std::pin::pin;

use domain::KeyId;
use domain::api_key::ApiKey;
use domain::service_credential::ServiceCredential;
use domain::workspace::Workspace;
use eventlog::Position;
use futures_util::TryStreamExt;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::{Client, IsolationLevel, Transaction};
use uuid::Uuid;

use crate::columns::Columns;
use crate::error::ReadError;
use crate::keys::{
    COLUMNS, CREDENTIAL_COLUMNS, SNAPSHOT_TYPES, TABLE, WIDTH, credential_of_row, key_of_row,
};
use crate::quarantine::{Quarantined, quarantined};
use crate::{service_credentials, workspaces};

/// What a snapshot is as of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last position in the keys and their credentials.
    pub keys: Position,
    /// The last position in the workspaces and service credentials.
    pub workspaces: Position,
    /// How many keys there were.
    pub key_count: u64,
    /// What has rows that may be stale: nothing may be decided for it.
    pub quarantined: Vec<Quarantined>,
}

impl Snapshot {
    /// From here on the log must be followed. Events up to [`keys`](Self::keys) and
    /// [`workspaces`](Self::workspaces), each of its own kind, are in what was loaded already: applied
    /// again they would show the past for a while.
    #[must_use]
    pub fn follow_from(&self) -> Position {
        self.keys.min(self.workspaces)
    }
}

/// Hands every workspace, service credential and key (dead ones too, with all credentials) to the
/// sinks, in this order of nouns.
///
/// A dedicated connection without statement timeout is the right one; how long it may take is for
/// the caller to bound. On an error the sinks have seen a part.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn load(
    client: &mut Client,
    mut workspace: impl FnMut(Workspace),
    mut service_credential: impl FnMut(ServiceCredential),
    mut key: impl FnMut(ApiKey),
) -> Result<Snapshot, ReadError> {
    // Before the first query, which fixes what is visible: a rebuild that puts new tables in place
    // after that would show them empty. Names are the same before and after.
    const LOCK: &str = "LOCK TABLE readmodel.keys, readmodel.credentials, readmodel.workspaces, \
        readmodel.service_credentials, readmodel.keys_quarantine, readmodel.configs_quarantine, \
        readmodel.workspaces_quarantine, readmodel.service_credentials_quarantine \
        IN ACCESS SHARE MODE";
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    transaction.batch_execute(LOCK).await?;
    let positions = checkpoints(&transaction).await?;
    workspaces::all(&transaction).await?.into_iter().for_each(&mut workspace);
    service_credentials::all(&transaction).await?.into_iter().for_each(&mut service_credential);
    let quarantined = quarantined(&transaction).await?;
    let key_count = copy_keys(&transaction, &mut key).await?;
    transaction.commit().await?;
    Ok(Snapshot { keys: positions.0, workspaces: positions.1, key_count, quarantined })
}

/// The checkpoints of `keys` and `workspaces`.
async fn checkpoints(transaction: &Transaction<'_>) -> Result<(Position, Position), ReadError> {
    const SQL: &str = "SELECT \
        coalesce((SELECT position FROM log.checkpoints WHERE name = 'keys'), 0), \
        coalesce((SELECT position FROM log.checkpoints WHERE name = 'workspaces'), 0)";
    let row = transaction.query_typed_one(SQL, &[]).await?;
    let mut columns = Columns::new("checkpoints", &row);
    Ok((Position::new(columns.count()?), Position::new(columns.count()?)))
}

/// While this decodes, the connection's own task reads and the server sends on.
async fn copy_keys(
    transaction: &Transaction<'_>,
    key: &mut impl FnMut(ApiKey),
) -> Result<u64, ReadError> {
    // Nearly every key has its first credential and no other: one row each, in whatever order is the
    // quickest to read. The rows of the others have to come side by side.
    let rotated = "EXISTS (SELECT FROM readmodel.credentials AS r \
         WHERE r.key_id = k.key_id AND r.generation <> 1)";
    let mut gathered = Gathered { key: None, count: 0, sink: key };
    for which in [format!("NOT {rotated}"), format!("{rotated} ORDER BY k.key_id")] {
        let sql = format!(
            "COPY (SELECT {COLUMNS}, {CREDENTIAL_COLUMNS} FROM readmodel.keys AS k \
             LEFT JOIN readmodel.credentials AS c ON c.key_id = k.key_id \
             WHERE {which}) TO STDOUT (FORMAT binary)"
        );
        let rows = BinaryCopyOutStream::new(transaction.copy_out(&sql).await?, SNAPSHOT_TYPES);
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await? {
            gathered.add(&row)?;
        }
        gathered.hand_over();
    }
    Ok(gathered.count)
}

/// The key whose rows are coming in: one row a credential.
struct Gathered<'a, F> {
    key: Option<ApiKey>,
    count: u64,
    sink: &'a mut F,
}

impl<F: FnMut(ApiKey)> Gathered<'_, F> {
    fn add(&mut self, row: &BinaryCopyOutRow) -> Result<(), ReadError> {
        let mut columns = Columns::new(TABLE, row);
        let key_id = KeyId::new(columns.take::<Uuid>()?);
        if self.key.as_ref().is_none_or(|key| key.key_id != key_id) {
            self.hand_over();
            self.key = Some(key_of_row(&mut columns, key_id)?);
        }
        columns.go_on("credentials", WIDTH);
        let credential = credential_of_row(&mut columns)?;
        if let Some(key) = &mut self.key {
            key.credentials.extend(credential);
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        if let Some(mut key) = self.key.take() {
            key.credentials.sort_unstable_by_key(|credential| credential.generation);
            self.count += 1;
            (self.sink)(key);
        }
    }
}
