//! The key ring of a running node: the one that it uses now, which may be replaced while it runs.
//!
//! `watch` notices a new one, `known` compares it with what the database knows, `command` has it printed
//! by a program, `uses` finds what is still under a key, `rewrap` wraps data keys anew. What the keys can
//! do is the vault's.

pub(crate) mod command;
pub(crate) mod known;
pub(crate) mod rewrap;
pub(crate) mod uses;
pub(crate) mod watch;

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use domain::PepperId;
use eventlog::ChainMac;
use tokio::sync::watch::{Receiver, Sender};
use vault::KeyRing;

pub use known::Known;

/// The ring that is in use now. Whoever needs a key asks for it each time, and holds what he got no
/// longer than for one value.
pub struct LiveRing {
    current: ArcSwap<Loaded>,
    replaced: Sender<()>,
}

/// A ring, and what the database knows beyond it.
#[derive(Debug)]
pub struct Loaded {
    ring: KeyRing,
    known: Known,
}

impl LiveRing {
    /// Begins with this ring.
    #[must_use]
    pub fn new(ring: KeyRing, known: Known) -> Self {
        let current = ArcSwap::from_pointee(Loaded { ring, known });
        Self { current, replaced: Sender::new(()) }
    }

    /// The ring as it is now: one load, on the path of every verdict.
    #[inline]
    pub fn load(&self) -> Guard<Arc<Loaded>> {
        self.current.load()
    }

    /// Goes on with another ring.
    pub fn replace(&self, ring: KeyRing, known: Known) {
        self.current.store(Arc::new(Loaded { ring, known }));
        self.replaced.send_replace(());
    }

    /// Hears of every replacement from now on.
    #[must_use]
    pub fn replacements(&self) -> Receiver<()> {
        self.replaced.subscribe()
    }

    /// The MAC of the log's chain, under the ring of the moment.
    #[must_use]
    pub fn chain_mac(self: &Arc<Self>) -> ChainMac {
        let (links, checks) = (Arc::clone(self), Arc::clone(self));
        ChainMac::of_keys(
            move |text| links.load().chain().link(text),
            move |id, text| checks.load().chain().under(id, text),
        )
    }
}

impl Loaded {
    /// Whether a digest under this pepper can't be judged here, because other nodes have the pepper and
    /// this one has not yet. One that was retired has nothing left to judge.
    #[must_use]
    pub fn lacks(&self, pepper: PepperId) -> bool {
        !self.ring.peppers().has(pepper) && !self.known.retired_peppers.contains(&pepper.0)
    }
}

impl Deref for Loaded {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        &self.ring
    }
}
