//! One record a workspace, shared by all its keys, so that a suspension is one store that every key
//! sees at once.

use std::sync::atomic::{AtomicU8, Ordering};

use domain::WorkspaceId;

const KNOWN: u8 = 1;
const SUSPENDED: u8 = 2;
const QUARANTINED: u8 = 4;

/// What is known of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceFacts {
    /// Whether all its keys are denied.
    pub suspended: bool,
    /// Whether nothing is decided for it, as one of its events could not be applied.
    pub quarantined: bool,
}

/// A workspace in memory. It may be there before the workspace is known: a key can be loaded first.
#[derive(Debug)]
pub(crate) struct WorkspaceRecord {
    id: WorkspaceId,
    standing: AtomicU8,
}

/// What stood in a record at one moment: all of it is of the same moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing(u8);

impl Standing {
    pub(crate) const fn known(self) -> bool {
        self.0 & KNOWN != 0
    }

    pub(crate) const fn suspended(self) -> bool {
        self.0 & SUSPENDED != 0
    }

    pub(crate) const fn quarantined(self) -> bool {
        self.0 & QUARANTINED != 0
    }

    pub(crate) const fn facts(self) -> WorkspaceFacts {
        WorkspaceFacts { suspended: self.suspended(), quarantined: self.quarantined() }
    }
}

impl WorkspaceRecord {
    /// The record of a workspace of which nothing is known yet.
    pub(crate) const fn unknown(id: WorkspaceId) -> Self {
        Self { id, standing: AtomicU8::new(0) }
    }

    pub(crate) const fn id(&self) -> WorkspaceId {
        self.id
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing(self.standing.load(Ordering::Acquire))
    }

    /// Makes the workspace known. Says whether it was not known before.
    pub(crate) fn make_known(&self) -> bool {
        self.set(KNOWN, true) & KNOWN == 0
    }

    pub(crate) fn suspend(&self, suspended: bool) {
        self.set(SUSPENDED, suspended);
    }

    /// Nothing lifts this but a new start: what was missed is not known.
    pub(crate) fn quarantine(&self) {
        self.set(QUARANTINED, true);
    }

    fn set(&self, bit: u8, on: bool) -> u8 {
        // A read-modify-write is a full barrier for whoever starts to read after it has returned.
        if on {
            self.standing.fetch_or(bit, Ordering::SeqCst)
        } else {
            self.standing.fetch_and(!bit, Ordering::SeqCst)
        }
    }
}
