//! An API key as its events make it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::ApiKeyEvent;
use crate::{
    CredentialRecord, Description, DomainRules, Env, KeyId, Labels, Name, Network, Owner,
    ReasonText, RevocationReason, ScopeSet, WorkspaceId,
};

/// What can be set on a key. Each restriction must be there in its stored form, if only as `null`: a
/// lost member never means an unrestricted key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Display name.
    pub name: Name,
    /// Which world it belongs to, for ever.
    pub env: Env,
    /// Whose it is.
    pub owner: Owner,
    /// What it is for.
    pub description: Description,
    /// What it may do; none is zero access.
    pub scopes: ScopeSet,
    /// From where it may come. `None`: never restricted. `Some`: only from these, and with an empty
    /// list from nowhere, the second of the two opposite empties.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ip_allowlist: Option<Vec<Network>>,
    /// Which origins may present it.
    pub domains: DomainRules,
    /// Before this moment it is denied.
    #[serde(deserialize_with = "Option::deserialize")]
    pub not_before: Option<Timestamp>,
    /// From this moment on it is denied.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expires_at: Option<Timestamp>,
    /// Free labels.
    pub metadata: Labels,
}

/// One secret of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What is stored of it.
    pub record: CredentialRecord,
    /// 1 for the first, one more for each rotation.
    pub generation: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops, if a newer one has taken over.
    pub not_after: Option<Timestamp>,
}

/// How a key ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: RevocationReason,
    /// Why, in words; may be empty.
    pub text: ReasonText,
}

/// A key that exists: all but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub key_id: KeyId,
    /// The workspace that owns it.
    pub workspace_id: WorkspaceId,
    /// Who asked for it.
    pub created_by: String,
    /// All that can be set.
    pub settings: Settings,
    /// Its credentials, oldest first; at most two are live.
    pub credentials: Vec<Credential>,
    /// Since when it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// How it ended, if it did.
    pub revoked: Option<Revocation>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What state a key is in at a moment, by the precedence of the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Ended for good.
    Revoked,
    /// Switched off.
    Disabled,
    /// Not begun yet.
    NotYetValid,
    /// Past its natural end.
    Expired,
    /// May pass, as far as the key itself goes.
    Active,
}

impl ApiKey {
    /// The state of the key at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked.is_some() {
            return Status::Revoked;
        }
        if self.disabled_at.is_some() {
            return Status::Disabled;
        }
        if self.settings.not_before.is_some_and(|begin| now < begin) {
            return Status::NotYetValid;
        }
        if self.settings.expires_at.is_some_and(|end| end <= now) {
            return Status::Expired;
        }
        Status::Active
    }

    fn after(mut self, event: &ApiKeyEvent) -> Self {
        match event {
            ApiKeyEvent::Created(_) => {}
            ApiKeyEvent::Disabled(disabled) => {
                self.disabled_at = Some(disabled.at);
                self.updated_at = disabled.at;
            }
            ApiKeyEvent::Enabled(enabled) => {
                self.disabled_at = None;
                self.updated_at = enabled.at;
            }
            ApiKeyEvent::Revoked(revoked) => {
                self.revoked = Some(Revocation {
                    at: revoked.at,
                    by: revoked.revoked_by.clone(),
                    reason: revoked.reason,
                    text: revoked.text.clone(),
                });
                self.updated_at = revoked.at;
            }
        }
        self
    }
}

/// A key before or after its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ApiKeyState {
    /// Never created.
    #[default]
    Missing,
    /// Created.
    Present(Box<ApiKey>),
}

impl ApiKeyState {
    /// The key, if it was created.
    #[must_use]
    pub fn present(&self) -> Option<&ApiKey> {
        match self {
            Self::Missing => None,
            Self::Present(key) => Some(key),
        }
    }

    pub(super) fn after(self, event: &ApiKeyEvent) -> Self {
        match (self, event) {
            (Self::Missing, ApiKeyEvent::Created(created)) => Self::Present(Box::new(ApiKey {
                key_id: created.key_id,
                workspace_id: created.workspace_id,
                created_by: created.created_by.clone(),
                settings: created.settings.clone(),
                credentials: vec![Credential {
                    record: created.credential.clone(),
                    generation: 1,
                    created_at: created.at,
                    not_after: None,
                }],
                disabled_at: None,
                revoked: None,
                created_at: created.at,
                updated_at: created.at,
            })),
            (Self::Present(key), event) => Self::Present(Box::new(key.after(event))),
            // Facts about what never began change nothing; the log can't hold them.
            (
                Self::Missing,
                ApiKeyEvent::Disabled(_) | ApiKeyEvent::Enabled(_) | ApiKeyEvent::Revoked(_),
            ) => Self::Missing,
        }
    }
}
