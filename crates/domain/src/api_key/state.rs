//! An API key as its events make it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{ApiKeyEvent, Rotated};
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
    /// Whether it has stopped by what happened: then it is over on every clock, also on one that is
    /// behind the clock that `not_after` was read from.
    pub ended: bool,
}

impl Credential {
    /// Takes it that this one is over by now, if that was still ahead.
    fn end(&mut self, now: Timestamp) {
        self.not_after = Some(self.not_after.map_or(now, |end| end.min(now)));
        self.ended = true;
    }
}

/// So many credentials of a key are remembered, the newest; what is older is not even known to have
/// been good once.
pub const KEPT_CREDENTIALS: usize = 8;

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
    /// Since when it is hidden. It is switched off, too.
    pub deleted_at: Option<Timestamp>,
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

    /// Whether an older credential is still good at `now`.
    #[must_use]
    pub fn in_grace(&self, now: Timestamp) -> bool {
        self.credentials.iter().any(|one| !one.ended && one.not_after.is_some_and(|end| now < end))
    }

    fn after(mut self, event: &ApiKeyEvent) -> Self {
        self.updated_at = event.at();
        let settings = &mut self.settings;
        match event {
            // The second beginning of a key changes nothing.
            ApiKeyEvent::Created(_) => {}
            ApiKeyEvent::Disabled(disabled) => self.disabled_at = Some(disabled.at),
            ApiKeyEvent::Enabled(_) => self.disabled_at = None,
            ApiKeyEvent::Revoked(revoked) => {
                self.revoked = Some(Revocation {
                    at: revoked.at,
                    by: revoked.revoked_by.clone(),
                    reason: revoked.reason,
                    text: revoked.text.clone(),
                });
            }
            ApiKeyEvent::Renamed(now) => settings.name = now.name.clone(),
            ApiKeyEvent::Redescribed(now) => settings.description = now.description.clone(),
            ApiKeyEvent::OwnerChanged(now) => settings.owner = now.owner.clone(),
            ApiKeyEvent::ScopesChanged(now) => settings.scopes = now.scopes.clone(),
            ApiKeyEvent::AddressesChanged(now) => settings.ip_allowlist = now.ip_allowlist.clone(),
            ApiKeyEvent::DomainsChanged(now) => settings.domains = now.domains.clone(),
            ApiKeyEvent::ValidityChanged(now) => {
                settings.not_before = now.not_before;
                settings.expires_at = now.expires_at;
            }
            ApiKeyEvent::MetadataChanged(now) => settings.metadata = now.metadata.clone(),
            ApiKeyEvent::Rotated(rotated) => self.rotate(rotated),
            ApiKeyEvent::GraceEnded(ended) => self.end_grace(ended.at),
            ApiKeyEvent::Deleted(deleted) => {
                self.deleted_at = Some(deleted.at);
                self.disabled_at = self.disabled_at.or(Some(deleted.at));
            }
            ApiKeyEvent::Undeleted(_) => self.deleted_at = None,
            ApiKeyEvent::SubjectErased(_) => settings.owner.email = None,
        }
        self
    }

    /// The newest stops at the end of its grace, older ones at once.
    fn rotate(&mut self, rotated: &Rotated) {
        self.end_grace(rotated.at);
        if let Some(newest) = self.credentials.last_mut() {
            newest.not_after = Some(rotated.grace_until);
            newest.ended = rotated.grace_until <= rotated.at;
        }
        self.credentials.push(Credential {
            record: rotated.credential.clone(),
            generation: rotated.generation,
            created_at: rotated.at,
            not_after: None,
            ended: false,
        });
        let forgotten = self.credentials.len().saturating_sub(KEPT_CREDENTIALS);
        self.credentials.drain(..forgotten);
    }

    fn end_grace(&mut self, now: Timestamp) {
        let older = self.credentials.iter_mut().filter(|one| one.not_after.is_some());
        older.for_each(|one| one.end(now));
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
            (Self::Present(key), ApiKeyEvent::Created(_)) => Self::Present(key),
            (Self::Present(key), event) => Self::Present(Box::new(key.after(event))),
            (Self::Missing, event) => {
                // Facts about what never began change nothing; the log can't hold them.
                let ApiKeyEvent::Created(created) = event else { return Self::Missing };
                Self::Present(Box::new(ApiKey {
                    key_id: created.key_id,
                    workspace_id: created.workspace_id,
                    created_by: created.created_by.clone(),
                    settings: created.settings.clone(),
                    credentials: vec![Credential {
                        record: created.credential.clone(),
                        generation: 1,
                        created_at: created.at,
                        not_after: None,
                        ended: false,
                    }],
                    disabled_at: None,
                    deleted_at: None,
                    revoked: None,
                    created_at: created.at,
                    updated_at: created.at,
                }))
            }
        }
    }
}
