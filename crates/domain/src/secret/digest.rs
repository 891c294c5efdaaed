//! What is kept of a credential: its kid and a MAC of its secret. A digest can't be taken for a
//! secret, nor printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CredentialKind, KID_LENGTH, base62};
use crate::ids::WorkspaceId;
use crate::values::{Env, InvalidValue};

/// The public selector inside a credential: 96 random bits, 17 characters of base62. Says nothing
/// about tenant, count or time; may be logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 12]);

impl Kid {
    /// The kid of 96 random bits.
    #[must_use]
    pub const fn from_entropy(bits: [u8; 12]) -> Self {
        Self(bits)
    }

    /// The 96 bits.
    #[must_use]
    pub const fn bits(&self) -> &[u8; 12] {
        &self.0
    }

    #[inline]
    pub(super) fn from_digits(digits: &[u8; KID_LENGTH]) -> Option<Self> {
        let [0, 0, 0, 0, bits @ ..] = base62::decode_u128(digits)?.to_be_bytes() else {
            return None;
        };
        Some(Self(bits))
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wide = [0; 16];
        wide[4..].copy_from_slice(&self.0);
        let mut digits = [0; KID_LENGTH];
        base62::encode_u128(u128::from_be_bytes(wide), &mut digits);
        digits.iter().try_for_each(|&digit| fmt::Write::write_char(f, char::from(digit)))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Kid {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.as_bytes()
            .try_into()
            .ok()
            .and_then(Self::from_digits)
            .ok_or_else(|| InvalidValue::new("must be 17 characters of base62"))
    }
}

impl Serialize for Kid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Which pepper of the key ring a digest was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PepperId(pub u16);

/// How a digest was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// HMAC-SHA-256 under a pepper, over the binding of `credentials.md` and the secret.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// The same, of an imported key of any shape: its secret is the SHA-256 of the whole key, spelt as
    /// secrets of ours are, and its kid is derived from that.
    #[serde(rename = "imported-sha256")]
    ImportedSha256,
}

/// A MAC of a secret. `Debug` shows no byte of it; comparing two is the vault's work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest(pub [u8; 32]);

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}

impl Serialize for SecretDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::hex::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for SecretDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::hex::deserialize(deserializer).map(Self)
    }
}

/// A credential as it is stored: enough to check a secret, not enough to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRecord {
    /// The public selector.
    pub kid: Kid,
    /// The pepper of the digest.
    pub pepper: PepperId,
    /// How the digest was made.
    pub algorithm: DigestAlgorithm,
    /// The MAC of the secret.
    pub digest: SecretDigest,
}

impl CredentialRecord {
    /// The kind of an API key's credential.
    #[must_use]
    pub const fn key_kind(&self) -> CredentialKind {
        match self.algorithm {
            DigestAlgorithm::HmacSha256 => CredentialKind::ApiKey,
            DigestAlgorithm::ImportedSha256 => CredentialKind::Imported,
        }
    }
}

/// What a digest binds its secret to, so that a row moved or edited in the database no longer
/// matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The workspace that the resource belongs to; `None` for what belongs to the deployment.
    pub workspace: Option<WorkspaceId>,
    /// The UUID of the resource: key, workspace, auth token or service credential.
    pub resource: uuid::Uuid,
    /// The selector beside the secret.
    pub kid: Kid,
    /// The world of the credential.
    pub env: Env,
    /// The kind of the credential.
    pub kind: CredentialKind,
}
