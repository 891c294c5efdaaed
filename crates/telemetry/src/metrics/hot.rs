//! A counter for the hot path: one uncontended atomic add, no lock, no look-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::shard::{Padded, mine, shards};

/// A registered counter. Clones count into the same number; keep one where it is used.
///
/// Each thread adds to a cache line that few others write; the sum is taken at scrape time. Every
/// add that happened before a scrape is in it.
#[derive(Clone, Debug)]
pub struct HotCounter {
    shards: Arc<[Padded<AtomicU64>]>,
}

impl HotCounter {
    pub(super) fn new() -> Self {
        HotCounter { shards: Arc::from(shards()) }
    }

    /// Adds `count`.
    #[inline]
    pub fn add(&self, count: u64) {
        mine(&self.shards).fetch_add(count, Ordering::Relaxed);
    }

    /// What has been counted since the program started.
    pub fn total(&self) -> u64 {
        self.shards.iter().map(|shard| shard.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn every_add_of_many_threads_is_counted() {
        const THREADS: usize = 16;
        const ADDS: u64 = 300_000;
        let counter = HotCounter::new();
        // More threads than shards on a small machine, all at once: some share one.
        let together = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    (0..ADDS).for_each(|_| counter.add(3));
                });
            }
        });
        assert_eq!(counter.total(), THREADS as u64 * ADDS * 3);
    }
}
