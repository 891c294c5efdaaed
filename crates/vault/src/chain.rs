//! The MAC chain of the event log. What a link covers, and in which order, is the log's; the log itself
//! has no cryptography and is handed this as closures.

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

    /// HMAC-SHA-256 of `message` under the active key, and the id of that key.
    #[must_use]
    pub fn link(&self, message: &[u8]) -> (u16, [u8; 32]) {
        let (id, key) = self.keys.active();
        (id, hash::mac(key, message))
    }

    /// HMAC-SHA-256 of `message` under the key with this id, if the ring has it; without an id, under
    /// the first one.
    #[must_use]
    pub fn under(&self, id: Option<u16>, message: &[u8]) -> Option<[u8; 32]> {
        match id {
            Some(id) => self.keys.get(id).map(|key| hash::mac(key, message)),
            None => Some(self.lasting(message)),
        }
    }

    /// HMAC-SHA-256 of `message` under the first key, the one with the lowest id: for what must come out
    /// the same whichever key is active. A ring never loses that key, and gets none with a lower id.
    #[must_use]
    pub fn lasting(&self, message: &[u8]) -> [u8; 32] {
        hash::mac(self.keys.first().1, message)
    }

    /// Which key is active.
    #[must_use]
    pub const fn active_id(&self) -> u16 {
        self.keys.active().0
    }
}
