//! That a secret of a configuration was shown to somebody.
//!
//! A noun and a stream of its own: the configuration is the same afterwards, and so is its etag; and a
//! service that asks for a secret on every use does not make the stream long that every change reads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::secrets::SecretField;
use crate::{KeyId, RevealReason};

/// A fact about who was shown the secrets of one key's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevealEvent {
    /// `config.secret_revealed`
    Revealed(Revealed),
}

impl RevealEvent {
    /// The key whose configuration it is.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Revealed(event) => event.key_id,
        }
    }
}

/// A secret was about to be shown in clear; to whom, the event's actor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revealed {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Which one.
    pub field: SecretField,
    /// What for, in words; may be empty.
    pub reason: RevealReason,
    /// When.
    pub at: Timestamp,
}
