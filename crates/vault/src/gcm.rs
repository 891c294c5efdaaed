//! AES-256-GCM with nonces that are drawn here and nowhere else, so that no caller can repeat one.
//!
//! A nonce is 96 random bits and stands before the ciphertext. After 2^32 seals under one key the
//! chance that two nonces were ever equal is 2^-33; that is the bound to keep under (NIST SP
//! 800-38D asks the same). Who keeps it: a DEK seals one workspace's settings, a KEK wraps a DEK
//! for each workspace, and [`crate::Tokens`] use a key a message. Not a public cipher: what is
//! authenticated beside the ciphertext is decided by the modules that use it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::NoEntropy;

/// A value could not be sealed. Nothing of it is in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There was no chance to draw a nonce or key from.
    #[error("a value can't be sealed: no random bytes")]
    NoEntropy(#[from] NoEntropy),
    /// Over 64 GiB, the limit of the cipher.
    #[error("a value is too long to be sealed")]
    TooLong,
}

/// One AES-256 key, ready for use.
pub(crate) struct GcmKey(LessSafeKey);

impl GcmKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        Self(LessSafeKey::new(key))
    }

    /// `header`, a fresh nonce, ciphertext and tag. The header is only put in front: what must be
    /// authenticated goes into `aad`.
    pub(crate) fn seal(
        &self,
        header: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let nonce = crate::random::<NONCE_LEN>()?;
        // One allocation of the final length: a buffer that grew would leave plaintext behind.
        let start = header.len() + NONCE_LEN;
        let mut sealed = Vec::with_capacity(start + plaintext.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(header);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed[start..])
            .map_err(|_| SealError::TooLong)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The plaintext of a nonce, ciphertext and tag; `None` if anything was touched.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut text = Zeroizing::new(ciphertext.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// Additional authenticated data of these fields: a label and each field's length as eight bytes,
/// big end first, before it, so that no two lists of fields give the same bytes.
pub(crate) fn bound(label: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(160);
    for field in [label.as_bytes()].iter().chain(fields) {
        aad.extend_from_slice(&(field.len() as u64).to_be_bytes());
        aad.extend_from_slice(field);
    }
    aad
}
