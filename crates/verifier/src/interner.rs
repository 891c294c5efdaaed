//! Equal values kept once: a million keys have few different scope sets. Used by the writer only.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Below this many values nothing is swept.
const FIRST_SWEEP: usize = 64;

/// Shares equal values. Values that nobody else holds are let go at the next sweep, which comes when
/// the table has doubled: it never holds more than twice what lives, and 64.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    table: HashTable<Arc<T>>,
    hasher: RandomState,
    sweep_at: usize,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { table: HashTable::new(), hasher: RandomState::default(), sweep_at: FIRST_SWEEP }
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// The shared value that equals `value`.
    pub(crate) fn share(&mut self, value: T) -> Arc<T> {
        let hash = self.hasher.hash_one(&value);
        if let Some(known) = self.table.find(hash, |known| **known == value) {
            return Arc::clone(known);
        }
        if self.table.len() >= self.sweep_at {
            self.sweep();
        }
        let value = Arc::new(value);
        let hasher = &self.hasher;
        self.table.insert_unique(hash, Arc::clone(&value), |known| hasher.hash_one(&**known));
        value
    }

    fn sweep(&mut self) {
        // Only the writer makes further references, so a value that nobody else holds stays so.
        self.table.retain(|value| Arc::strong_count(value) > 1);
        self.sweep_at = (self.table.len() * 2).max(FIRST_SWEEP);
        let hasher = &self.hasher;
        self.table.shrink_to(self.sweep_at, |known| hasher.hash_one(&**known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_different_ones_are_not() {
        let mut interner = Interner::default();
        let first = interner.share("read".to_owned());
        assert!(Arc::ptr_eq(&first, &interner.share("read".to_owned())));
        assert!(!Arc::ptr_eq(&first, &interner.share("write".to_owned())));
    }

    #[test]
    fn values_that_nobody_holds_do_not_pile_up() {
        let mut interner = Interner::default();
        let held: Vec<_> = (0..100).map(|value| interner.share(value)).collect();
        for value in 1_000..100_000 {
            interner.share(value);
        }
        assert!(interner.table.len() <= 2 * held.len() + FIRST_SWEEP);
        assert!(Arc::ptr_eq(&held[7], &interner.share(7)));
    }
}
