//! A histogram of durations for the hot path, with fixed buckets and atomics only. Quantiles are
//! left to who reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::seconds;
use super::shard::{Padded, mine, shards};

/// The most upper bounds that a histogram may have.
const MOST: usize = 24;

/// The upper bounds of a histogram's buckets, in nanoseconds, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets(&'static [u64]);

impl Buckets {
    /// From 50 us to 10 s: for calls that leave the program.
    pub const CALLS: Buckets = Buckets::new(&[
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
        5_000_000_000,
        10_000_000_000,
    ]);

    /// From 500 ns to 1 s: for answers out of memory.
    pub const IN_MEMORY: Buckets = Buckets::new(&[
        500,
        1_000,
        2_500,
        5_000,
        10_000,
        25_000,
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        50_000_000,
        100_000_000,
        1_000_000_000,
    ]);

    /// Takes bounds in nanoseconds: ascending, 1 to 24 of them.
    ///
    /// # Panics
    /// When they are not; in a constant, that is when compiling.
    pub const fn new(bounds: &'static [u64]) -> Buckets {
        assert!(!bounds.is_empty() && bounds.len() <= MOST, "1 to 24 bounds");
        let mut i = 1;
        while i < bounds.len() {
            assert!(bounds[i - 1] < bounds[i], "bounds ascend");
            i += 1;
        }
        Buckets(bounds)
    }

    /// The bounds in seconds.
    pub(super) fn seconds(self) -> impl Iterator<Item = f64> {
        self.0.iter().copied().map(seconds)
    }
}

/// One shard: how many fell into each bucket, the last being above all bounds, and their sum.
#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; MOST + 1],
    nanos: AtomicU64,
}

/// A registered histogram of durations. Clones record into the same one.
#[derive(Clone, Debug)]
pub struct HotHistogram {
    buckets: Buckets,
    shards: Arc<[Padded<Counts>]>,
}

/// What a histogram holds at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HistogramReading {
    /// Per bound, in seconds: how many were at most that long.
    pub(super) cumulative: Vec<(f64, u64)>,
    /// How many there were.
    pub(super) count: u64,
    /// How long they took together, in seconds.
    pub(super) sum: f64,
}

impl HotHistogram {
    pub(super) fn new(buckets: Buckets) -> Self {
        HotHistogram { buckets, shards: Arc::from(shards()) }
    }

    /// Records one duration: two uncontended atomic adds.
    #[inline]
    pub fn record(&self, duration: Duration) {
        // More than 584 years do not fit; they count as that many.
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = self.buckets.0.partition_point(|&bound| bound < nanos);
        let counts = mine(&self.shards);
        counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        counts.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Whether it was made with these bounds.
    pub(super) fn has(&self, buckets: Buckets) -> bool {
        self.buckets == buckets
    }

    /// Adds the shards up. The count is that of the buckets, so both always agree; the sum may be
    /// ahead or behind by what was recorded meanwhile.
    pub(super) fn read(&self) -> HistogramReading {
        let fell_into = |bucket: usize| -> u64 {
            let counts = self.shards.iter().map(|shard| &shard.0.buckets[bucket]);
            counts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        let mut count = 0;
        let mut cumulative = Vec::with_capacity(self.buckets.0.len());
        for (bucket, bound) in self.buckets.seconds().enumerate() {
            count += fell_into(bucket);
            cumulative.push((bound, count));
        }
        count += fell_into(self.buckets.0.len());
        let sum = self.shards.iter().map(|shard| seconds(shard.0.nanos.load(Ordering::Relaxed)));
        HistogramReading { cumulative, count, sum: sum.sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const TWO: Buckets = Buckets::new(&[1_000, 1_000_000]);

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = HotHistogram::new(TWO);
        for nanos in [0, 1_000, 1_001, 1_000_000, 1_000_001] {
            histogram.record(Duration::from_nanos(nanos));
        }
        let reading = histogram.read();
        assert_eq!(reading.cumulative, [(0.000_001, 2), (0.001, 4)]);
        assert_eq!(reading.count, 5);
        assert!((reading.sum - 0.002_002_002).abs() < 1e-12);
    }

    #[test]
    fn every_record_of_many_threads_is_counted() {
        let histogram = HotHistogram::new(Buckets::CALLS);
        let threads: Vec<_> = (0..20)
            .map(|_| {
                let histogram = histogram.clone();
                let work = move |i| histogram.record(Duration::from_micros(i));
                thread::spawn(move || (0..10_000).for_each(work))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(histogram.read().count, 200_000);
    }

    #[test]
    fn a_duration_beyond_all_bounds_is_counted_above_them() {
        let histogram = HotHistogram::new(TWO);
        histogram.record(Duration::from_secs(u64::MAX));
        let reading = histogram.read();
        assert_eq!((reading.cumulative[1].1, reading.count), (0, 1));
    }
}
