//! What the index answers: a verdict, and a borrowed view of the key that it is about.
//!
//! Deliberately absent: the wire's form of it, and how fresh it is.

use domain::verdict::{Denial, Facts, Verdict};
use domain::{Env, KeyId, Kid, Labels, Micros, Principal, ScopeSet, WorkspaceId};

/// The answer to one question.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Whether the key may pass; or that nothing can be said, which is never a denial.
    pub verdict: Result<Verdict, Quarantined>,
    /// The key, unless the string was malformed, the key was not found, or nothing can be said.
    pub key: Option<KeyView<'a>>,
    /// What its owner should know; only of keys that were accepted.
    pub warnings: Warnings,
    /// What the checks looked at; only when they are explained.
    pub facts: Option<Facts<'a>>,
}

impl Answer<'_> {
    pub(crate) const fn without_key(verdict: Result<Verdict, Quarantined>) -> Self {
        Self { verdict, key: None, warnings: Warnings(0), facts: None }
    }

    pub(crate) const fn denied(denial: Denial) -> Self {
        Self::without_key(Ok(Verdict::Denied(denial)))
    }
}

/// An event of the workspace could not be applied, so that no verdict about its keys can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the workspace is quarantined: one of its events could not be applied")]
pub struct Quarantined;

/// A key that was found, borrowed from the index.
#[derive(Debug, Clone, Copy)]
pub struct KeyView<'a> {
    /// Its id.
    pub key_id: KeyId,
    /// The workspace that owns it.
    pub workspace_id: WorkspaceId,
    /// Its display name.
    pub name: &'a str,
    /// Its world.
    pub env: Env,
    /// The selector of the credential that was presented.
    pub kid: Kid,
    /// Whether it is a key of another system: its text begins with no masked form.
    pub imported: bool,
    /// Which credential was presented: 1 for the first, one more for each rotation.
    pub generation: u32,
    /// What it may do.
    pub scopes: &'a ScopeSet,
    /// Whose it is, if somebody is named.
    pub principal: Option<&'a Principal>,
    /// Its natural end.
    pub expires_at: Option<Micros>,
    /// When the presented credential stops, as a newer one has taken over.
    pub grace_until: Option<Micros>,
    /// Its labels; `None` if it has none.
    pub metadata: Option<&'a Labels>,
}

/// What an accepted key's owner should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// Its natural end is at most seven days away.
    ExpiresSoon,
    /// An older credential was presented, whose grace is running.
    InRotationGrace,
    /// It may come from any address.
    UnrestrictedIp,
}

impl Warning {
    const ALL: [Self; 3] = [Self::ExpiresSoon, Self::InRotationGrace, Self::UnrestrictedIp];

    const fn bit(self) -> u8 {
        match self {
            Self::ExpiresSoon => 1,
            Self::InRotationGrace => 2,
            Self::UnrestrictedIp => 4,
        }
    }
}

/// A set of warnings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Warnings(u8);

impl Warnings {
    /// This set and `warning`, if `holds`.
    #[must_use]
    pub const fn with(self, warning: Warning, holds: bool) -> Self {
        Self(self.0 | if holds { warning.bit() } else { 0 })
    }

    /// Whether `warning` is in the set.
    #[must_use]
    pub const fn contains(self, warning: Warning) -> bool {
        self.0 & warning.bit() != 0
    }

    /// Whether there is nothing to warn of.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The warnings of the set.
    pub fn iter(self) -> impl Iterator<Item = Warning> {
        Warning::ALL.into_iter().filter(move |&warning| self.contains(warning))
    }
}
