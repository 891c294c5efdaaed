//! The MAC that chains the events of the log. What it covers, and in which order, is the log's; the
//! log itself has no cryptography and is handed this as a closure.

use ring::hmac;

use crate::hash;
use crate::keyring::Slots;

/// The keys of the event log's MAC chain.
#[derive(Debug)]
pub struct ChainKey {
    keys: Slots<hmac::Key>,
}

impl ChainKey {
    pub(crate) const fn new(keys: Slots<hmac::Key>) -> Self {
        Self { keys }
    }

    /// HMAC-SHA-256 of `message` under the active key.
    #[must_use]
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        hash::mac(self.keys.active().1, message)
    }

    /// Which key is active.
    #[must_use]
    pub const fn active_id(&self) -> u16 {
        self.keys.active().0
    }
}
