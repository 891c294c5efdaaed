//! Tallies that wait to be written: merged, each in its turn, bounded.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::tally::{Place, Tally};

/// See the module.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: HashMap<Place, Tally, RandomState>,
    /// Those that wait, the one that is next first.
    turns: VecDeque<Place>,
    most: usize,
}

impl Backlog {
    /// One that holds so many tallies.
    pub(super) fn of(most: usize) -> Self {
        Self { waiting: HashMap::default(), turns: VecDeque::new(), most }
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
            self.turns.push_back(place);
        } else {
            return tally.accepted() + tally.denied();
        }
        0
    }

    /// Takes out those whose turn it is, in ascending order; none if there are none.
    pub(super) fn next(&mut self, most: usize) -> Vec<(Place, Tally)> {
        let turns = self.turns.drain(..most.min(self.turns.len()));
        let mut taken: Vec<_> =
            turns.filter_map(|place| self.waiting.remove_entry(&place)).collect();
        taken.sort_unstable_by_key(|(place, _)| *place);
        taken
    }
}

#[cfg(test)]
mod tests;
