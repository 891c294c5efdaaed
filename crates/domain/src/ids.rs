//! Ids of resources: TypeIDs (specification 0.3) over UUIDv7, so that an id tells its kind, sorts by
//! creation and can't be mistaken for a secret. Drawing one is the service's work, not this module's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::values::InvalidValue;

/// Crockford's base32, lower case, as TypeID prescribes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;

fn write_suffix(mut id: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut suffix = [0; SUFFIX_LENGTH];
    for digit in suffix.iter_mut().rev() {
        *digit = ALPHABET[(id & 31) as usize];
        id >>= 5;
    }
    // The alphabet is ASCII.
    f.write_str(std::str::from_utf8(&suffix).unwrap_or_default())
}

fn parse_suffix(suffix: &str) -> Option<u128> {
    // 26 digits are 130 bits: a first digit over 7 would not fit.
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    suffix.bytes().try_fold(0_u128, |id, digit| {
        let value = ALPHABET.iter().position(|&known| known == digit)?;
        Some(id << 5 | value as u128)
    })
}

macro_rules! type_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this kind begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id over a UUID drawn by the caller (version 7, so that ids sort by creation).
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                write_suffix(self.0.as_u128(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(parse_suffix)
                    .map(|id| Self(Uuid::from_u128(id)))
                    .ok_or_else(|| {
                        InvalidValue::new(concat!(
                            "must be `", $prefix, "_` and 26 characters of lower-case base32"
                        ))
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

type_id!(
    /// Names a workspace (tenant): `ws_...`.
    WorkspaceId,
    "ws"
);
type_id!(
    /// Names an API key for all its life, through rotations: `key_...`. Public.
    KeyId,
    "key"
);
type_id!(
    /// Names a service credential: `svc_...`.
    ServiceCredentialId,
    "svc"
);
type_id!(
    /// Names one auth token of a key: `at_...`.
    AuthTokenId,
    "at"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_the_type_id_specification_says() {
        // Vector `valid-2` of the TypeID specification's suite, with our prefix.
        let uuid = Uuid::from_u128(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881);
        assert_eq!(KeyId::new(uuid).to_string(), "key_01h2xcejqtf2nbrexx3vqjhp41");
        assert_eq!("key_01h2xcejqtf2nbrexx3vqjhp41".parse(), Ok(KeyId::new(uuid)));
    }

    #[test]
    fn only_the_canonical_spelling_of_the_right_kind_is_an_id() {
        let bad = [
            "",
            "key_",
            "01h2xcejqtf2nbrexx3vqjhp41",
            "ws_01h2xcejqtf2nbrexx3vqjhp41",
            "KEY_01h2xcejqtf2nbrexx3vqjhp41",
            "key_01H2XCEJQTF2NBREXX3VQJHP41",
            "key_01h2xcejqtf2nbrexx3vqjhp4",
            "key_01h2xcejqtf2nbrexx3vqjhp411",
            "key_81h2xcejqtf2nbrexx3vqjhp41",
            "key_01h2xcejqtf2nbrexx3vqjhpl1",
            "key_01h2xcejqtf2nbrexx3vqjhp4\u{e9}",
            " key_01h2xcejqtf2nbrexx3vqjhp41",
        ];
        for text in bad {
            assert!(text.parse::<KeyId>().is_err(), "{text:?} was taken for a key id");
        }
    }
}
