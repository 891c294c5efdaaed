//! Fingerprints: whether a text is one that was seen before, without keeping the text.
//!
//! A fingerprint is a tag of AES-256-GCM over the text, under a key drawn for one table of
//! fingerprints and never written down. Every tag is made with the same nonce, which GCM forbids to
//! whoever shows tags to others: so a fingerprint can't leave this program. What nobody sees tells
//! nothing of the key, and then two different texts have the same one with a chance of about 2^-120.
//! A third of the price of a MAC of a secret, which is what it saves.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::NoEntropy;

/// What texts are known by in one table. Good for comparing with others of the same
/// [`Fingerprints`]; can't be printed or taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Which of `slots` places of a table it belongs in; `slots` is 1 to 256.
    #[must_use]
    pub const fn slot(self, slots: usize) -> usize {
        // One byte is as random as all of it.
        self.0.to_ne_bytes()[0] as usize % slots
    }
}

/// The key of one table of fingerprints.
pub struct Fingerprints(LessSafeKey);

impl Fingerprints {
    /// Draws a key.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new() -> Result<Self, NoEntropy> {
        let key = crate::random::<32>().map(Zeroizing::new)?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| NoEntropy)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The fingerprint of a text; `None` if it is too long for the cipher.
    #[inline]
    #[must_use]
    pub fn of(&self, text: &[u8]) -> Option<Fingerprint> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(text), &mut []).ok()?;
        Some(Fingerprint(u128::from_ne_bytes(tag.as_ref().try_into().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_fingerprint_and_another_has_another() {
        let table = Fingerprints::new().unwrap();
        let of = |text: &[u8]| table.of(text).unwrap().0;
        assert_eq!(of(b"one"), of(b"one"));
        assert_ne!(of(b"one"), of(b"two"));
        assert_ne!(of(b"one"), of(b"one\0"));
    }

    #[test]
    fn every_table_has_its_own() {
        let [one, other] = [(); 2].map(|()| Fingerprints::new().unwrap().of(b"one").unwrap().0);
        assert_ne!(one, other);
    }
}
