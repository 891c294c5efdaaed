//! Whether this node's key ring has the peppers that credentials are under.
//!
//! One that other nodes make credentials under, and that this node has not been given yet, must not be
//! taken for a wrong secret: those credentials would be denied here. So the node answers nothing until it
//! has the pepper. The order of the steps in the runbook keeps this from happening at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use domain::PepperId;
use eventlog::{Position, RecordedEvent};
use serde::Deserialize;

use super::Trouble;
use crate::keyring::{LiveRing, Loaded};

/// A pepper that is not in the ring, and was not retired either.
#[derive(Debug, thiserror::Error)]
#[error("the key ring has no pepper {}, under which {place} is", pepper.0)]
struct LackedPepper {
    pepper: PepperId,
    place: Place,
}

#[derive(Debug, thiserror::Error)]
enum Place {
    #[error("a credential of position {0}")]
    Event(Position),
    #[error("a credential")]
    Row,
}

/// What an event may say of a credential, whichever event it is.
#[derive(Deserialize)]
struct Credentials {
    credential: Option<Record>,
    token: Option<Record>,
}

#[derive(Deserialize)]
struct Record {
    pepper: u16,
}

/// Refuses an event with a credential that this node could not judge.
pub(super) fn check(ring: &LiveRing, recorded: &RecordedEvent) -> Result<(), Trouble> {
    const NAME: &[u8] = b"\"pepper\":";
    if !recorded.payload.windows(NAME.len()).any(|window| window == NAME) {
        return Ok(());
    }
    // What can't be read is dealt with where it is folded.
    let Ok(said) = serde_json::from_slice::<Credentials>(&recorded.payload) else {
        return Ok(());
    };
    let ring = ring.load();
    for record in said.credential.iter().chain(&said.token) {
        let pepper = PepperId(record.pepper);
        if ring.lacks(pepper) {
            return Err(behind(pepper, Place::Event(recorded.position)));
        }
    }
    Ok(())
}

fn behind(pepper: PepperId, place: Place) -> Trouble {
    Trouble::RingBehind(Box::new(LackedPepper { pepper, place }))
}

/// Notes which pepper is lacking while rows are loaded.
pub(super) struct Lacking {
    ring: Arc<Loaded>,
    /// 0, which no pepper has, while none is.
    lacked: AtomicU16,
}

impl Lacking {
    pub(super) fn of(ring: &LiveRing) -> Self {
        Self { ring: Arc::clone(&ring.load()), lacked: AtomicU16::new(0) }
    }

    pub(super) fn note(&self, pepper: PepperId) {
        if self.ring.lacks(pepper) {
            self.lacked.store(pepper.0, Ordering::Relaxed);
        }
    }

    pub(super) fn check(&self) -> Result<(), Trouble> {
        match self.lacked.load(Ordering::Relaxed) {
            0 => Ok(()),
            lacked => Err(behind(PepperId(lacked), Place::Row)),
        }
    }
}
