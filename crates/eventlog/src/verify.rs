//! Walking the log, all of it or a part, and checking everything that can be checked.
//!
//! It reads in pages, holds no transaction open and no lock, and reports the first fault. It
//! deliberately mends nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::chain::{ChainMac, Mac, Tip};
use crate::database::Database;
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision};
use crate::read;
use crate::row::Head;

const PAGE: usize = 2_000;
/// For a part, which is checked beside other work: an event may be large.
const SMALL_PAGE: usize = 100;

/// Checks density, MACs, revisions and the head, from the first event to the head as it is now.
/// `progress` is told (checked, head) after each page.
///
/// # Errors
/// [`LogError::Corrupt`] with the first bad position and what is wrong there;
/// [`LogError::Unavailable`] or [`LogError::Configuration`] if the log cannot be read.
pub async fn verify_log(
    database: &Database,
    chain: &ChainMac,
    mut progress: impl FnMut(Position, Position),
) -> Result<Head, LogError> {
    let head = read::head(database, chain).await?;
    let start = Tip { position: Position::ZERO, mac: chain.genesis(head.log_id) };
    let mut revisions = Revisions::default();
    let walk = Walk { database, chain, page: PAGE, to: head.position };
    let tip = walk
        .from(
            start,
            |event| revisions.follow(event),
            |at| {
                progress(at, head.position);
                true
            },
        )
        .await?;
    check_head(database, &head, tip).await?;
    Ok(head)
}

/// Which part of a log is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Begin behind this event.
    pub after: Position,
    /// The link that is known to be there; without it, the log is believed.
    pub mac: Option<Mac>,
    /// The most events.
    pub events: u64,
    /// Begin no further page once this time has passed.
    pub within: Duration,
}

/// What was checked and found sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The last event that was checked.
    pub position: Position,
    /// The link there.
    pub mac: Mac,
    /// The head when the check began. If its position is reached, it was checked too.
    pub head: Head,
}

/// Checks density and MACs of a part, and the head if the part reaches it. That a stream's revisions are
/// dense only a walk from the first event can tell.
pub(crate) async fn verify_part(
    database: &Database,
    chain: &ChainMac,
    part: &Part,
) -> Result<Checked, LogError> {
    let began = Instant::now();
    let head = read::head(database, chain).await?;
    if part.after > head.position {
        let what = Fault::Truncated { head: head.position };
        return Err(LogError::corrupt(part.after, what));
    }
    let start = read::tip_at(database, chain, &head, part.after).await?;
    if part.mac.is_some_and(|known| known != start.mac) {
        return Err(LogError::corrupt(part.after, Fault::Replaced));
    }
    let to = Position::new(part.after.get().saturating_add(part.events)).min(head.position);
    let walk = Walk { database, chain, page: SMALL_PAGE, to };
    let tip = walk.from(start, |_| Ok(()), |_| began.elapsed() < part.within).await?;
    if tip.position == head.position {
        check_head(database, &head, tip).await?;
    }
    Ok(Checked { position: tip.position, mac: tip.mac, head })
}

/// A walk along the chain.
struct Walk<'a> {
    database: &'a Database,
    chain: &'a ChainMac,
    page: usize,
    to: Position,
}

impl Walk<'_> {
    /// Follows the chain from a link to the end of the walk, as long as `go_on` says so after a page.
    async fn from(
        &self,
        mut tip: Tip,
        mut each: impl FnMut(&RecordedEvent) -> Result<(), LogError>,
        mut go_on: impl FnMut(Position) -> bool,
    ) -> Result<Tip, LogError> {
        while tip.position < self.to {
            let page = read::from(self.database, tip.position.next(), self.page).await?;
            let before = tip.position;
            for event in page.iter().take_while(|event| event.position <= self.to) {
                tip.follow(self.chain, event)?;
                each(event)?;
            }
            // Nothing came, or it begins beyond the end: everything up to it is missing.
            if tip.position == before {
                return Err(LogError::corrupt(before.next(), Fault::Missing));
            }
            if !go_on(tip.position) {
                break;
            }
        }
        Ok(tip)
    }
}

/// The head says what the last event does, and nothing lies beyond it.
async fn check_head(database: &Database, head: &Head, tip: Tip) -> Result<(), LogError> {
    if head.mac != tip.mac {
        return Err(LogError::corrupt(head.position, Fault::HeadMac));
    }
    check_nothing_beyond(database).await
}

/// In one snapshot, no event lies after the head.
async fn check_nothing_beyond(database: &Database) -> Result<(), LogError> {
    const SQL: &str = "SELECT min(position) FROM log.events \
         WHERE position > (SELECT position FROM log.head)";
    let row = database.client().await?.query_one(SQL, &[]).await?;
    match row.try_get::<_, Option<i64>>(0)? {
        Some(position) => Err(LogError::corrupt(Position::from_sql(position), Fault::BeyondHead)),
        None => Ok(()),
    }
}

/// The last revision of every stream, by a keyed 128-bit digest of its name: small enough to hold
/// for millions of streams, and nobody can make two names meet.
#[derive(Default)]
struct Revisions {
    keys: (RandomState, RandomState),
    last: HashMap<(u64, u64), Revision>,
}

impl Revisions {
    fn follow(&mut self, event: &RecordedEvent) -> Result<(), LogError> {
        let name = event.stream.as_str();
        let key = (self.keys.0.hash_one(name), self.keys.1.hash_one(name));
        let last = self.last.entry(key).or_default();
        if event.revision != last.next() {
            let fault = Fault::Revision {
                stream: event.stream.clone(),
                expected: last.next(),
                found: event.revision,
            };
            return Err(LogError::corrupt(event.position, fault));
        }
        *last = event.revision;
        Ok(())
    }
}
