//! Which part of a sharded number this thread writes to. The shards add up to the number; no
//! thread owns one.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// One shard's values on cache lines of their own: two lines, because processors fetch in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

/// How many shards a number has: a power of two, at least twice the processors.
static SHARDS: LazyLock<usize> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(4, usize::from);
    (processors * 2).next_power_of_two().clamp(4, 64)
});

const UNKNOWN: usize = usize::MAX;

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// Makes the shards of one number.
pub(super) fn shards<T: Default>() -> Box<[Padded<T>]> {
    (0..*SHARDS).map(|_| Padded::default()).collect()
}

/// This thread's shard: handed out in turn, so that few threads share one.
#[inline]
pub(super) fn mine<T>(shards: &[Padded<T>]) -> &T {
    let mine = MINE.get();
    let mine = if mine == UNKNOWN { choose() } else { mine };
    // The number of shards is a power of two, so the mask keeps the index inside.
    &shards[mine & (shards.len() - 1)].0
}

#[cold]
fn choose() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let chosen = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
    MINE.set(chosen);
    chosen
}
