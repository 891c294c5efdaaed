//! Tallies as rows: one statement a batch, so that a batch is written whole or not at all.

use std::net::IpAddr;

use deadpool_postgres::ClientWrapper;
use domain::{KeyId, WorkspaceId};
use eventlog::{Database, LogError};
use jiff::Timestamp;
use uuid::Uuid;

use super::tally::{Place, Tally};

/// Rows go in ascending order of credentials in every batch of every node, each table after the other,
/// so that no two wait for each other.
const WRITE: &str = "WITH total AS ( \
    INSERT INTO usage.credentials AS known (key_id, kid, workspace_id, last_used_at, last_used_ip, \
        last_used_user_agent, accepted, denied) \
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::timestamptz[], $5::inet[], \
        $6::text[], $7::bigint[], $8::bigint[]) \
    ON CONFLICT (key_id, kid) DO UPDATE SET \
        last_used_at = greatest(known.last_used_at, excluded.last_used_at), \
        last_used_ip = CASE WHEN excluded.last_used_at >= coalesce(known.last_used_at, '-infinity') \
            THEN excluded.last_used_ip ELSE known.last_used_ip END, \
        last_used_user_agent = CASE \
            WHEN excluded.last_used_at >= coalesce(known.last_used_at, '-infinity') \
            THEN excluded.last_used_user_agent ELSE known.last_used_user_agent END, \
        accepted = known.accepted + excluded.accepted, \
        denied = known.denied + excluded.denied) \
    INSERT INTO usage.hours AS known (key_id, hour, kid, verdict, count) \
    SELECT * FROM unnest($9::uuid[], $10::timestamptz[], $11::bytea[], $12::smallint[], \
        $13::bigint[]) \
    ON CONFLICT (key_id, hour, kid, verdict) DO UPDATE SET count = known.count + excluded.count";

/// What another node is deleting is left to it.
const FORGET: &str = "DELETE FROM usage.hours WHERE ctid = ANY (ARRAY( \
    SELECT ctid FROM usage.hours WHERE hour < now() - interval '90 days' \
    LIMIT 5000 FOR UPDATE SKIP LOCKED))";

/// Addresses and user agents are personal.
const FORGET_PLACES: &str = "UPDATE usage.credentials \
    SET last_used_ip = NULL, last_used_user_agent = NULL \
    WHERE workspace_id = $1 AND key_id = ANY ($2)";

/// Forgets from where and with what these keys were last used.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn forget_places(
    database: &Database,
    workspace: WorkspaceId,
    keys: &[KeyId],
) -> Result<(), LogError> {
    let keys: Vec<Uuid> = keys.iter().map(|key| key.uuid()).collect();
    database.client().await?.execute(FORGET_PLACES, &[&workspace.uuid(), &keys]).await?;
    Ok(())
}

/// Writes a batch, which is in ascending order.
///
/// # Errors
/// The database does not answer, or refuses.
pub(super) async fn batch(
    client: &ClientWrapper,
    batch: &[(Place, Tally)],
) -> Result<(), tokio_postgres::Error> {
    let (totals, hours) = (Totals::of(batch), Hours::of(batch));
    let statement = client.prepare_cached(WRITE).await?;
    client
        .execute(
            &statement,
            &[
                &totals.keys,
                &totals.kids,
                &totals.workspaces,
                &totals.at,
                &totals.ip,
                &totals.user_agents,
                &totals.accepted,
                &totals.denied,
                &hours.keys,
                &hours.hours,
                &hours.kids,
                &hours.verdicts,
                &hours.counts,
            ],
        )
        .await?;
    Ok(())
}

/// Deletes counts of hours more than 90 days ago, some at a time; answers how many.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn forget_hours(database: &Database) -> Result<u64, LogError> {
    Ok(database.client().await?.execute(FORGET, &[]).await?)
}

/// Columns of `usage.credentials`.
#[derive(Default)]
struct Totals<'a> {
    keys: Vec<Uuid>,
    kids: Vec<&'a [u8]>,
    workspaces: Vec<Uuid>,
    at: Vec<Option<Timestamp>>,
    ip: Vec<Option<IpAddr>>,
    user_agents: Vec<Option<String>>,
    accepted: Vec<i64>,
    denied: Vec<i64>,
}

impl<'a> Totals<'a> {
    fn of(batch: &'a [(Place, Tally)]) -> Self {
        let mut totals = Self::default();
        // The hours of one credential lie side by side; a statement may write its row only once.
        for hours in batch.chunk_by(|(one, _), (other, _)| one.kid == other.kid) {
            let Some((place, first)) = hours.first() else {
                continue;
            };
            let used = hours.iter().filter_map(|(_, tally)| tally.last.as_ref());
            let last = used.max_by_key(|last| last.at);
            totals.keys.push(first.key_id.uuid());
            totals.kids.push(place.kid.bits());
            totals.workspaces.push(first.workspace_id.uuid());
            totals.at.push(last.map(|last| last.at.timestamp()));
            totals.ip.push(last.and_then(|last| last.ip));
            totals.user_agents.push(last.and_then(|last| user_agent(&last.user_agent)));
            totals.accepted.push(number(hours.iter().map(|(_, tally)| tally.accepted()).sum()));
            totals.denied.push(number(hours.iter().map(|(_, tally)| tally.denied()).sum()));
        }
        totals
    }
}

/// Columns of `usage.hours`.
#[derive(Default)]
struct Hours<'a> {
    keys: Vec<Uuid>,
    hours: Vec<Timestamp>,
    kids: Vec<&'a [u8]>,
    verdicts: Vec<i16>,
    counts: Vec<i64>,
}

impl<'a> Hours<'a> {
    fn of(batch: &'a [(Place, Tally)]) -> Self {
        let mut hours = Self::default();
        for (place, tally) in batch {
            for (verdict, count) in tally.verdicts() {
                hours.keys.push(tally.key_id.uuid());
                hours.hours.push(place.begins().timestamp());
                hours.kids.push(place.kid.bits());
                hours.verdicts.push(verdict);
                hours.counts.push(number(count));
            }
        }
        hours
    }
}

/// Whatever a client sends; but Postgres has no text with a NUL in it.
fn user_agent(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.replace('\0', ""))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
