//! What is still under a key: counted before it is retired, and shown in the list.

use std::time::Duration;

use eventlog::{Connection, Database};
use vault::KeyPurpose;

use crate::storage::StorageError;

/// How long the read models may take to reach the head of the log.
const CATCH_UP: Duration = Duration::from_secs(10);

const DATA_KEYS: &str = "SELECT count(*) FROM vault.data_keys WHERE kek = $1";
const EVENTS: &str = "SELECT count(*) FROM log.events WHERE chain_key = $1";
/// As `vault::Tokens` begins: a version byte, then the key's id.
const REPLIES: &str = "SELECT count(*) FROM log.requests WHERE octet_length(sealed_reply) > 3 \
     AND get_byte(sealed_reply, 1) * 256 + get_byte(sealed_reply, 2) = $1 \
     AND expires_at > clock_timestamp()";
/// Whatever may pass, now or later: a key that has expired can be given a later end, one that was deleted
/// can be had back. The minutes are for clocks that differ.
const CREDENTIALS: &str = "SELECT \
     (SELECT count(*) FROM readmodel.credentials JOIN readmodel.keys USING (key_id) \
      WHERE pepper = $1 AND NOT ended AND revoked_at IS NULL \
      AND (not_after IS NULL OR not_after > clock_timestamp() - interval '5 minutes')) \
     + (SELECT count(*) FROM readmodel.workspaces WHERE token_pepper = $1) \
     + (SELECT count(*) FROM readmodel.service_credentials \
        WHERE pepper = $1 AND revoked_at IS NULL)";
/// Auth tokens by what the log says of each last, unless it or its key was revoked.
const AUTH_TOKENS: &str = "WITH said AS MATERIALIZED ( \
     SELECT position, stream, kind, convert_from(payload, 'UTF8')::jsonb AS said \
     FROM log.events WHERE kind LIKE 'auth\\_token.%'), \
     last AS (SELECT DISTINCT ON (said->>'auth_token_id') stream, said->>'auth_token_id' AS id, \
         (said->'credential'->>'pepper')::int AS pepper \
         FROM said WHERE said ? 'credential' ORDER BY said->>'auth_token_id', position DESC) \
     SELECT count(*) FROM last WHERE pepper = $1 \
     AND NOT EXISTS (SELECT FROM said WHERE kind = 'auth_token.revoked' \
         AND said->>'auth_token_id' = last.id) \
     AND NOT EXISTS (SELECT FROM log.events AS key \
         WHERE key.stream = split_part(last.stream, '/', 1) AND key.kind = 'api_key.revoked')";
const BEHIND: &str = "SELECT EXISTS (SELECT FROM log.checkpoints, log.head \
     WHERE name IN ('keys', 'workspaces') AND checkpoints.position < head.position)";

/// How many values are under a key, and what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uses {
    /// How many.
    pub(crate) count: i64,
    /// Of what.
    pub(crate) what: &'static str,
    /// What to do about them.
    pub(crate) remedy: &'static str,
}

/// Counts what is under a key.
///
/// # Errors
/// The database does not answer, or the read models are behind the log.
pub(crate) async fn of(
    database: &Database,
    purpose: KeyPurpose,
    id: u16,
) -> Result<Uses, StorageError> {
    let client = database.connect("keyring", &[("statement_timeout", "0")]).await?;
    let counted = async |sql: &str| -> Result<i64, StorageError> {
        Ok(client.query_one(sql, &[&i32::from(id)]).await?.try_get(0)?)
    };
    Ok(match purpose {
        KeyPurpose::Kek => Uses {
            count: counted(DATA_KEYS).await?,
            what: "data keys are wrapped under it",
            remedy: "run `keyward keyring rewrap`",
        },
        KeyPurpose::Pepper => {
            caught_up(&client).await?;
            Uses {
                count: counted(CREDENTIALS).await? + counted(AUTH_TOKENS).await?,
                what: "living credentials (of keys, workspaces, services, auth tokens) are under it",
                remedy: "rotate, reset or revoke them, or keep the pepper",
            }
        }
        KeyPurpose::Chain => Uses {
            count: counted(EVENTS).await?,
            what: "events of the log are linked under it",
            remedy: "they stay for ever, so keep it",
        },
        KeyPurpose::PageToken => Uses {
            count: counted(REPLIES).await?,
            what: "replies to idempotent requests are sealed under it",
            remedy: "try again 10 minutes after it was last active",
        },
    })
}

/// Waits until the read models show everything that is in the log.
async fn caught_up(client: &Connection) -> Result<(), StorageError> {
    let waiting = async {
        while client.query_one(BEHIND, &[]).await?.try_get(0)? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, StorageError>(())
    };
    let behind = || StorageError::ReadModelsBehind;
    tokio::time::timeout(CATCH_UP, waiting).await.map_err(|_| behind())?
}
