//! The key ring: the keys that live outside the database, in one text.
//!
//! The ring holds at least one key for each [`KeyPurpose`], one of them active: new values are made
//! under the active one, old ones still open under theirs. The keys themselves can't be taken out.
//! Reading the text is `parse`, its place on the disk is `file`, changing what stands there is `edit`.
//! A ring that was read never changes; who is to use another one, and when, is the service's work.

mod edit;
mod error;
mod file;
mod parse;
mod slots;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use edit::RingEdit;
pub use error::{KeyRingError, KeyRingFault};
pub(crate) use slots::Slots;

use crate::gcm::GcmKey;
use crate::hash;
use crate::tokens::TokenKeys;
use crate::{ChainKey, Keks, KeyCheck, NoEntropy, Peppers, Tokens};
use parse::RawRing;

/// What a key of the ring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPurpose {
    /// MACs of secrets.
    Pepper,
    /// Wrapping of data keys.
    Kek,
    /// The MAC chain of the event log.
    Chain,
    /// Page tokens and kept replies.
    PageToken,
}

impl KeyPurpose {
    /// Every purpose, in the order of the file.
    pub const ALL: [Self; 4] = [Self::Pepper, Self::Kek, Self::Chain, Self::PageToken];

    /// The name of its table in the file, which is also its stored spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pepper => "pepper",
            Self::Kek => "kek",
            Self::Chain => "chain",
            Self::PageToken => "page_token",
        }
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All keys of a deployment, by what they can do. `Debug` shows ids only.
#[derive(Debug)]
pub struct KeyRing {
    peppers: Arc<Peppers>,
    keks: Arc<Keks>,
    chain: Arc<ChainKey>,
    tokens: Arc<Tokens>,
    checks: Vec<KeyCheck>,
    keys: Vec<RingKey>,
}

/// One key of a ring, without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RingKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its id.
    pub id: u16,
    /// Whether new values are made under it.
    pub active: bool,
}

impl KeyRing {
    /// The ring of a text that came from `place`, as errors call it.
    ///
    /// # Errors
    /// [`KeyRingError`]: what to do, never a byte of the text.
    pub fn parse(text: &str, place: &str) -> Result<Self, KeyRingError> {
        let raw = RawRing::parse(text);
        raw.map(|raw| Self::of(&raw)).map_err(|fault| KeyRingError::of(place.to_owned(), fault))
    }

    /// Reads the ring at `path`, which nobody but its owner may be able to read.
    ///
    /// # Errors
    /// [`KeyRingError`]: names the path and what to do, never a byte of a key.
    pub fn load(path: &Path) -> Result<Self, KeyRingError> {
        file::read(path)
            .and_then(|text| RawRing::parse(&text))
            .map(|raw| Self::of(&raw))
            .map_err(|fault| KeyRingError::new(path, fault))
    }

    /// Writes a ring of new keys to `path`, readable by its owner only, and not before it is whole
    /// on the disk. A file that is already there stays as it is.
    ///
    /// # Errors
    /// [`KeyRingError`]; [`KeyRingFault::AlreadyThere`] if there is a file.
    pub fn generate_file(path: &Path) -> Result<(), KeyRingError> {
        RawRing::text_of_new_keys()
            .map_err(KeyRingFault::from)
            .and_then(|text| file::publish(path, text.as_bytes()))
            .map_err(|fault| KeyRingError::new(path, fault))
    }

    /// The ring at `path`, made first if there is none. Of several that start at once, one makes it
    /// and all get the same.
    ///
    /// For development and the embedded default. Where a database exists already, a ring made anew
    /// is not its ring: compare [`KeyRing::key_check_values`].
    ///
    /// # Errors
    /// As [`KeyRing::load`] and [`KeyRing::generate_file`].
    pub fn load_or_generate(path: &Path) -> Result<Self, KeyRingError> {
        match Self::load(path) {
            Err(error) if error.fault().is_missing() => {}
            loaded => return loaded,
        }
        match Self::generate_file(path) {
            Err(error) if !matches!(error.fault(), KeyRingFault::AlreadyThere) => Err(error),
            Ok(()) | Err(_) => Self::load(path),
        }
    }

    fn of(raw: &RawRing) -> Self {
        let checks = KeyPurpose::ALL.into_iter().flat_map(|purpose| {
            let keys = raw.keys(purpose).all();
            keys.map(move |key| KeyCheck::of(purpose, key.id, &key.bytes))
        });
        Self {
            checks: checks.collect(),
            keys: raw.list(),
            peppers: Arc::new(Peppers::new(raw.pepper.slots(hash::hmac_key))),
            keks: Arc::new(Keks::new(raw.kek.slots(GcmKey::new))),
            chain: Arc::new(ChainKey::new(raw.chain.slots(hash::hmac_key))),
            tokens: Arc::new(Tokens::new(raw.page_token.slots(TokenKeys::new))),
        }
    }

    /// MACs of secrets.
    #[must_use]
    pub const fn peppers(&self) -> &Arc<Peppers> {
        &self.peppers
    }

    /// Data keys.
    #[must_use]
    pub const fn keks(&self) -> &Arc<Keks> {
        &self.keks
    }

    /// The MAC chain of the event log.
    #[must_use]
    pub const fn chain(&self) -> &Arc<ChainKey> {
        &self.chain
    }

    /// Page tokens and kept replies.
    #[must_use]
    pub const fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// Every key, by purpose and id.
    #[must_use]
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// One check value for each key, active or not.
    ///
    /// A key whose stored value differs is another key under the same id, and nothing may start
    /// with it. A key with none stored is new; a stored value without a key is a key that is
    /// missing here.
    #[must_use]
    pub fn key_check_values(&self) -> &[KeyCheck] {
        &self.checks
    }
}

impl From<NoEntropy> for KeyRingFault {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}
