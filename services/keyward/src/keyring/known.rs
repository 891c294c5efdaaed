//! What the database knows of key rings: a check value of every key that any node ever had, whether it
//! may be in use, whether it was retired; and which keys each living node has now.
//!
//! A key counts as in use from the moment when a node that has it as the active one tells the database,
//! which it does before it makes the first value under it. So a node that starts without a key that may be
//! in use is refused, and one that was only distributed less far may start.

use std::time::Duration;

use eventlog::Database;
use vault::{KeyPurpose, KeyRing, RingKey};

use crate::storage::StorageError;

/// How old the heartbeat of a living node may be. Longer than any lease; one that was cut off for longer
/// answers nothing, and finds out what it lacks when it comes back.
const ALIVE: Duration = Duration::from_secs(15);

/// What the database knows beyond a ring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Peppers under which no living credential is.
    pub(super) retired_peppers: Vec<u16>,
}

/// One key as the database knows it.
struct Stored {
    purpose: String,
    id: i32,
    value: Vec<u8>,
    used: bool,
    retired: bool,
}

/// Compares the ring with what the database knows of it, and tells the database what it does not
/// know yet. A ring that is refused leaves nothing behind.
///
/// # Errors
/// A key of the ring is another one than the database was written with, or one that is in use is
/// missing, or one that was retired is active, or there is a new first chain key.
pub async fn check(database: &Database, ring: &KeyRing) -> Result<Known, StorageError> {
    const TELL: &str = "INSERT INTO vault.key_checks (purpose, id, value) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING";
    const READ: &str = "SELECT purpose, id, value, active_since IS NOT NULL, \
         retired_at IS NOT NULL FROM vault.key_checks ORDER BY purpose, id";
    const USE: &str = "UPDATE vault.key_checks SET active_since = clock_timestamp() \
         WHERE purpose = $1 AND id = $2 AND active_since IS NULL";
    let mut client = database.client().await?;
    let transaction = client.transaction().await?;
    for check in ring.key_check_values() {
        let (purpose, id) = (check.purpose.as_str(), i32::from(check.id));
        transaction.execute(TELL, &[&purpose, &id, &check.value.as_slice()]).await?;
    }
    let mut stored = Vec::new();
    for row in transaction.query(READ, &[]).await? {
        stored.push(Stored {
            purpose: row.try_get(0)?,
            id: row.try_get(1)?,
            value: row.try_get(2)?,
            used: row.try_get(3)?,
            retired: row.try_get(4)?,
        });
    }
    compare(ring, &stored)?;
    let first = first_chain(ring);
    for key in ring.keys().iter().filter(|key| key.active || Some(**key) == first) {
        transaction.execute(USE, &[&key.purpose.as_str(), &i32::from(key.id)]).await?;
    }
    transaction.commit().await?;
    let retired = stored.iter().filter(|one| one.retired && one.purpose == "pepper");
    Ok(Known { retired_peppers: retired.filter_map(|one| u16::try_from(one.id).ok()).collect() })
}

fn compare(ring: &KeyRing, stored: &[Stored]) -> Result<(), StorageError> {
    for known in stored {
        let is_it = |purpose: KeyPurpose, id: u16| {
            purpose.as_str() == known.purpose && i32::from(id) == known.id
        };
        let ours = ring.key_check_values().iter().find(|check| is_it(check.purpose, check.id));
        let Some(check) = ours else {
            if known.used && !known.retired {
                let purpose = known.purpose.clone();
                return Err(StorageError::MissingKey { purpose, id: known.id });
            }
            continue;
        };
        let (purpose, id) = (known.purpose.clone(), check.id);
        if known.value != check.value {
            return Err(StorageError::OtherKeyRing { purpose, id });
        }
        let active = ring.keys().iter().any(|key| key.active && is_it(key.purpose, key.id));
        if known.retired && active {
            return Err(StorageError::RetiredKey { purpose, id });
        }
    }
    let first = stored.iter().filter(|one| one.used && one.purpose == "chain").map(|one| one.id);
    match (first.min(), first_chain(ring)) {
        (Some(first), Some(found)) if i32::from(found.id) < first => {
            Err(StorageError::OtherFirstChainKey { found: found.id, first })
        }
        _ => Ok(()),
    }
}

fn first_chain(ring: &KeyRing) -> Option<RingKey> {
    // In the order of ids.
    ring.keys().iter().find(|key| key.purpose == KeyPurpose::Chain).copied()
}

/// Tells which keys a node has, and which are active there. Only once it uses them so: others rest on it.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn announce(
    database: &Database,
    node_id: &str,
    ring: &KeyRing,
) -> Result<(), StorageError> {
    const ANNOUNCE: &str = "INSERT INTO vault.keyring_nodes (node_id, keys, active, loaded_at) \
         VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (node_id) DO UPDATE \
         SET keys = excluded.keys, active = excluded.active, loaded_at = excluded.loaded_at";
    let names = |keys: &mut dyn Iterator<Item = &RingKey>| -> Vec<String> {
        keys.map(|key| name(key.purpose, key.id)).collect()
    };
    let all = names(&mut ring.keys().iter());
    let active = names(&mut ring.keys().iter().filter(|key| key.active));
    database.client().await?.execute(ANNOUNCE, &[&node_id, &all, &active]).await?;
    Ok(())
}

/// Takes back what a node has told.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn leave(database: &Database, node_id: &str) -> Result<(), StorageError> {
    const LEAVE: &str = "DELETE FROM vault.keyring_nodes WHERE node_id = $1";
    database.client().await?.execute(LEAVE, &[&node_id]).await?;
    Ok(())
}

/// Forgets what was told by nodes that have no heartbeat any more, nor are just starting.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn forget_gone(database: &Database) -> Result<u64, eventlog::LogError> {
    const FORGET: &str = "DELETE FROM vault.keyring_nodes AS node \
         WHERE loaded_at < clock_timestamp() - interval '10 minutes' \
         AND NOT EXISTS (SELECT FROM log.verifiers WHERE verifier_id = node.node_id)";
    Ok(database.client().await?.execute(FORGET, &[]).await?)
}

/// How many living nodes don't have this key; those that don't tell, older builds, among them.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn nodes_without(
    database: &Database,
    purpose: KeyPurpose,
    id: u16,
) -> Result<i64, StorageError> {
    const WITHOUT: &str = "SELECT count(*) FROM log.verifiers \
         LEFT JOIN vault.keyring_nodes ON node_id = verifier_id \
         WHERE beat_at > clock_timestamp() - $1 * interval '1 second' \
         AND NOT coalesce($2 = ANY (keys), false)";
    count(database, WITHOUT, purpose, id).await
}

/// How many living nodes make new values under this key, or don't tell.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn nodes_using(
    database: &Database,
    purpose: KeyPurpose,
    id: u16,
) -> Result<i64, StorageError> {
    const USING: &str = "SELECT count(*) FROM log.verifiers \
         LEFT JOIN vault.keyring_nodes ON node_id = verifier_id \
         WHERE beat_at > clock_timestamp() - $1 * interval '1 second' \
         AND coalesce($2 = ANY (active), true)";
    count(database, USING, purpose, id).await
}

async fn count(
    database: &Database,
    sql: &str,
    purpose: KeyPurpose,
    id: u16,
) -> Result<i64, StorageError> {
    let client = database.client().await?;
    let row = client.query_one(sql, &[&ALIVE.as_secs_f64(), &name(purpose, id)]).await?;
    Ok(row.try_get(0)?)
}

/// The highest id that a key of this purpose ever had.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn last_id(database: &Database, purpose: KeyPurpose) -> Result<u16, StorageError> {
    const LAST: &str = "SELECT coalesce(max(id), 0) FROM vault.key_checks WHERE purpose = $1";
    let row = database.client().await?.query_one(LAST, &[&purpose.as_str()]).await?;
    Ok(u16::try_from(row.try_get::<_, i32>(0)?).unwrap_or(u16::MAX))
}

/// Notes that nothing is under a key any more, so that a ring may do without it.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn retire(
    database: &Database,
    purpose: KeyPurpose,
    id: u16,
) -> Result<(), StorageError> {
    const RETIRE: &str = "UPDATE vault.key_checks SET retired_at = clock_timestamp() \
         WHERE purpose = $1 AND id = $2 AND retired_at IS NULL";
    database.client().await?.execute(RETIRE, &[&purpose.as_str(), &i32::from(id)]).await?;
    Ok(())
}

/// A key as `vault.keyring_nodes` spells it.
fn name(purpose: KeyPurpose, id: u16) -> String {
    format!("{purpose} {id}")
}
