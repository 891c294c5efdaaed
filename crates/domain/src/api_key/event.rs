//! What can have happened to an API key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::Settings;
use crate::{
    CredentialRecord, Description, DomainRules, KeyId, Labels, Name, Network, Owner, ReasonText,
    RevocationReason, ScopeSet, WorkspaceId,
};

/// A fact about one API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKeyEvent {
    /// `api_key.created`
    Created(Box<Created>),
    /// `api_key.disabled`
    Disabled(Disabled),
    /// `api_key.enabled`
    Enabled(Enabled),
    /// `api_key.revoked`
    Revoked(Revoked),
    /// `api_key.renamed`
    Renamed(Renamed),
    /// `api_key.redescribed`
    Redescribed(Redescribed),
    /// `api_key.owner_changed`
    OwnerChanged(Box<OwnerChanged>),
    /// `api_key.scopes_changed`
    ScopesChanged(ScopesChanged),
    /// `api_key.addresses_changed`
    AddressesChanged(AddressesChanged),
    /// `api_key.domains_changed`
    DomainsChanged(DomainsChanged),
    /// `api_key.validity_changed`
    ValidityChanged(ValidityChanged),
    /// `api_key.metadata_changed`
    MetadataChanged(MetadataChanged),
    /// `api_key.rotated`
    Rotated(Rotated),
    /// `api_key.grace_ended`
    GraceEnded(GraceEnded),
    /// `api_key.deleted`
    Deleted(Deleted),
    /// `api_key.undeleted`
    Undeleted(Undeleted),
    /// `api_key.subject_erased`
    SubjectErased(SubjectErased),
}

impl ApiKeyEvent {
    /// The key it happened to.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Created(event) => event.key_id,
            Self::Disabled(event) => event.key_id,
            Self::Enabled(event) => event.key_id,
            Self::Revoked(event) => event.key_id,
            Self::Renamed(event) => event.key_id,
            Self::Redescribed(event) => event.key_id,
            Self::OwnerChanged(event) => event.key_id,
            Self::ScopesChanged(event) => event.key_id,
            Self::AddressesChanged(event) => event.key_id,
            Self::DomainsChanged(event) => event.key_id,
            Self::ValidityChanged(event) => event.key_id,
            Self::MetadataChanged(event) => event.key_id,
            Self::Rotated(event) => event.key_id,
            Self::GraceEnded(event) => event.key_id,
            Self::Deleted(event) => event.key_id,
            Self::Undeleted(event) => event.key_id,
            Self::SubjectErased(event) => event.key_id,
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Created(event) => event.at,
            Self::Disabled(event) => event.at,
            Self::Enabled(event) => event.at,
            Self::Revoked(event) => event.at,
            Self::Renamed(event) => event.at,
            Self::Redescribed(event) => event.at,
            Self::OwnerChanged(event) => event.at,
            Self::ScopesChanged(event) => event.at,
            Self::AddressesChanged(event) => event.at,
            Self::DomainsChanged(event) => event.at,
            Self::ValidityChanged(event) => event.at,
            Self::MetadataChanged(event) => event.at,
            Self::Rotated(event) => event.at,
            Self::GraceEnded(event) => event.at,
            Self::Deleted(event) => event.at,
            Self::Undeleted(event) => event.at,
            Self::SubjectErased(event) => event.at,
        }
    }
}

/// A key began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// Which key.
    pub key_id: KeyId,
    /// The workspace that owns it.
    pub workspace_id: WorkspaceId,
    /// Who asked.
    pub created_by: String,
    /// All that was set.
    pub settings: Settings,
    /// Its first credential, as stored.
    pub credential: CredentialRecord,
    /// When.
    pub at: Timestamp,
}

/// The key was switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key was switched on again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enabled {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key ended for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Which key.
    pub key_id: KeyId,
    /// Who asked.
    pub revoked_by: String,
    /// Why.
    pub reason: RevocationReason,
    /// Why, in words; may be empty.
    pub text: ReasonText,
    /// When.
    pub at: Timestamp,
}

/// It has another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    /// Which key.
    pub key_id: KeyId,
    /// Its name now.
    pub name: Name,
    /// When.
    pub at: Timestamp,
}

/// It has another description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redescribed {
    /// Which key.
    pub key_id: KeyId,
    /// Its description now.
    pub description: Description,
    /// When.
    pub at: Timestamp,
}

/// It is somebody else's, or its owner is reached elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerChanged {
    /// Which key.
    pub key_id: KeyId,
    /// Whose it is now.
    pub owner: Owner,
    /// When.
    pub at: Timestamp,
}

/// It may do something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopesChanged {
    /// Which key.
    pub key_id: KeyId,
    /// What it may do now.
    pub scopes: ScopeSet,
    /// When.
    pub at: Timestamp,
}

/// It may come from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressesChanged {
    /// Which key.
    pub key_id: KeyId,
    /// From where it may come now. `None`: from anywhere. Empty: from nowhere.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ip_allowlist: Option<Vec<Network>>,
    /// When.
    pub at: Timestamp,
}

/// Other origins may present it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainsChanged {
    /// Which key.
    pub key_id: KeyId,
    /// Which origins may present it now.
    pub domains: DomainRules,
    /// When.
    pub at: Timestamp,
}

/// It begins or ends at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidityChanged {
    /// Which key.
    pub key_id: KeyId,
    /// Before this moment it is denied now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub not_before: Option<Timestamp>,
    /// From this moment on it is denied now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expires_at: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

/// It has other labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataChanged {
    /// Which key.
    pub key_id: KeyId,
    /// Its labels now.
    pub metadata: Labels,
    /// When.
    pub at: Timestamp,
}

/// A new credential took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotated {
    /// Which key.
    pub key_id: KeyId,
    /// The new one, as stored.
    pub credential: CredentialRecord,
    /// Its number: one more than that of the one before.
    pub generation: u32,
    /// When the one before stops; `at`, or earlier, for at once. Still older ones have stopped.
    pub grace_until: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// All credentials but the newest stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraceEnded {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key was hidden and switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deleted {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// The key was shown again; it stayed switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undeleted {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}

/// What was sealed for the key was made unreadable: its data keys were destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectErased {
    /// Which key.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}
