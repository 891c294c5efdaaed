//! SPIFFE IDs: the names that workloads have in their certificates (SPIFFE-ID 2, X.509-SVID 2).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::InvalidValue;

/// `spiffe://trust-domain/path`, in its one canonical spelling, so that two are the same name exactly if
/// they are the same text. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId(Arc<str>);

impl SpiffeId {
    /// The most bytes that one may have (SPIFFE-ID 2.3).
    pub const MAX_LENGTH: usize = 2_048;
    const MAX_TRUST_DOMAIN: usize = 255;

    /// The name of this spelling.
    ///
    /// # Errors
    /// It is none, or that of a whole trust domain, which is an authority's and no workload's.
    pub fn new(text: impl AsRef<str> + Into<Arc<str>>) -> Result<Self, InvalidValue> {
        if is_valid(text.as_ref()) {
            return Ok(Self(text.into()));
        }
        Err(InvalidValue::new(
            "must be `spiffe://trust-domain/path` of at most 2,048 bytes: a trust domain of a-z 0-9 . - _, \
             segments of A-Z a-z 0-9 . - _",
        ))
    }

    /// Its spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_valid(text: &str) -> bool {
    let Some((domain, path)) = text.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let in_domain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    let segment = |segment: &str| {
        let allowed = |byte: u8| in_domain(byte) || byte.is_ascii_uppercase();
        !matches!(segment, "" | "." | "..") && segment.bytes().all(allowed)
    };
    text.len() <= SpiffeId::MAX_LENGTH
        && (1..=SpiffeId::MAX_TRUST_DOMAIN).contains(&domain.len())
        && domain.bytes().all(in_domain)
        && path.split('/').all(segment)
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SpiffeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SpiffeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_a_name_in_a_trust_domain() {
        let longest = format!("spiffe://example.org/{}", "p".repeat(2_048 - 21));
        let widest = format!("spiffe://{}/p", "d".repeat(255));
        let good = [
            "spiffe://example.org/payments/web-fe",
            "spiffe://k8s_west.example.org/ns/Prod/sa/edge.v2",
            "spiffe://a/...",
            &longest,
            &widest,
        ];
        for text in good {
            assert_eq!(SpiffeId::new(text).expect(text).as_str(), text);
        }
    }

    #[test]
    fn another_spelling_is_no_name() {
        let long = format!("spiffe://example.org/{}", "p".repeat(2_048 - 20));
        let wide = format!("spiffe://{}/p", "d".repeat(256));
        let bad = [
            "",
            "spiffe://",
            "spiffe:///path",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/./a",
            "spiffe://example.org/a/..",
            "spiffe://Example.org/a",
            "spiffe://example.org:443/a",
            "spiffe://user@example.org/a",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe://example.org/a%20b",
            "spiffe://example.org/\u{e9}",
            "SPIFFE://example.org/a",
            "https://example.org/a",
            " spiffe://example.org/a",
            &long,
            &wide,
        ];
        for text in bad {
            assert!(SpiffeId::new(text).is_err(), "{text:?} was taken for a name");
        }
    }
}
