//! What can have happened to a service credential.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::proof::{NeitherOrBoth, Proof};
use super::state::{Bounds, Permission};
use crate::{CredentialRecord, Name, ServiceCredentialId, SpiffeId};

/// A fact about one service credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCredentialEvent {
    /// `service_credential.created`
    Created(Created),
    /// `service_credential.revoked`
    Revoked(Revoked),
}

impl ServiceCredentialEvent {
    /// The service credential it happened to.
    #[must_use]
    pub const fn service_credential_id(&self) -> ServiceCredentialId {
        match self {
            Self::Created(event) => event.service_credential_id,
            Self::Revoked(event) => event.service_credential_id,
        }
    }
}

/// A service credential began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredCreated", into = "StoredCreated")]
pub struct Created {
    /// Which one.
    pub service_credential_id: ServiceCredentialId,
    /// Who asked for it.
    pub created_by: String,
    /// Its display name.
    pub name: Name,
    /// What it may do, sorted.
    pub permissions: Vec<Permission>,
    /// Where it may do that.
    pub bounds: Bounds,
    /// What proves it.
    pub proof: Proof,
    /// When.
    pub at: Timestamp,
}

/// [`Created`] as it is stored: the one member or the other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCreated {
    service_credential_id: ServiceCredentialId,
    created_by: String,
    name: Name,
    permissions: Vec<Permission>,
    bounds: Bounds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<SpiffeId>,
    at: Timestamp,
}

impl From<Created> for StoredCreated {
    fn from(created: Created) -> Self {
        let (credential, identity) = created.proof.into_parts();
        Self {
            service_credential_id: created.service_credential_id,
            created_by: created.created_by,
            name: created.name,
            permissions: created.permissions,
            bounds: created.bounds,
            credential,
            identity,
            at: created.at,
        }
    }
}

impl TryFrom<StoredCreated> for Created {
    type Error = NeitherOrBoth;

    fn try_from(stored: StoredCreated) -> Result<Self, NeitherOrBoth> {
        Ok(Self {
            service_credential_id: stored.service_credential_id,
            created_by: stored.created_by,
            name: stored.name,
            permissions: stored.permissions,
            bounds: stored.bounds,
            proof: Proof::from_parts(stored.credential, stored.identity)?,
            at: stored.at,
        })
    }
}

/// A service credential ended for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Which one.
    pub service_credential_id: ServiceCredentialId,
    /// When.
    pub at: Timestamp,
}
