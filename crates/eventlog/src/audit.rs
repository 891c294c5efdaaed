//! The events of one workspace as an auditor lists them: filtered, in either order, in pages whose work
//! is bounded whatever the filter lets through.
//!
//! A page looks at rows without their payloads first, and fetches those alone that it will hand out.
//! It ends where it has enough, or has looked at enough; where it stopped is where the next one begins.
//! Deliberately not here: what a payload means, and verifying the chain.

use jiff::Timestamp;
use postgres_types::ToSql;
use tokio_postgres::Row;

use crate::database::Database;
use crate::error::{Fault, LogError};
use crate::event::{Metadata, Position, RecordedEvent};
use crate::row::{self, select_events};

/// The most rows that are asked for at a time.
const CHUNK: usize = 500;

/// Which events are wanted: those that are of the workspace and pass all that is set.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The tenant, as the events name it.
    pub workspace_id: String,
    /// Only events of these streams; empty for all. The rows of these streams are looked at in full for
    /// each page, so they should be the streams of one thing.
    pub streams: Vec<String>,
    /// Only what this actor did.
    pub actor: Option<String>,
    /// Only these kinds; empty for all.
    pub kinds: Vec<String>,
    /// Only what was recorded at this time or later.
    pub recorded_from: Option<Timestamp>,
    /// Only what was recorded before this time.
    pub recorded_before: Option<Timestamp>,
}

/// In which order events are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOrder {
    /// By position, descending.
    NewestFirst,
    /// By position, ascending.
    OldestFirst,
}

/// How far one page goes.
#[derive(Clone, Copy, Debug)]
pub struct AuditScan {
    /// The order.
    pub order: AuditOrder,
    /// Begin behind this position, in the order asked for; `None` for the beginning.
    pub after: Option<Position>,
    /// Leave out what lies behind this position in the log.
    pub up_to: Option<Position>,
    /// The most events; at least 1.
    pub events: usize,
    /// No further event once their payloads have this many bytes; the first is always taken.
    pub bytes: usize,
    /// The most rows that are looked at, whether they pass the filter or not; at least 1.
    pub rows: usize,
}

/// A page.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Those that pass, in the order asked for; may be none although there are more to come.
    pub events: Vec<RecordedEvent>,
    /// Where to go on behind; `None` if there was nothing left to look at.
    pub next: Option<Position>,
}

/// What a row is judged by, without its payload.
struct Glance {
    position: Position,
    kind: String,
    recorded_at: Timestamp,
    metadata: Vec<u8>,
    payload_bytes: usize,
}

pub(crate) async fn page(
    database: &Database,
    filter: &AuditFilter,
    scan: &AuditScan,
) -> Result<AuditPage, LogError> {
    let mut taken = Taken { positions: Vec::new(), bytes: 0 };
    let (mut at, mut looked) = (scan.after, 0);
    let next = 'scan: loop {
        let limit = CHUNK.min(scan.rows.max(1) - looked);
        let glances = glance(database, filter, scan, at, limit).await?;
        for glance in &glances {
            if filter.lets_through(glance)? {
                if !taken.has_room(scan, glance) {
                    break 'scan at;
                }
                taken.take(glance);
            }
            at = Some(glance.position);
        }
        looked += glances.len();
        if glances.len() < limit {
            break None;
        }
        if looked >= scan.rows || taken.positions.len() >= scan.events {
            break at;
        }
    };
    let mut events = fetch(database, &taken.positions).await?;
    if scan.order == AuditOrder::NewestFirst {
        events.reverse();
    }
    Ok(AuditPage { events, next })
}

struct Taken {
    positions: Vec<i64>,
    bytes: usize,
}

impl Taken {
    fn has_room(&self, scan: &AuditScan, glance: &Glance) -> bool {
        self.positions.is_empty()
            || (self.positions.len() < scan.events
                && self.bytes + glance.payload_bytes <= scan.bytes)
    }

    fn take(&mut self, glance: &Glance) {
        self.positions.push(glance.position.to_sql());
        self.bytes += glance.payload_bytes;
    }
}

impl AuditFilter {
    fn lets_through(&self, glance: &Glance) -> Result<bool, LogError> {
        let in_time = self.recorded_from.is_none_or(|from| from <= glance.recorded_at)
            && self.recorded_before.is_none_or(|before| glance.recorded_at < before);
        let of_kind = self.kinds.is_empty() || self.kinds.contains(&glance.kind);
        if !in_time || !of_kind {
            return Ok(false);
        }
        let Some(actor) = &self.actor else {
            return Ok(true);
        };
        let metadata: Metadata = serde_json::from_slice(&glance.metadata)
            .map_err(|_| LogError::corrupt(glance.position, Fault::Undecodable("metadata")))?;
        Ok(metadata.actor == *actor)
    }
}

macro_rules! glance_sql {
    ($before:literal, $from:literal, $order:literal) => {
        concat!(
            $before,
            "SELECT position, kind, recorded_at, metadata, payload_bytes FROM ",
            $from,
            " WHERE workspace_id = $1 AND position > $2 AND position < $3 ORDER BY position ",
            $order,
            " LIMIT $4"
        )
    };
}

/// The length of a payload is known without reading it.
macro_rules! of_all {
    ($order:literal) => {
        glance_sql!(
            "",
            "(SELECT *, octet_length(payload) AS payload_bytes FROM log.events) AS event",
            $order
        )
    };
}

/// The streams are found by their own index, never by walking through the workspace.
macro_rules! of_streams {
    ($order:literal) => {
        glance_sql!(
            "WITH wanted AS MATERIALIZED (SELECT position, workspace_id, kind, recorded_at, metadata, \
             octet_length(payload) AS payload_bytes FROM log.events WHERE stream = ANY($5)) ",
            "wanted",
            $order
        )
    };
}

async fn glance(
    database: &Database,
    filter: &AuditFilter,
    scan: &AuditScan,
    at: Option<Position>,
    limit: usize,
) -> Result<Vec<Glance>, LogError> {
    let beyond = scan.up_to.map_or(i64::MAX, |up_to| up_to.next().to_sql());
    let behind = at.map(Position::to_sql);
    let of_all = filter.streams.is_empty();
    let (lower, upper, sql) = match (scan.order, of_all) {
        (AuditOrder::NewestFirst, true) => (None, behind, of_all!("DESC")),
        (AuditOrder::NewestFirst, false) => (None, behind, of_streams!("DESC")),
        (AuditOrder::OldestFirst, true) => (behind, None, of_all!("ASC")),
        (AuditOrder::OldestFirst, false) => (behind, None, of_streams!("ASC")),
    };
    let (lower, upper) = (lower.unwrap_or(0), upper.map_or(beyond, |at| at.min(beyond)));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut parameters: Vec<&(dyn ToSql + Sync)> =
        vec![&filter.workspace_id, &lower, &upper, &limit];
    if !of_all {
        parameters.push(&filter.streams);
    }
    let client = database.client().await?;
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &parameters).await?;
    rows.iter().map(read_glance).collect()
}

fn read_glance(row: &Row) -> Result<Glance, LogError> {
    let payload_bytes: i32 = row.try_get(4)?;
    Ok(Glance {
        position: Position::from_sql(row.try_get(0)?),
        kind: row.try_get(1)?,
        recorded_at: row::timestamp(row, 2)?,
        metadata: row.try_get(3)?,
        payload_bytes: usize::try_from(payload_bytes).unwrap_or_default(),
    })
}

/// The events at these positions, ascending.
async fn fetch(database: &Database, positions: &[i64]) -> Result<Vec<RecordedEvent>, LogError> {
    const SQL: &str = select_events!("WHERE position = ANY($1) ORDER BY position");
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let client = database.client().await?;
    let statement = client.prepare_cached(SQL).await?;
    row::events(&client.query(&statement, &[&positions]).await?)
}
