//! What can have happened to a service credential.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Bounds, Permission};
use crate::{CredentialRecord, Name, ServiceCredentialId};

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
#[serde(deny_unknown_fields)]
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
    /// Its secret, as stored.
    pub credential: CredentialRecord,
    /// When.
    pub at: Timestamp,
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
