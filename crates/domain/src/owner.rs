//! Whose key it is.

use serde::{Deserialize, Serialize};

use crate::values::{InvalidValue, Sealed};

/// A user or a service account, by the name that the caller's own systems know it by:
/// 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A person.
    User(String),
    /// A program.
    ServiceAccount(String),
}

impl Principal {
    /// A person of this id.
    ///
    /// # Errors
    /// Empty, over 128 characters, or not visible ASCII.
    pub fn user(id: impl Into<String>) -> Result<Self, InvalidValue> {
        Self::check(id.into()).map(Self::User)
    }

    /// A program of this id.
    ///
    /// # Errors
    /// Empty, over 128 characters, or not visible ASCII.
    pub fn service_account(id: impl Into<String>) -> Result<Self, InvalidValue> {
        Self::check(id.into()).map(Self::ServiceAccount)
    }

    /// The id, of either kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::ServiceAccount(id) => id,
        }
    }

    fn check(id: String) -> Result<String, InvalidValue> {
        if (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(id);
        }
        Err(InvalidValue::new("must have 1 to 128 visible ASCII characters"))
    }
}

/// The owner of a key: who it is, and whom to write to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// User or service account, if named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// The owner's e-mail address, sealed: it is personal and the log is forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed>,
}
