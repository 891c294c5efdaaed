//! Where the verifier is in the history of the log: its place, and the links of the chain that led there.
//!
//! A position alone says nothing after a failover that lost the log's tail, for the new primary gives
//! the same positions to other events. A MAC covers all of the past, so two histories that agree on
//! the link at one position agree on everything before it.

use std::collections::VecDeque;

use eventlog::{Head, Mac, Position, RecordedEvent};

/// How many links are kept: a heartbeat's head is compared once the tail has reached it, and by then
/// the tail may have gone on. One that is forgotten costs that heartbeat's renewal, nothing else.
const KEPT: usize = 4_096;

/// The last links that were applied.
#[derive(Debug, Default)]
pub(super) struct Trail {
    tip: Option<Head>,
    /// The links up to the tip's, oldest first.
    links: VecDeque<Mac>,
}

/// How a head of the log lies to what was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Its history was applied.
    Applied,
    /// It is not reached yet, or nothing was applied at all.
    Ahead,
    /// It is so far behind that its link is forgotten.
    Forgotten,
    /// It belongs to another history than the one that was applied.
    Elsewhere,
}

impl Trail {
    /// Begins anew at the place that a verifier was warmed to.
    pub(super) fn begin(&mut self, at: Head) {
        self.tip = Some(at);
        self.links.clear();
        self.links.push_back(at.mac);
    }

    /// Forgets everything: no head is the verifier's any more.
    pub(super) fn end(&mut self) {
        self.tip = None;
        self.links.clear();
    }

    /// Notes that these events, which follow the tip, were applied. Returns the tip; none if the trail
    /// has ended.
    pub(super) fn extend(&mut self, events: &[RecordedEvent]) -> Option<Position> {
        let tip = self.tip.as_mut()?;
        for event in events {
            (tip.position, tip.mac) = (event.position, event.mac);
            if self.links.len() == KEPT {
                self.links.pop_front();
            }
            self.links.push_back(event.mac);
        }
        Some(tip.position)
    }

    /// Where `head` is.
    pub(super) fn place(&self, head: &Head) -> Place {
        let Some(tip) = &self.tip else {
            return Place::Ahead;
        };
        if (head.log_id, head.epoch) != (tip.log_id, tip.epoch) {
            return Place::Elsewhere;
        }
        if head.position > tip.position {
            return Place::Ahead;
        }
        let back = usize::try_from(tip.position.since(head.position)).unwrap_or(usize::MAX);
        let Some(index) = self.links.len().checked_sub(back.saturating_add(1)) else {
            return Place::Forgotten;
        };
        if self.links.get(index) == Some(&head.mac) { Place::Applied } else { Place::Elsewhere }
    }
}
