//! Check values: what a database keeps of each key, so that a service with another key under the
//! same id refuses to start. Storing and comparing them is the service's work.

use crate::hash;
use crate::keyring::KeyPurpose;

/// Eight bytes that are the same for the same key and say nothing else about it. Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyCheck {
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The key's id in the ring.
    pub id: u16,
    /// The first 64 bits of an HMAC-SHA-256 under the key, of a text that no other use of it
    /// covers.
    pub value: [u8; 8],
}

impl KeyCheck {
    pub(crate) fn of(purpose: KeyPurpose, id: u16, key: &[u8; 32]) -> Self {
        let text = format!("keyward.key-check.v1:{purpose}");
        let [a, b, c, d, e, f, g, h, ..] = hash::mac(&hash::hmac_key(key), text.as_bytes());
        Self { purpose, id, value: [a, b, c, d, e, f, g, h] }
    }
}
