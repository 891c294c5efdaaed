//! What was written of the usage of keys.

use std::collections::HashMap;

use domain::{KeyId, Kid, Micros, WorkspaceId};
use eventlog::LogError;
use jiff::Timestamp;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::tally::LastUse;

const OF: &str = "SELECT key_id, kid, last_used_at, last_used_ip, last_used_user_agent, \
    accepted, denied FROM usage.credentials \
    WHERE key_id = ANY ($1) AND workspace_id = $2 ORDER BY key_id, kid";

/// The usage of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialUse {
    /// Which one.
    pub(crate) kid: Kid,
    /// Its last accepted use; `None` if there was none.
    pub(crate) last: Option<LastUse>,
    /// How often it was accepted.
    pub(crate) accepted: i64,
    /// How often it was denied.
    pub(crate) denied: i64,
}

/// The usage of these keys of `workspace`: each with the credentials that verdicts were given on. Keys
/// without any are not in it.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn of(
    client: &Client,
    workspace: WorkspaceId,
    keys: impl Iterator<Item = KeyId>,
) -> Result<HashMap<KeyId, Vec<CredentialUse>>, LogError> {
    let ids: Vec<Uuid> = keys.map(KeyId::uuid).collect();
    let mut uses: HashMap<_, Vec<_>> = HashMap::new();
    if ids.is_empty() {
        return Ok(uses);
    }
    for row in client.query(OF, &[&ids, &workspace.uuid()]).await? {
        let key_id = KeyId::new(row.try_get(0)?);
        uses.entry(key_id).or_default().extend(credential(&row)?);
    }
    Ok(uses)
}

fn credential(row: &Row) -> Result<Option<CredentialUse>, LogError> {
    let Some(kid) = kid(row.try_get(1)?) else {
        return Ok(None);
    };
    let at: Option<Timestamp> = row.try_get(2)?;
    let (ip, user_agent): (_, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
    let last = at.map(|at| LastUse {
        at: Micros::from(at),
        ip,
        user_agent: user_agent.unwrap_or_default(),
    });
    let (accepted, denied) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Some(CredentialUse { kid, last, accepted, denied }))
}

/// The table holds no other length.
fn kid(bits: &[u8]) -> Option<Kid> {
    Some(Kid::from_entropy(bits.try_into().ok()?))
}
