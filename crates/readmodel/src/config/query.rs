//! One configuration.

use domain::config::{Config, ConfigState};
use domain::{DomainRules, KeyId, Sealed, WorkspaceId};
use postgres_types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};

use crate::columns::{Columns, JsonText, unpack};
use crate::error::ReadError;
use crate::fold::Version;
use crate::keys;

/// A configuration as its row holds it, with what its readers want to see of its key.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigRow {
    /// The configuration.
    pub config: Config,
    /// The revision of the configuration's stream that it was read at: its etag.
    pub revision: u64,
    /// The e-mail address of the key's owner.
    pub owner_email: Option<Sealed>,
    /// The origins that may present the key.
    pub domains: DomainRules,
}

const TABLE: &str = "configs";

/// The configuration of this key, if `workspace_id` owns it. Another workspace's is answered as
/// none. What comes from the key is as fresh as the projection `keys`.
///
/// # Errors
/// [`ReadError::Unavailable`], or [`ReadError::Corrupt`].
pub async fn get(
    client: &impl GenericClient,
    workspace_id: WorkspaceId,
    key_id: KeyId,
) -> Result<Option<ConfigRow>, ReadError> {
    // Both projections must have seen the key: until then there is no configuration to show.
    const SQL: &str = "\
        SELECT c.key_id, c.workspace_id, c.settings, c.created_at, c.updated_at, c.revision, \
            c.position, k.owner_email, k.domains, k.allow_localhost \
        FROM readmodel.configs AS c JOIN readmodel.keys AS k \
            ON k.key_id = c.key_id AND k.workspace_id = c.workspace_id \
        WHERE c.key_id = $1 AND c.workspace_id = $2";
    let values: [(&(dyn ToSql + Sync), Type); 2] =
        [(&key_id.uuid(), Type::UUID), (&workspace_id.uuid(), Type::UUID)];
    let Some(row) = client.query_typed_opt(SQL, &values).await? else {
        return Ok(None);
    };
    let mut columns = Columns::new(TABLE, &row);
    let (config, revision, _) = config(&mut columns)?;
    let owner_email = columns.take::<Option<&[u8]>>()?.map(unpack).transpose();
    Ok(Some(ConfigRow {
        config,
        revision,
        owner_email: owner_email.map_err(|cause| columns.corrupt(cause))?,
        domains: keys::domains(&mut columns)?,
    }))
}

/// The configuration in the next columns, its revision and position.
fn config(columns: &mut Columns<'_, Row>) -> Result<(Config, u64, u64), ReadError> {
    let key_id = KeyId::new(columns.take()?);
    let workspace_id = WorkspaceId::new(columns.take()?);
    let JsonText(settings) = columns.take()?;
    let config = Config {
        key_id,
        workspace_id,
        settings: serde_json::from_slice(settings).map_err(|cause| columns.corrupt(cause))?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
    };
    Ok((config, columns.count()?, columns.count()?))
}

/// What a projection needs to know of a row: `key_id, workspace_id, settings, created_at,
/// updated_at, revision, position`.
pub(super) fn stored(row: &Row) -> Result<(KeyId, Version<ConfigState>), ReadError> {
    let (config, revision, position) = config(&mut Columns::new(TABLE, row))?;
    let key_id = config.key_id;
    let state = ConfigState::Present(Box::new(config));
    Ok((key_id, Version { state, revision, position }))
}
