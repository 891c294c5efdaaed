//! One workspace, and all of them for a warm start.

use domain::WorkspaceId;
use domain::workspace::{Workspace, WorkspaceState};
use postgres_types::Type;
use tokio_postgres::{GenericClient, Row};

use crate::columns::Columns;
use crate::error::ReadError;
use crate::fold::Version;

/// A workspace as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// The workspace.
    pub workspace: Workspace,
    /// The revision of the workspace's stream that it was read at: its etag.
    pub revision: u64,
}

const TABLE: &str = "workspaces";

/// The columns of [`read`], in its order.
pub(super) const COLUMNS: &str = "workspace_id, created_by, name, token_kid, token_pepper, \
    token_algorithm, token_digest, created_at, updated_at, suspended_at, suspended_reason, \
    revision, position";

/// The workspace of this id.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn get(
    client: &impl GenericClient,
    workspace_id: WorkspaceId,
) -> Result<Option<WorkspaceRow>, ReadError> {
    let sql = format!("SELECT {COLUMNS} FROM readmodel.workspaces WHERE workspace_id = $1");
    let row = client.query_typed_opt(&sql, &[(&workspace_id.uuid(), Type::UUID)]).await?;
    row.map(|row| read(&row).map(|(row, _)| row)).transpose()
}

/// Every workspace.
pub(crate) async fn all(client: &impl GenericClient) -> Result<Vec<Workspace>, ReadError> {
    let sql = format!("SELECT {COLUMNS} FROM readmodel.workspaces");
    let rows = client.query_typed(&sql, &[]).await?;
    rows.iter().map(|row| read(row).map(|(row, _)| row.workspace)).collect()
}

/// The workspace of a row, and the position of the last event in it.
fn read(row: &Row) -> Result<(WorkspaceRow, u64), ReadError> {
    let mut columns = Columns::new(TABLE, row);
    let workspace = Workspace {
        workspace_id: WorkspaceId::new(columns.take()?),
        created_by: columns.take()?,
        name: columns.stored()?,
        token: columns.credential()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
        suspended: match (columns.moment_or_null()?, columns.take::<Option<&str>>()?) {
            (None, _) => None,
            (Some(at), reason) => {
                let reason = crate::columns::stored(reason.unwrap_or_default());
                Some((at, reason.map_err(|cause| columns.corrupt(cause))?))
            }
        },
    };
    let (revision, position) = (columns.count()?, columns.count()?);
    Ok((WorkspaceRow { workspace, revision }, position))
}

/// What a projection needs to know of a row.
pub(super) fn stored(row: &Row) -> Result<(WorkspaceId, Version<WorkspaceState>), ReadError> {
    let (row, position) = read(row)?;
    let (workspace_id, revision) = (row.workspace.workspace_id, row.revision);
    let state = WorkspaceState::Present(row.workspace);
    Ok((workspace_id, Version { state, revision, position }))
}
