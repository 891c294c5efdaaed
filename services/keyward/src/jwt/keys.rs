//! A JSON Web Key Set (RFC 7517), as far as it is of use for one algorithm.
//!
//! Providers publish keys for other purposes beside ours; those are passed over: another `kty`, `crv` or
//! `alg`, a `use` other than `sig`, `key_ops` without `verify`, numbers that make no key, several keys
//! without a `kid`. What makes the whole set suspect has it refused: too many keys, two of ours with one
//! `kid`, a key with its private part, or none that is of use.

use std::collections::HashMap;

use serde_json::{Map, Value};
use vault::{JwtAlgorithm, JwtKey};

use super::json;
use super::token::{decoded, is_visible};

/// The most keys of a set, of whatever kind.
const MOST_KEYS: usize = 50;

/// Members that only private or shared keys have (RFC 7518, 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a set is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetFault {
    /// No JSON, or no key set.
    #[error("it is no JSON Web Key Set")]
    Form,
    /// Too many keys.
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
    /// A private key that was published.
    #[error("it has a private or a shared key in it")]
    Private,
    /// Two keys of one id.
    #[error("two of its keys have the same `kid`")]
    Twice,
    /// No key of use.
    #[error("none of its keys is one to check signatures of the issuer's algorithm with")]
    Useless,
}

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: HashMap<String, JwtKey>,
    /// The only key, if it has no id.
    nameless: Option<JwtKey>,
}

impl KeySet {
    /// Reads a set, for this algorithm.
    pub(super) fn parse(text: &[u8], algorithm: JwtAlgorithm) -> Result<Self, SetFault> {
        let set = json::object(text).ok_or(SetFault::Form)?;
        let Some(Value::Array(listed)) = set.get("keys") else {
            return Err(SetFault::Form);
        };
        if listed.len() > MOST_KEYS {
            return Err(SetFault::TooMany);
        }
        let (mut keys, mut nameless) = (HashMap::new(), None);
        for one in listed {
            let one = one.as_object().ok_or(SetFault::Form)?;
            if PRIVATE.iter().any(|&name| one.contains_key(name)) {
                return Err(SetFault::Private);
            }
            let Some(key) = of_use(one, algorithm) else {
                continue;
            };
            match one.get("kid") {
                None if listed.len() == 1 => nameless = Some(key),
                Some(Value::String(kid)) if is_visible(kid, 128) => {
                    if keys.insert(kid.clone(), key).is_some() {
                        return Err(SetFault::Twice);
                    }
                }
                None | Some(_) => {}
            }
        }
        if keys.is_empty() && nameless.is_none() {
            return Err(SetFault::Useless);
        }
        Ok(Self { keys, nameless })
    }

    /// The key of this id. A token that names none is checked with the only key.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&JwtKey> {
        match kid {
            Some(kid) => self.keys.get(kid),
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => self.nameless.as_ref(),
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len() + usize::from(self.nameless.is_some())
    }
}

/// The key, if it is one to check signatures of this algorithm with.
fn of_use(key: &Map<String, Value>, algorithm: JwtAlgorithm) -> Option<JwtKey> {
    let says = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
    let says_if_at_all = |name: &str, value: &str| !key.contains_key(name) || says(name, value);
    let verifies = match key.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|one| one == "verify"),
        Some(_) => false,
    };
    if !verifies || !says_if_at_all("use", "sig") || !says_if_at_all("alg", algorithm.as_str()) {
        return None;
    }
    let number = |name: &str| decoded(key.get(name)?.as_str()?).ok();
    match algorithm {
        JwtAlgorithm::EdDsa if says("kty", "OKP") && says("crv", "Ed25519") => {
            JwtKey::ed25519(&number("x")?).ok()
        }
        JwtAlgorithm::Es256 if says("kty", "EC") && says("crv", "P-256") => {
            JwtKey::p256(&number("x")?, &number("y")?).ok()
        }
        JwtAlgorithm::Rs256 if says("kty", "RSA") => JwtKey::rsa(&number("n")?, &number("e")?).ok(),
        JwtAlgorithm::EdDsa | JwtAlgorithm::Es256 | JwtAlgorithm::Rs256 => None,
    }
}
