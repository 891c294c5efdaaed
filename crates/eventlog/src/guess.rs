//! The past that a batch of commands expects, so that it can be written without being read first.
//!
//! A writer that knows the head can compute positions and MACs before it asks the database anything.
//! What it takes for granted is checked by the one statement that writes:
//! 1. The head is where the writer left it, in log, epoch, position and MAC: the `UPDATE` of its row
//!    says so, and takes the lock that orders all appends. If not, nothing is written.
//! 2. A stream is at the revision that its command expects: one that is further has the next revision
//!    already, which is unique. It can't be less far, for no event is ever taken away while 1 holds.
//! 3. No event id and no request is known: both are unique.
//!
//! Whatever does not hold, the batch is then looked at in two round trips, as if nothing had been
//! tried; so only what those answer is ever told as a conflict with the past.
//!
//! Guarded by the tests in `contract/at_once.rs`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;

use crate::append::{Expected, Prepared};
use crate::event::{Revision, StreamId};
use crate::plan::Past;
use crate::row::Head;

/// The past as these commands expect it; `None` if they leave it open, or disagree.
pub(crate) fn expected_past(head: Head, now: Timestamp, commands: &[&Prepared]) -> Option<Past> {
    let mut expected: HashMap<&StreamId, Option<Revision>> = HashMap::new();
    for part in commands.iter().flat_map(|command| &command.append.streams) {
        if part.events.is_empty() {
            // A condition only: no row that is written would prove it.
            return None;
        }
        let revision = match part.expected {
            Expected::NoStream => None,
            Expected::Exact(revision) => Some(revision),
            Expected::Any => return None,
        };
        match expected.entry(&part.stream) {
            Entry::Vacant(free) => drop(free.insert(revision)),
            Entry::Occupied(other) if *other.get() == revision => {}
            Entry::Occupied(_) => return None,
        }
    }
    let known = expected.into_iter();
    let revisions = known.filter_map(|(stream, at)| Some((stream.clone(), at?))).collect();
    Some(Past { head, now, revisions, events: HashMap::new(), requests: HashMap::new() })
}
