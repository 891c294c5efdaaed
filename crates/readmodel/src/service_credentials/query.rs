//! One service credential, lists of them, and all of them for a warm start.

use domain::service_credential::{
    Bounds, Permission, Proof, ServiceCredential, ServiceCredentialState,
};
use domain::{Env, ServiceCredentialId, SpiffeId, WorkspaceId};
use postgres_types::Type;
use serde::Deserialize;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::columns::Columns;
use crate::error::ReadError;
use crate::fold::Version;
use crate::page::{Page, PageRequest};
use crate::statement::Statement;

/// A service credential as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCredentialRow {
    /// The service credential.
    pub service_credential: ServiceCredential,
    /// The revision of its stream that it was read at: its etag.
    pub revision: u64,
}

/// Which service credentials to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceCredentialFilter {
    /// Only those that may act in this workspace, those bound to none included.
    pub workspace: Option<WorkspaceId>,
    /// Whether revoked ones are listed.
    pub include_dead: bool,
}

const TABLE: &str = "service_credentials";

/// The columns of [`read`], in its order.
pub(super) const COLUMNS: &str = "service_credential_id, created_by, name, permissions, \
    workspaces, envs, kid, pepper, algorithm, digest, identity, created_at, revoked_at, revision, \
    position";

/// The service credential of this id.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn get(
    client: &impl GenericClient,
    id: ServiceCredentialId,
) -> Result<Option<ServiceCredentialRow>, ReadError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM readmodel.service_credentials WHERE service_credential_id = $1"
    );
    let row = client.query_typed_opt(&sql, &[(&id.uuid(), Type::UUID)]).await?;
    row.map(|row| read(&row).map(|(row, _)| row)).transpose()
}

/// One page of the service credentials that pass `filter`.
///
/// # Errors
/// [`ReadError::ForeignCursor`] if the cursor is of another order; [`ReadError::Unavailable`], or
/// [`ReadError::Corrupt`].
pub async fn list(
    client: &impl GenericClient,
    filter: &ServiceCredentialFilter,
    page: &PageRequest,
) -> Result<Page<ServiceCredentialRow>, ReadError> {
    let sql = format!("SELECT {COLUMNS} FROM readmodel.service_credentials WHERE true");
    let mut statement = Statement::new(sql);
    if !filter.include_dead {
        statement.and("revoked_at IS NULL");
    }
    if let Some(workspace) = filter.workspace {
        let workspace = statement.value(workspace.uuid(), Type::UUID);
        statement.and(&format!("(workspaces = '{{}}' OR {workspace} = ANY (workspaces))"));
    }
    statement.page("service_credential_id", page)?;
    let rows = statement.rows(client).await?;
    let rows = rows.iter().map(|row| read(row).map(|(row, _)| row)).collect::<Result<_, _>>()?;
    Ok(Page::cut(page, rows, |row: &ServiceCredentialRow| {
        let credential = &row.service_credential;
        (credential.created_at, credential.service_credential_id.uuid())
    }))
}

/// Every service credential.
pub(crate) async fn all(client: &impl GenericClient) -> Result<Vec<ServiceCredential>, ReadError> {
    let sql = format!("SELECT {COLUMNS} FROM readmodel.service_credentials");
    let rows = client.query_typed(&sql, &[]).await?;
    rows.iter().map(|row| read(row).map(|(row, _)| row.service_credential)).collect()
}

/// The service credential of a row, and the position of the last event in it.
fn read(row: &Row) -> Result<(ServiceCredentialRow, u64), ReadError> {
    let mut columns = Columns::new(TABLE, row);
    let service_credential = ServiceCredential {
        service_credential_id: ServiceCredentialId::new(columns.take()?),
        created_by: columns.take()?,
        name: columns.stored()?,
        permissions: words::<Permission>(&mut columns)?,
        bounds: Bounds {
            workspaces: columns.take::<Vec<Uuid>>()?.into_iter().map(WorkspaceId::new).collect(),
            envs: words::<Env>(&mut columns)?,
        },
        proof: proof(&mut columns)?,
        created_at: columns.moment()?,
        revoked_at: columns.moment_or_null()?,
    };
    let (revision, position) = (columns.count()?, columns.count()?);
    Ok((ServiceCredentialRow { service_credential, revision }, position))
}

/// The one proof that the row has.
fn proof(columns: &mut Columns<'_, Row>) -> Result<Proof, ReadError> {
    let secret = columns.credential_or_null()?;
    let identity = match columns.take::<Option<&str>>()? {
        Some(text) => Some(SpiffeId::new(text).map_err(|cause| columns.corrupt(cause))?),
        None => None,
    };
    Proof::from_parts(secret, identity).map_err(|cause| columns.corrupt(cause))
}

fn words<'a, T: Deserialize<'a>>(columns: &mut Columns<'a, Row>) -> Result<Vec<T>, ReadError> {
    let words: Vec<&str> = columns.take()?;
    let words = words.into_iter().map(crate::columns::stored).collect::<Result<_, _>>();
    words.map_err(|cause| columns.corrupt(cause))
}

/// What a projection needs to know of a row.
pub(super) fn stored(
    row: &Row,
) -> Result<(ServiceCredentialId, Version<ServiceCredentialState>), ReadError> {
    let (row, position) = read(row)?;
    let (id, revision) = (row.service_credential.service_credential_id, row.revision);
    let state = ServiceCredentialState::Present(Box::new(row.service_credential));
    Ok((id, Version { state, revision, position }))
}
