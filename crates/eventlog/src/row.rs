//! Rows of the log's tables and the values they become.
//!
//! Columns are decoded one by one; what cannot be decoded is corruption, never a default.

use std::error::Error;

use jiff::Timestamp;
use postgres_types::{FromSql, Type};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::append::StoredRequest;
use crate::chain::Mac;
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision, StreamId};

/// The columns of an event, in the order [`event`] reads them.
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream, revision, event_id, kind, schema, workspace_id, payload, ",
            "metadata, recorded_at, mac, chain_key FROM log.events ",
            $rest
        )
    };
}
pub(crate) use select_events;

/// The head, in the order [`head`] reads it.
pub(crate) const SELECT_HEAD: &str = "SELECT log_id, epoch, position, mac FROM log.head";
/// Events from a position on, that position included.
pub(crate) const SELECT_EVENTS_FROM: &str =
    select_events!("WHERE position >= $1 ORDER BY position LIMIT $2");

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log's name, drawn when it was made.
    pub log_id: Uuid,
    /// Raised by an operator who accepts a restored log that lacks its tail.
    pub epoch: i32,
    /// The last event's position.
    pub position: Position,
    /// The last event's MAC.
    pub mac: Mac,
}

/// A `timestamptz` read without calendar arithmetic.
struct Micros(Timestamp);

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        const UNIX_TO_2000: i64 = 946_684_800_000_000;
        let since_2000 = i64::from_be_bytes(raw.try_into()?);
        let since_1970 = since_2000.checked_add(UNIX_TO_2000).ok_or("timestamp out of range")?;
        Ok(Self(Timestamp::from_microsecond(since_1970)?))
    }

    postgres_types::accepts!(TIMESTAMPTZ);
}

pub(crate) fn timestamp(row: &Row, column: usize) -> Result<Timestamp, LogError> {
    Ok(row.try_get::<_, Micros>(column)?.0)
}

/// Reads a head. A log that no writer has opened yet has no MAC: then `genesis` is the link.
pub(crate) fn head(row: &Row, genesis: impl FnOnce(Uuid) -> Mac) -> Result<Head, LogError> {
    let log_id = row.try_get(0)?;
    let position = Position::from_sql(row.try_get(2)?);
    let stored: &[u8] = row.try_get(3)?;
    let mac = match Mac::try_from(stored) {
        Ok(mac) => mac,
        Err(_) if stored.is_empty() && position == Position::ZERO => genesis(log_id),
        Err(_) => return Err(LogError::corrupt(position, Fault::HeadMac)),
    };
    Ok(Head { log_id, epoch: row.try_get(1)?, position, mac })
}

pub(crate) fn event(row: &Row) -> Result<RecordedEvent, LogError> {
    let position = Position::from_sql(row.try_get(0)?);
    let unreadable = |what| move |_| LogError::corrupt(position, Fault::Undecodable(what));
    let schema: i32 = row.try_get(5)?;
    let mac: &[u8] = row.try_get(10)?;
    Ok(RecordedEvent {
        position,
        stream: StreamId::stored(row.try_get(1)?),
        revision: Revision::from_sql(row.try_get(2)?),
        event_id: row.try_get(3)?,
        kind: row.try_get(4)?,
        schema: u16::try_from(schema).map_err(unreadable("schema"))?,
        workspace_id: row.try_get(6)?,
        payload: row.try_get(7)?,
        metadata_bytes: row.try_get(8)?,
        recorded_at: row.try_get::<_, Micros>(9).map_err(unreadable_row(position))?.0,
        mac: Mac::try_from(mac)
            .map_err(|_| LogError::corrupt(position, Fault::Undecodable("mac")))?,
        chain_key: chain_key(position, row.try_get(11)?)?,
    })
}

/// The id of a chain key as it is stored.
pub(crate) fn chain_key(position: Position, stored: Option<i32>) -> Result<Option<u16>, LogError> {
    let id = stored.map(u16::try_from).transpose();
    id.map_err(|_| LogError::corrupt(position, Fault::Undecodable("chain key")))
}

fn unreadable_row(position: Position) -> impl FnOnce(tokio_postgres::Error) -> LogError {
    move |_| LogError::corrupt(position, Fault::Undecodable("time"))
}

pub(crate) fn events(rows: &[Row]) -> Result<Vec<RecordedEvent>, LogError> {
    rows.iter().map(event).collect()
}

/// Reads `content_digest, position, sealed_reply, expires_at`, the first of them at `from`.
pub(crate) fn request(row: &Row, from: usize) -> Result<StoredRequest, LogError> {
    let position = Position::from_sql(row.try_get(from + 1)?);
    let digest: &[u8] = row.try_get(from)?;
    Ok(StoredRequest {
        content_digest: digest
            .try_into()
            .map_err(|_| LogError::corrupt(position, Fault::Undecodable("request")))?,
        position,
        sealed_reply: row.try_get(from + 2)?,
        expires_at: timestamp(row, from + 3)?,
    })
}
