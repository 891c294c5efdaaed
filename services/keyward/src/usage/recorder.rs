//! Where verdicts are tallied: a shard for each serving thread, so that its lock is free whenever it is
//! taken but for the moment in which the flusher swaps the map behind it.

use std::cell::Cell;
use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::tally::{Place, Tally, Use};

/// Tallies of one shard.
pub(super) type Tallies = HashMap<Place, Tally, RandomState>;

/// Tallies that all shards may hold together between two flushes.
const MOST: usize = 65_536;

/// Records verdicts.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Empty if nothing is recorded.
    shards: Box<[Shard]>,
    /// Tallies that one shard may hold.
    most: usize,
}

/// On cache lines of its own: two, because processors fetch in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    tallies: Tallies,
    dropped: u64,
}

thread_local! {
    static MINE: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Recorder {
    /// For so many serving threads.
    pub(crate) fn new(threads: usize) -> Self {
        let shards = threads.max(1);
        Self::bounded(shards, (MOST / shards).max(1_024))
    }

    /// One that records nothing.
    pub(crate) fn off() -> Self {
        Self::bounded(0, 0)
    }

    /// So many shards, and so many tallies in each.
    pub(super) fn bounded(shards: usize, most: usize) -> Self {
        Self { shards: (0..shards).map(|_| Shard::default()).collect(), most }
    }

    /// Records a verdict; drops it if its credential is one too many.
    #[inline]
    pub(crate) fn record(&self, used: &Use<'_>) {
        if self.shards.is_empty() {
            return;
        }
        let mut shelf = locked(&self.shards[mine() % self.shards.len()]);
        let place = Place::of(used);
        if let Some(tally) = shelf.tallies.get_mut(&place) {
            tally.add(used);
        } else if shelf.tallies.len() < self.most {
            shelf.tallies.insert(place, Tally::of(used));
        } else {
            shelf.dropped += 1;
        }
    }

    /// Takes everything out, shard by shard; answers how many verdicts were dropped since the last time.
    /// `spare` is an empty map that is put where a full one was, and so on, to keep their memory.
    pub(super) fn take(&self, spare: &mut Tallies, mut each: impl FnMut(Place, Tally)) -> u64 {
        let mut dropped = 0;
        for shard in &self.shards {
            {
                let mut shelf = locked(shard);
                mem::swap(&mut shelf.tallies, spare);
                dropped += mem::take(&mut shelf.dropped);
            }
            spare.drain().for_each(|(place, tally)| each(place, tally));
        }
        dropped
    }
}

/// Nothing that is done under the lock leaves half a tally behind when it panics.
#[inline]
fn locked(shard: &Shard) -> MutexGuard<'_, Shelf> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread's number, handed out in turn.
#[inline]
fn mine() -> usize {
    MINE.get().unwrap_or_else(choose)
}

#[cold]
fn choose() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let chosen = NEXT.fetch_add(1, Ordering::Relaxed);
    MINE.set(Some(chosen));
    chosen
}

#[cfg(test)]
mod tests;
