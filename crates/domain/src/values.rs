//! Small values that several nouns share. What a value may be is decided where it is made; a value
//! that exists is valid.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a value was refused: the rule, in words for whoever sent it. The field is named by the edge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct InvalidValue {
    rule: String,
}

impl InvalidValue {
    /// A refusal that states `rule`. Never put the refused value in it if it may be a secret.
    pub fn new(rule: impl Into<String>) -> Self {
        Self { rule: rule.into() }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

/// Which of a workspace's two worlds a credential belongs to. Part of the MAC: it can't be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Env {
    /// Real traffic.
    Live,
    /// Sandbox traffic.
    Test,
}

impl Env {
    /// `live` or `test`, as inside a credential.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// Microseconds since the Unix epoch, UTC: the precision of the log, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl From<Timestamp> for Micros {
    fn from(at: Timestamp) -> Self {
        Self(at.as_microsecond())
    }
}

impl Micros {
    /// The same moment as a timestamp; a moment outside jiff's years is clamped to them.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

/// Why a key was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// The secret is, or may be, in the wrong hands.
    Compromised,
    /// Another key took its place.
    Superseded,
    /// Nobody uses it.
    Unused,
    /// Its owner left.
    OwnerLeft,
    /// See the text.
    Other,
}

impl RevocationReason {
    /// The stored spelling, which read models use as well.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compromised => "compromised",
            Self::Superseded => "superseded",
            Self::Unused => "unused",
            Self::OwnerLeft => "owner_left",
            Self::Other => "other",
        }
    }

    /// The reason of a stored spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Compromised, Self::Superseded, Self::Unused, Self::OwnerLeft, Self::Other]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// Bytes that only the vault can open: AES-256-GCM under a workspace's key (DEK).
///
/// `Debug` shows no byte of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Which data key seals it.
    pub dek: uuid::Uuid,
    /// Version of the seal, for a later change of algorithm or of what is authenticated.
    pub version: u8,
    /// Nonce, ciphertext and tag.
    #[serde(with = "crate::hex")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("dek", &self.dek).finish_non_exhaustive()
    }
}

/// A secret of somebody else's that Keyward keeps: sealed, with what may be shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSecret {
    /// The sealed secret.
    pub sealed: Sealed,
    /// What is shown instead, made when the secret was written: `sk-...XyZ`.
    pub mask: String,
}

/// Free labels of a key: at most 64 pairs and 4 KiB altogether, no empty key or value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    const MAX_BYTES: usize = 4096;
    const MAX_PAIRS: usize = 64;

    /// Labels of these pairs.
    ///
    /// # Errors
    /// An empty key or value, a forbidden character, more than 64 pairs or 4 KiB.
    pub fn new(pairs: BTreeMap<String, String>) -> Result<Self, InvalidValue> {
        let bytes: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        if pairs.len() > Self::MAX_PAIRS || bytes > Self::MAX_BYTES {
            return Err(InvalidValue::new("must have at most 64 pairs and 4096 bytes altogether"));
        }
        for (key, value) in &pairs {
            if key.is_empty() || value.is_empty() {
                return Err(InvalidValue::new("must have no empty key and no empty value"));
            }
            crate::text::plain(key)?;
            crate::text::plain(value)?;
        }
        Ok(Self(pairs))
    }

    /// The pairs, by key.
    #[must_use]
    pub const fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// A free JSON object: at most 4 KiB as text, 8 levels deep, no empty member name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonObject(serde_json::Map<String, serde_json::Value>);

impl JsonObject {
    const MAX_BYTES: usize = 4096;
    const MAX_DEPTH: usize = 8;

    /// The object, if it keeps the limits.
    ///
    /// # Errors
    /// Too large, too deep (objects and arrays are levels, the object itself is the first), or an
    /// empty member name anywhere.
    pub fn new(members: serde_json::Map<String, serde_json::Value>) -> Result<Self, InvalidValue> {
        members.iter().try_for_each(|member| Self::check_member(member, Self::MAX_DEPTH - 1))?;
        if serde_json::to_vec(&members).map_or(true, |text| text.len() > Self::MAX_BYTES) {
            return Err(InvalidValue::new("must be at most 4096 bytes as JSON"));
        }
        Ok(Self(members))
    }

    fn check_member(
        (name, value): (&String, &serde_json::Value),
        depth: usize,
    ) -> Result<(), InvalidValue> {
        if name.is_empty() {
            return Err(InvalidValue::new("must have no empty member name"));
        }
        crate::text::plain(name)?;
        Self::check(value, depth)
    }

    /// `depth`: how many levels of objects and arrays may still begin here.
    fn check(value: &serde_json::Value, depth: usize) -> Result<(), InvalidValue> {
        let deeper = || {
            depth.checked_sub(1).ok_or_else(|| InvalidValue::new("must be at most 8 levels deep"))
        };
        match value {
            serde_json::Value::Object(members) => {
                let left = deeper()?;
                members.iter().try_for_each(|member| Self::check_member(member, left))
            }
            serde_json::Value::Array(items) => {
                let left = deeper()?;
                items.iter().try_for_each(|item| Self::check(item, left))
            }
            serde_json::Value::String(text) => crate::text::plain(text),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
                Ok(())
            }
        }
    }

    /// The members.
    #[must_use]
    pub const fn members(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0
    }
}
