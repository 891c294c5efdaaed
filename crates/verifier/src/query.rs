//! What is asked of the index: a key as presented, and how far the asker may see.
//!
//! Deliberately absent: reading these from the wire, and who the asker is.

use domain::verdict::Question;
use domain::{Env, KeyId, WorkspaceId};

/// One question about one presented key.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The key as it was presented, untouched.
    pub key: &'a str,
    /// Which workspaces the asker may see. Keys of others are not found.
    pub tenant: Tenant<'a>,
    /// The one workspace that the asker wants the key to be of, if it said so.
    pub workspace_id: Option<WorkspaceId>,
    /// Which worlds count: what the asker may see and what it asked for. Others are not found.
    pub envs: EnvSet,
    /// The key that the asker expects; another is not found.
    pub expected_key_id: Option<KeyId>,
    /// When, from where and for what.
    pub question: Question<'a>,
}

impl Query<'_> {
    /// The workspace that the question is pinned to, if it is pinned to one.
    pub(crate) fn pinned(&self) -> Option<WorkspaceId> {
        match self.tenant {
            Tenant::One(workspace_id) => Some(workspace_id),
            Tenant::Among(_) | Tenant::Any => self.workspace_id,
        }
    }

    /// Whether a key of this workspace, world and id may be seen at all.
    pub(crate) fn sees(&self, workspace_id: WorkspaceId, env: Env, key_id: KeyId) -> bool {
        self.tenant.contains(workspace_id)
            & self.workspace_id.is_none_or(|wanted| wanted == workspace_id)
            & self.envs.contains(env)
            & self.expected_key_id.is_none_or(|wanted| wanted == key_id)
    }
}

/// Which workspaces an asker may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant<'a> {
    /// Only this one.
    One(WorkspaceId),
    /// These. An empty list sees nothing.
    Among(&'a [WorkspaceId]),
    /// Every one.
    Any,
}

impl Tenant<'_> {
    fn contains(self, workspace_id: WorkspaceId) -> bool {
        match self {
            Self::One(own) => own == workspace_id,
            Self::Among(own) => own.contains(&workspace_id),
            Self::Any => true,
        }
    }
}

/// A set of worlds, taken literally: the empty set holds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvSet(u8);

impl EnvSet {
    /// No world: nothing is found.
    pub const EMPTY: Self = Self(0);
    /// Both worlds.
    pub const BOTH: Self = Self(Self::bit(Env::Live) | Self::bit(Env::Test));

    /// Exactly these worlds.
    #[must_use]
    pub fn of(envs: &[Env]) -> Self {
        Self(envs.iter().fold(0, |set, &env| set | Self::bit(env)))
    }

    /// These worlds, or both if the list is empty: how lists of allowed worlds are meant on the wire
    /// and in a service credential's bounds.
    #[must_use]
    pub fn allowing(envs: &[Env]) -> Self {
        if envs.is_empty() {
            return Self::BOTH;
        }
        Self::of(envs)
    }

    /// The worlds in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `env` is in the set.
    #[must_use]
    pub const fn contains(self, env: Env) -> bool {
        self.0 & Self::bit(env) != 0
    }

    /// Whether no world is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn bit(env: Env) -> u8 {
        match env {
            Env::Live => 1,
            Env::Test => 2,
        }
    }
}
