//! MACs of credentials' secrets: the only form in which a secret of ours is kept.
//!
//! `HMAC-SHA-256(pepper, "keyward.credential.v1" || workspace || resource || kid || env || kind ||
//! secret)`, where each field but the secret has its length in one byte before it. One byte keeps
//! the message at 118 bytes, two blocks of SHA-256. Checking sits on the path of every verdict: no
//! allocation, keys set up beforehand. Reading credentials is the domain's, not this module's.

use domain::{Binding, PepperId, SECRET_LENGTH, SecretDigest};
use ring::hmac;

use crate::hash;
use crate::keyring::Slots;

const LABEL: &[u8; 21] = b"keyward.credential.v1";
/// Label; workspace, resource, kid, env and kind with their lengths; secret.
const MAX_MESSAGE: usize = LABEL.len() + (1 + 16) + (1 + 16) + (1 + 12) + (1 + 4) + (1 + 1) + 43;

/// The peppers that secrets are MACed under.
#[derive(Debug)]
pub struct Peppers {
    keys: Slots<hmac::Key>,
}

impl Peppers {
    pub(crate) const fn new(keys: Slots<hmac::Key>) -> Self {
        Self { keys }
    }

    /// The digest to store of a new `secret`, under the active pepper.
    #[must_use]
    pub fn digest(
        &self,
        binding: &Binding,
        secret: &[u8; SECRET_LENGTH],
    ) -> (PepperId, SecretDigest) {
        let (id, key) = self.keys.active();
        let message = Message::of(binding, secret);
        (PepperId(id), SecretDigest(hash::mac(key, message.as_bytes())))
    }

    /// Whether `digest` was made of this `secret` with this `binding` under this pepper.
    ///
    /// A pepper that the ring does not have never matches, and takes as long as one it has. To
    /// answer for an unknown kid, ask about any binding and digest: the same work is done.
    #[inline]
    #[must_use]
    pub fn matches(
        &self,
        binding: &Binding,
        secret: &[u8; SECRET_LENGTH],
        pepper: PepperId,
        digest: &SecretDigest,
    ) -> bool {
        let found = self.keys.get(pepper.0);
        let key = found.unwrap_or(self.keys.active().1);
        let message = Message::of(binding, secret);
        let same = hmac::verify(key, message.as_bytes(), &digest.0).is_ok();
        // Not `&&`: both are known by now, and neither hides the other's time.
        found.is_some() & same
    }

    /// Whether the ring has this pepper.
    #[must_use]
    pub fn has(&self, pepper: PepperId) -> bool {
        self.keys.get(pepper.0).is_some()
    }

    /// Which pepper new digests are made under.
    #[must_use]
    pub const fn active_id(&self) -> PepperId {
        PepperId(self.keys.active().0)
    }
}

/// What is MACed, on the stack.
///
/// It is not wiped: the secret still stands in the request it came with, and `ring` keeps a block
/// of it on its own stack; wiping this copy alone would cost time on every verdict and protect
/// nothing.
struct Message {
    bytes: [u8; MAX_MESSAGE],
    length: usize,
}

impl Message {
    #[inline]
    fn of(binding: &Binding, secret: &[u8; SECRET_LENGTH]) -> Self {
        let mut message = Self { bytes: [0; MAX_MESSAGE], length: 0 };
        message.put(LABEL);
        let workspace = binding.workspace.map(domain::WorkspaceId::uuid);
        message.put_field(workspace.as_ref().map_or(&[], |id| id.as_bytes().as_slice()));
        message.put_field(binding.resource.as_bytes());
        message.put_field(binding.kid.bits());
        message.put_field(binding.env.as_str().as_bytes());
        message.put_field(binding.kind.letter().encode_utf8(&mut [0; 4]).as_bytes());
        message.put(secret);
        message
    }

    /// Adds `field` with its length before it, which is at most 16.
    #[inline]
    fn put_field(&mut self, field: &[u8]) {
        let [length, ..] = field.len().to_le_bytes();
        self.put(&[length]);
        self.put(field);
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
