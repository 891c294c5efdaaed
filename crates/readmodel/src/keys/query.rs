//! One key, and how keys are selected with their credentials.

use domain::api_key::{ApiKey, Credential};
use domain::{KeyId, Kid, WorkspaceId};
use postgres_types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::row::{self, COLUMNS, KeyRow, TABLE};
use crate::columns::{Columns, Moment, credential};
use crate::error::ReadError;

/// The key of this id, if `workspace_id` owns it. Another workspace's key is answered as none.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn get(
    client: &impl GenericClient,
    workspace_id: WorkspaceId,
    key_id: KeyId,
) -> Result<Option<KeyRow>, ReadError> {
    let sql = select("readmodel.", "readmodel.keys", "WHERE k.key_id = $1 AND k.workspace_id = $2");
    let values: [(&(dyn postgres_types::ToSql + Sync), Type); 2] =
        [(&key_id.uuid(), Type::UUID), (&workspace_id.uuid(), Type::UUID)];
    let row = client.query_typed_opt(&sql, &values).await?;
    row.map(|row| stored(&row).map(|(row, _)| row)).transpose()
}

/// The keys of `workspace_id` that have, or once had, these credentials; in no order.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn of_credentials(
    client: &impl GenericClient,
    workspace_id: WorkspaceId,
    kids: &[Kid],
) -> Result<Vec<KeyId>, ReadError> {
    let kids: Vec<&[u8]> = kids.iter().map(|kid| kid.bits().as_slice()).collect();
    let sql = "SELECT DISTINCT key_id FROM readmodel.credentials \
               WHERE workspace_id = $1 AND kid = ANY($2)";
    let values: [(&(dyn postgres_types::ToSql + Sync), Type); 2] =
        [(&workspace_id.uuid(), Type::UUID), (&kids, Type::BYTEA_ARRAY)];
    let rows = client.query_typed(sql, &values).await?;
    let id = |row: &Row| Columns::new("credentials", row).take::<Uuid>().map(KeyId::new);
    rows.iter().map(id).collect()
}

/// The statement whose rows [`stored`] reads. Key and credentials are of one snapshot, because it is
/// one statement. `from` is the table or a subselect of it; `schema` qualifies the credentials.
pub(super) fn select(schema: &str, from: &str, rest: &str) -> String {
    format!(
        "SELECT {COLUMNS}, k.revision, k.position, c.* FROM {from} AS k CROSS JOIN LATERAL ( \
             SELECT array_agg(generation), array_agg(created_at), array_agg(not_after), \
                 array_agg(ended), array_agg(kid), array_agg(pepper), array_agg(algorithm), array_agg(digest) \
             FROM (SELECT * FROM {schema}credentials WHERE key_id = k.key_id ORDER BY generation) \
                 AS ordered) AS c {rest}"
    )
}

/// The key of a row of [`select`], and the position of the last event in it.
pub(super) fn stored(row: &Row) -> Result<(KeyRow, u64), ReadError> {
    let mut columns = Columns::new(TABLE, row);
    let key_id = KeyId::new(columns.take::<Uuid>()?);
    let mut key: ApiKey = row::key_of_row(&mut columns, key_id)?;
    let (revision, position) = (columns.count()?, columns.count()?);
    key.credentials = credentials(&mut columns)?;
    Ok((KeyRow { key, revision }, position))
}

/// The credentials in the next columns, an array each.
fn credentials(columns: &mut Columns<'_, Row>) -> Result<Vec<Credential>, ReadError> {
    let Some(generations) = columns.take::<Option<Vec<i32>>>()? else {
        return Ok(Vec::new());
    };
    let created: Vec<Moment> = columns.take()?;
    let ends: Vec<Option<Moment>> = columns.take()?;
    let ended: Vec<bool> = columns.take()?;
    let kids: Vec<&[u8]> = columns.take()?;
    let peppers: Vec<i32> = columns.take()?;
    let algorithms: Vec<&str> = columns.take()?;
    let digests: Vec<&[u8]> = columns.take()?;
    // Eight aggregates over the same rows: the arrays are equally long.
    (0..generations.len())
        .map(|i| {
            let record = credential(kids[i], peppers[i], algorithms[i], digests[i]);
            let generation = u32::try_from(generations[i]);
            Ok(Credential {
                record: record.map_err(|cause| columns.corrupt(cause))?,
                generation: generation.map_err(|cause| columns.corrupt(cause))?,
                created_at: created[i].0,
                not_after: ends[i].map(|Moment(at)| at),
                ended: ended[i],
            })
        })
        .collect()
}
