//! What can be wrong with a key ring, each in one line that says what to do. No text from inside
//! the file is ever repeated: it may be a key.

use std::fmt;
use std::io;
use std::path::Path;

use super::KeyPurpose;

/// A key ring can't be used.
#[derive(Debug)]
pub struct KeyRingError {
    place: String,
    fault: KeyRingFault,
}

impl KeyRingError {
    pub(super) fn new(path: &Path, fault: KeyRingFault) -> Self {
        Self::of(path.display().to_string(), fault)
    }

    pub(super) const fn of(place: String, fault: KeyRingFault) -> Self {
        Self { place, fault }
    }

    /// What is wrong.
    #[must_use]
    pub const fn fault(&self) -> &KeyRingFault {
        &self.fault
    }
}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        write!(f, "key ring {place} {}", self.fault)?;
        if let KeyRingFault::Exposed { .. } = self.fault {
            write!(f, ": chmod 600 {place}")?;
        }
        Ok(())
    }
}

impl std::error::Error for KeyRingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

/// What is wrong with a key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingFault {
    /// The file could not be read.
    #[error("can't be read")]
    Unreadable(#[source] io::Error),
    /// The file could not be made.
    #[error("can't be written")]
    Unwritable(#[source] io::Error),
    /// There is a file already; it was left as it is.
    #[error("is already there and was left as it is")]
    AlreadyThere,
    /// It is a folder, a device or a socket.
    #[error("is not a regular file")]
    NotAFile,
    /// Others than the owner may read, write or run it.
    #[error("has mode {mode:04o}, where only its owner may read and write it")]
    Exposed {
        /// The permission bits it has.
        mode: u32,
    },
    /// Over 64 KiB.
    #[error("is over 64 KiB, which no key ring is")]
    TooLarge,
    /// Not TOML, or members are missing, unknown or of the wrong type.
    #[error(
        "is not as it must be at line {line}: tables [[pepper]], [[kek]], [[chain]], [[page_token]], each with id = 1 to 65535, key = \"base64 of 32 bytes\", active = true or false, and nothing else"
    )]
    Malformed {
        /// The first line that is wrong, counted from 1.
        line: usize,
    },
    /// Ids begin at 1.
    #[error("has a [[{0}]] with the id 0; ids are 1 to 65535")]
    ZeroId(KeyPurpose),
    /// Two keys of one purpose have the same id.
    #[error("has [[{0}]] {1} twice")]
    DoubleId(KeyPurpose, u16),
    /// The same key stands in two places, whatever the purposes.
    #[error("has in [[{0}]] {1} a key that stands in it elsewhere too; each must be drawn anew")]
    DoubleKey(KeyPurpose, u16),
    /// The key is not base64 of 32 bytes.
    #[error("has in [[{0}]] {1} a key that is not base64 of exactly 32 bytes")]
    BadKey(KeyPurpose, u16),
    /// Not exactly one key of a purpose is active.
    #[error("has {active} active [[{purpose}]] where it must have exactly one")]
    NotOneActive {
        /// Whose keys.
        purpose: KeyPurpose,
        /// How many are active.
        active: usize,
    },
    /// There is no such key.
    #[error("has no [[{0}]] {1}")]
    NoSuchKey(KeyPurpose, u16),
    /// The active key can't be taken out.
    #[error("makes new values under [[{0}]] {1}: activate another one first")]
    StillActive(KeyPurpose, u16),
    /// The first chain key can't be taken out.
    #[error(
        "can't lose its first [[chain]] key, {0}: the beginning of the log, the ids of imported keys and the digests of requests are under it for ever"
    )]
    FirstChainKey(u16),
    /// Ids end at 65535.
    #[error("has a [[{0}]] 65535, which is the last id")]
    NoMoreIds(KeyPurpose),
    /// No keys could be drawn.
    #[error("can't be made: the operating system gave no random bytes")]
    NoEntropy,
}

impl KeyRingFault {
    /// Whether there simply is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable(cause) if cause.kind() == io::ErrorKind::NotFound)
    }
}
