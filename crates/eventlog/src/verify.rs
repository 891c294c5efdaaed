//! Walking the whole log and checking everything that can be checked.
//!
//! It reads in pages, holds no transaction open and no lock, and reports the first fault. It
//! deliberately mends nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::chain::{ChainMac, Tip};
use crate::database::Database;
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision};
use crate::read;
use crate::row::Head;

const PAGE: usize = 2_000;

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
    let mut tip = Tip { position: Position::ZERO, mac: chain.genesis(head.log_id) };
    let mut revisions = Revisions::default();
    while tip.position < head.position {
        let page = read::from(database, tip.position.next(), PAGE).await?;
        for event in page.iter().take_while(|event| event.position <= head.position) {
            tip.follow(chain, event)?;
            revisions.follow(event)?;
        }
        if page.is_empty() {
            return Err(LogError::corrupt(tip.position.next(), Fault::Missing));
        }
        // A page that begins beyond the head means that everything up to it is missing.
        if page.first().is_some_and(|event| event.position > head.position) {
            return Err(LogError::corrupt(tip.position.next(), Fault::Missing));
        }
        progress(tip.position, head.position);
    }
    if head.mac != tip.mac {
        return Err(LogError::corrupt(head.position, Fault::HeadMac));
    }
    check_nothing_beyond(database).await?;
    Ok(head)
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
