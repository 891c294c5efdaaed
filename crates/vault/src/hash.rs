//! Digests and comparisons that need no key of the ring. Not for stored secrets: those are MACs
//! under a pepper.

use ring::{digest, hmac};
use zeroize::Zeroizing;

/// SHA-256 of `content`, for what is not secret: to tell whether a repeated request is the same.
#[must_use]
pub fn sha256(content: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
    bytes
}

/// Whether two secrets are the same. The time taken says nothing of where they differ; it does grow
/// with their lengths.
///
/// Both are put through HMAC under a key drawn for this one comparison. Where no key can be drawn
/// the answer is no.
#[must_use]
pub fn same_secret(one: &[u8], other: &[u8]) -> bool {
    let Ok(key) = crate::random::<32>().map(Zeroizing::new) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
    hmac::verify(&key, one, hmac::sign(&key, other).as_ref()).is_ok()
}

/// HMAC-SHA-256 of `message` as plain bytes: for keys and values derived from others, and MACs that
/// leave the vault. What is checked here is checked with `ring::hmac::verify`.
pub(crate) fn mac(key: &hmac::Key, message: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hmac::sign(key, message).as_ref());
    bytes
}

/// The HMAC-SHA-256 key of these bytes.
pub(crate) fn hmac_key(bytes: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}
