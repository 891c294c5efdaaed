//! A service credential as its events make it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::ServiceCredentialEvent;
use super::proof::Proof;
use crate::{Env, Name, ServiceCredentialId, WorkspaceId};

/// What a service credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// Ask for verdicts.
    #[serde(rename = "verify")]
    Verify,
    /// Ask for sealed configuration secrets in clear, one at a time.
    #[serde(rename = "reveal")]
    Reveal,
    /// Read the audit log.
    #[serde(rename = "audit.read")]
    AuditRead,
    /// Read keys and configurations.
    #[serde(rename = "org.read")]
    OrgRead,
    /// Manage keys and configurations.
    #[serde(rename = "org.read_write")]
    OrgReadWrite,
    /// Make workspaces.
    #[serde(rename = "workspace.create")]
    WorkspaceCreate,
}

impl Permission {
    /// Its stored name, in which it is also told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reveal => "reveal",
            Self::AuditRead => "audit.read",
            Self::OrgRead => "org.read",
            Self::OrgReadWrite => "org.read_write",
            Self::WorkspaceCreate => "workspace.create",
        }
    }
}

/// Where a service credential's permissions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// These workspaces; empty means every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workspaces: Vec<WorkspaceId>,
    /// These worlds; empty means both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub envs: Vec<Env>,
}

/// A service credential that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCredential {
    /// Its id.
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
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// A service credential before or after its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ServiceCredentialState {
    /// Never created.
    #[default]
    Missing,
    /// Created.
    Present(Box<ServiceCredential>),
}

impl ServiceCredentialState {
    /// The service credential, if it was created.
    #[must_use]
    pub const fn present(&self) -> Option<&ServiceCredential> {
        match self {
            Self::Missing => None,
            Self::Present(credential) => Some(credential),
        }
    }

    pub(super) fn after(self, event: &ServiceCredentialEvent) -> Self {
        match (self, event) {
            (Self::Missing, ServiceCredentialEvent::Created(created)) => {
                Self::Present(Box::new(ServiceCredential {
                    service_credential_id: created.service_credential_id,
                    created_by: created.created_by.clone(),
                    name: created.name.clone(),
                    permissions: created.permissions.clone(),
                    bounds: created.bounds.clone(),
                    proof: created.proof.clone(),
                    created_at: created.at,
                    revoked_at: None,
                }))
            }
            (Self::Present(mut credential), ServiceCredentialEvent::Revoked(revoked)) => {
                credential.revoked_at = Some(revoked.at);
                Self::Present(credential)
            }
            (state, ServiceCredentialEvent::Created(_) | ServiceCredentialEvent::Revoked(_)) => {
                state
            }
        }
    }
}
