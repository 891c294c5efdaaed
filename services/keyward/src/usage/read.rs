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
const HOURS: &str = "SELECT hour, kid, verdict, count FROM usage.hours \
    WHERE key_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour, kid, verdict LIMIT $4";

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
        user_agent: user_agent.unwrap_or_default().into(),
    });
    let (accepted, denied) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Some(CredentialUse { kid, last, accepted, denied }))
}

/// The table holds no other length.
fn kid(bits: &[u8]) -> Option<Kid> {
    Some(Kid::from_entropy(bits.try_into().ok()?))
}

/// How often there was one verdict in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourCount {
    /// On which credential.
    pub(crate) kid: Kid,
    /// When the hour begins.
    pub(crate) hour: Timestamp,
    /// 0 for acceptance, else the number of the wire's denial.
    pub(crate) verdict: i16,
    /// How often.
    pub(crate) count: i64,
}

/// The counts of a key of all hours that begin from the first moment until, but not at, the second, in
/// the order of time, credential and verdict; at most so many.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn hours(
    client: &Client,
    key_id: KeyId,
    (start, end): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<HourCount>, LogError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut counts = Vec::new();
    for row in client.query(HOURS, &[&key_id.uuid(), &start, &end, &most]).await? {
        let (hour, verdict, count) = (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
        counts.extend(kid(row.try_get(1)?).map(|kid| HourCount { kid, hour, verdict, count }));
    }
    Ok(counts)
}
