//! Where verdicts are tallied: a shard for each serving thread, so that its lock is free whenever it is
//! taken but for the moment in which the flusher swaps the map behind it.
//!
//! A verdict is noted in a short list first, and a full list is tallied at one go. A look-up in a large
//! map is a few waits for memory; one verdict at a time would wait for each of them, while those of a
//! list overlap.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::tally::{Place, Tally, Use, cut};

/// Tallies of one shard.
pub(super) type Tallies = HashMap<Place, Tally, RandomState>;

/// Tallies that all shards may hold together between two flushes.
const MOST: usize = 65_536;
/// Verdicts that are noted before they are tallied.
const NOTES: usize = 64;
/// User agents that a shard remembers before it forgets them all.
const AGENTS: usize = 1_024;

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
    notes: Vec<Note>,
    agents: Agents,
    tallies: Tallies,
    dropped: u64,
}

/// A verdict, and its user agent.
#[derive(Debug)]
struct Note(Use<'static>, Arc<str>);

/// User agents that were met: few different ones, each kept once, so that the same is told by its address.
#[derive(Debug)]
struct Agents {
    last: Arc<str>,
    known: HashSet<Arc<str>, RandomState>,
}

impl Default for Agents {
    fn default() -> Self {
        Self { last: Arc::from(""), known: HashSet::default() }
    }
}

impl Agents {
    #[inline]
    fn kept(&mut self, text: &str) -> Arc<str> {
        if *self.last != *text {
            self.last = self.look_up(text);
        }
        Arc::clone(&self.last)
    }

    fn look_up(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= AGENTS {
            self.known.clear();
        }
        let new: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&new));
        new
    }
}

impl Shelf {
    #[inline]
    fn note(&mut self, used: &Use<'_>) {
        let agent = self.agents.kept(cut(used.user_agent));
        self.notes.push(Note(Use { user_agent: "", ..*used }, agent));
    }

    /// Tallies what was noted; drops that of a credential which is one too many.
    fn tally(&mut self, most: usize) {
        for Note(used, agent) in &self.notes {
            let place = Place::of(used);
            if let Some(tally) = self.tallies.get_mut(&place) {
                tally.add(used, agent);
            } else if self.tallies.len() < most {
                self.tallies.insert(place, Tally::of(used, agent));
            } else {
                self.dropped += 1;
            }
        }
        self.notes.clear();
    }
}

thread_local! {
    static MINE: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Recorder {
    /// For so many serving threads.
    pub(crate) fn new(threads: usize) -> Self {
        let shards = threads.max(1).next_power_of_two();
        Self::bounded(shards, (MOST / shards).max(1_024))
    }

    /// One that records nothing.
    pub(crate) fn off() -> Self {
        Self::bounded(0, 0)
    }

    /// So many shards, a power of two or none, and so many tallies in each.
    pub(super) fn bounded(shards: usize, most: usize) -> Self {
        Self { shards: (0..shards).map(|_| Shard::default()).collect(), most }
    }

    /// Records a verdict.
    #[inline]
    pub(crate) fn record(&self, used: &Use<'_>) {
        if self.shards.is_empty() {
            return;
        }
        let mut shelf = locked(&self.shards[mine() & (self.shards.len() - 1)]);
        shelf.note(used);
        if shelf.notes.len() >= NOTES {
            shelf.tally(self.most);
        }
    }

    /// Takes everything out, shard by shard; answers how many verdicts were dropped since the last time.
    /// `spare` is an empty map that is put where a full one was, and so on, to keep their memory.
    pub(super) fn take(&self, spare: &mut Tallies, mut each: impl FnMut(Place, Tally)) -> u64 {
        let mut dropped = 0;
        for shard in &self.shards {
            {
                let mut shelf = locked(shard);
                shelf.tally(self.most);
                mem::swap(&mut shelf.tallies, spare);
                dropped += mem::take(&mut shelf.dropped);
            }
            spare.drain().for_each(|(place, tally)| each(place, tally));
        }
        dropped
    }
}

/// What is done under the lock leaves at worst a note twice when it panics.
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
