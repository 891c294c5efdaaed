//! Reading the log over the pool: single streams, single requests, the head.
//!
//! Following the log is not here but in `subscription`: a read over the pool does not verify the
//! chain beyond its own end.

use crate::append::{RequestKey, StoredRequest};
use crate::chain::{ChainMac, Tip};
use crate::database::Database;
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision, StreamId};
use crate::row::{self, Head, SELECT_EVENTS_FROM, SELECT_HEAD, select_events};

pub(crate) async fn head(database: &Database, chain: &ChainMac) -> Result<Head, LogError> {
    let client = database.client().await?;
    let statement = client.prepare_cached(SELECT_HEAD).await?;
    row::head(&client.query_one(&statement, &[]).await?, |log_id| chain.genesis(log_id))
}

/// The events at and after `first`, at most `limit`.
pub(crate) async fn from(
    database: &Database,
    first: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, LogError> {
    let client = database.client().await?;
    let statement = client.prepare_cached(SELECT_EVENTS_FROM).await?;
    row::events(&client.query(&statement, &[&first.to_sql(), &sql_limit(limit)]).await?)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Where to read from, and how many rows, to get the event at `after` (if there can be one) and
/// `limit` more: what a follower needs to see that its past is still there.
pub(crate) fn window(after: Position, limit: usize) -> (i64, i64) {
    let own = i64::from(after > Position::ZERO);
    (after.to_sql(), sql_limit(limit.max(1)).saturating_add(own))
}

pub(crate) async fn stream(
    database: &Database,
    stream: &StreamId,
    after: Revision,
) -> Result<Vec<RecordedEvent>, LogError> {
    const SQL: &str = select_events!("WHERE stream = $1 AND revision > $2 ORDER BY revision");
    let client = database.client().await?;
    let statement = client.prepare_cached(SQL).await?;
    let rows = client.query(&statement, &[&stream.as_str(), &after.to_sql()]).await?;
    let events = row::events(&rows)?;
    let mut due = after;
    for event in &events {
        due = due.next();
        if event.revision != due {
            let fault =
                Fault::Revision { stream: stream.clone(), expected: due, found: event.revision };
            return Err(LogError::corrupt(event.position, fault));
        }
    }
    Ok(events)
}

/// The head, after its MAC was compared with the last event's, and that with the chain key.
///
/// A head without MAC belongs to a new log; its genesis MAC is set here.
pub(crate) async fn checked_head(database: &Database, chain: &ChainMac) -> Result<Head, LogError> {
    const GENESIS: &str = "UPDATE log.head SET mac = $1 WHERE position = 0 AND mac = ''";
    let seen = head(database, chain).await?;
    if seen.position == Position::ZERO {
        if seen.mac != chain.genesis(seen.log_id) {
            return Err(LogError::corrupt(Position::ZERO, Fault::HeadMac));
        }
        database.client().await?.execute(GENESIS, &[&seen.mac.as_slice()]).await?;
        return Ok(seen);
    }
    let tip = tip_at(database, chain, &seen, seen.position).await?;
    if tip.mac != seen.mac {
        return Err(LogError::corrupt(seen.position, Fault::HeadMac));
    }
    Ok(seen)
}

/// The link at `position`, read from the log and checked against the event itself.
pub(crate) async fn tip_at(
    database: &Database,
    chain: &ChainMac,
    head: &Head,
    position: Position,
) -> Result<Tip, LogError> {
    let mut tip = Tip { position: Position::ZERO, mac: chain.genesis(head.log_id) };
    if position == Position::ZERO {
        return Ok(tip);
    }
    let before = Position::new(position.get() - 1);
    let events = from(database, before, 2).await?;
    let mut last = events.iter().filter(|event| event.position <= position);
    if before > Position::ZERO {
        match last.next() {
            Some(event) if event.position == before => {
                tip = Tip { position: before, mac: event.mac }
            }
            Some(_) | None => return Err(LogError::corrupt(before, Fault::Missing)),
        }
    }
    let event = last.next().ok_or(LogError::corrupt(position, Fault::Missing))?;
    tip.follow(chain, event)?;
    Ok(tip)
}

pub(crate) async fn find_request(
    database: &Database,
    key: &RequestKey,
) -> Result<Option<StoredRequest>, LogError> {
    const SQL: &str = "SELECT content_digest, position, sealed_reply, expires_at FROM log.requests \
         WHERE workspace = $1 AND caller = $2 AND rpc = $3 AND request_id = $4";
    let client = database.client().await?;
    let statement = client.prepare_cached(SQL).await?;
    let found = client
        .query_opt(&statement, &[&key.workspace, &key.caller, &key.rpc, &key.request_id])
        .await?;
    found.map(|row| row::request(&row, 0)).transpose()
}
