//! Tallies that wait to be written: merged, in the order of their credentials, bounded.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::tally::{Place, Tally};

/// See the module.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: BTreeMap<Place, Tally>,
    most: usize,
    /// The last one that was given out: each has its turn before any has its second.
    behind: Option<Place>,
}

impl Backlog {
    /// One that holds so many tallies.
    pub(super) fn of(most: usize) -> Self {
        Self { waiting: BTreeMap::new(), most, behind: None }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a tally; answers how many verdicts were dropped, as there is no room for it.
    pub(super) fn add(&mut self, place: Place, tally: Tally) -> u64 {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.absorb(tally);
        } else if self.waiting.len() < self.most {
            self.waiting.insert(place, tally);
        } else {
            return tally.accepted() + tally.denied();
        }
        0
    }

    /// Takes the next tallies out, in ascending order; none if there are none.
    pub(super) fn next(&mut self, most: usize) -> Vec<(Place, Tally)> {
        let behind = self.behind.take().map_or(Bound::Unbounded, Bound::Excluded);
        let after = self.waiting.range((behind, Bound::Unbounded)).map(|(place, _)| *place);
        let mut places: Vec<_> = after.take(most).collect();
        if places.is_empty() {
            places = self.waiting.keys().take(most).copied().collect();
        }
        self.behind = places.last().copied();
        let taken = places.into_iter().filter_map(|place| self.waiting.remove_entry(&place));
        taken.collect()
    }
}

#[cfg(test)]
mod tests;
