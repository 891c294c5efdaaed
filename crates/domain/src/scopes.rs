//! Scopes: what a key is for. No scopes means no access, the first of the two opposite empties.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

/// One scope code, `[a-z0-9:_.*-]{1,64}`: `read`, `payment:read`. Compared whole: `*` has no magic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(Box<str>);

impl Scope {
    /// Whether `code` has the shape of a scope.
    #[must_use]
    pub fn is_valid(code: &str) -> bool {
        (1..=64).contains(&code.len())
            && code.bytes().all(
                |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'.' | b'*' | b'-'),
            )
    }

    /// The rule of [`Scope::is_valid`] in words.
    pub const RULE: &str = "must be 1 to 64 of a-z 0-9 : _ . * -";

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = InvalidValue;

    fn from_str(code: &str) -> Result<Self, InvalidValue> {
        if Self::is_valid(code) {
            return Ok(Self(code.into()));
        }
        Err(InvalidValue::new(Self::RULE))
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidValue;

    fn try_from(code: String) -> Result<Self, InvalidValue> {
        code.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0.into()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scopes of a key: sorted, without doubles, at most 128.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scope>")]
pub struct ScopeSet(Box<[Scope]>);

impl TryFrom<Vec<Scope>> for ScopeSet {
    type Error = InvalidValue;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, InvalidValue> {
        Self::new(scopes)
    }
}

impl ScopeSet {
    /// The most scopes that a key can have.
    pub const MAX: usize = 128;

    /// A set of these scopes; doubles count once.
    ///
    /// # Errors
    /// More than 128 different scopes.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, InvalidValue> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() > Self::MAX {
            return Err(InvalidValue::new("must have at most 128 scopes"));
        }
        Ok(Self(scopes.into_boxed_slice()))
    }

    /// Whether `code` is one of them.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.0.binary_search_by(|scope| scope.as_str().cmp(code)).is_ok()
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there are none, which is zero access.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
