//! The words of the log: positions, revisions, stream names, events before and after they are stored.
//!
//! The log is generic by data (kind, schema, payload). It deliberately knows nothing of what a
//! payload means, and offers no type parameter for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chain::Mac;
use crate::error::{Fault, LogError};

/// A place in the log. Dense: the first event has 1, the next 2, and no number is ever left out.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The position with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many events lie after `earlier`, up to and with this one; 0 if none.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) const fn to_sql(self) -> i64 {
        self.0.cast_signed()
    }

    pub(crate) const fn from_sql(number: i64) -> Self {
        Self(number.cast_unsigned())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an event within its stream; the first has 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Before the first event of a stream.
    pub const ZERO: Self = Self(0);

    /// The revision with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) const fn to_sql(self) -> i64 {
        self.0.cast_signed()
    }

    pub(crate) const fn from_sql(number: i64) -> Self {
        Self(number.cast_unsigned())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a stream: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Checks a name.
    ///
    /// # Errors
    /// [`LogError::Invalid`] if it is empty, too long or holds anything but visible ASCII.
    pub fn new(name: impl AsRef<str>) -> Result<Self, LogError> {
        let name = name.as_ref();
        if name.is_empty() || name.len() > Self::MAX_LEN {
            return Err(LogError::Invalid("a stream name has 1 to 128 characters"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(LogError::Invalid("a stream name is visible ASCII"));
        }
        Ok(Self(Arc::from(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name read back from the log, which was checked when it was written.
    pub(crate) fn stored(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event that is to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Drawn by the caller; unique in the log. It resolves unknown outcomes and repeated appends.
    pub event_id: Uuid,
    /// What happened: dotted, past tense, for instance `api_key.created`. 1 to 128 bytes.
    pub kind: String,
    /// The version of the payload's shape.
    pub schema: u16,
    /// Stored and given back byte for byte.
    pub payload: Vec<u8>,
}

/// Who did it, and in which request. Stored as JSON, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The caller, as the service names it.
    pub actor: String,
    /// The public id of the credential the caller used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The client's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Where the call came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
    /// The W3C trace context of the call. It stays a value here: no span is made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The event that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    /// Anything else worth keeping, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its number in that stream.
    pub revision: Revision,
    /// The id its writer drew.
    pub event_id: Uuid,
    /// What happened.
    pub kind: String,
    /// The version of the payload's shape.
    pub schema: u16,
    /// The tenant, if it belongs to one.
    pub workspace_id: Option<String>,
    /// The exact bytes that were appended.
    pub payload: Vec<u8>,
    /// The exact bytes of the metadata; see [`RecordedEvent::metadata`].
    pub metadata_bytes: Vec<u8>,
    /// The database's clock while the head was locked, in microseconds.
    pub recorded_at: Timestamp,
    /// The link of the chain that ends here.
    pub mac: Mac,
    /// The chain key that the link was made under; `None` for the first one.
    pub chain_key: Option<u16>,
}

impl RecordedEvent {
    /// Reads the metadata. Left to the reader, because most followers never look at it.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if the bytes are not metadata.
    pub fn metadata(&self) -> Result<Metadata, LogError> {
        serde_json::from_slice(&self.metadata_bytes)
            .map_err(|_| LogError::corrupt(self.position, Fault::Undecodable("metadata")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_is_short_visible_ascii() {
        assert!(StreamId::new("api_key/key_1").is_ok());
        for bad in ["", "a b", "ü", "a\n", &"x".repeat(129)] {
            assert!(matches!(StreamId::new(bad), Err(LogError::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn metadata_without_optional_parts_is_read_and_unknown_parts_are_passed_over() {
        let read: Metadata = serde_json::from_str(r#"{"actor":"a","later":1}"#).unwrap();
        assert_eq!(read, Metadata { actor: "a".into(), ..Metadata::default() });
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"actor":"a"}"#);
    }
}
