//! Who calls: workspace tokens and service credentials, found and checked like keys.
//!
//! Deliberately absent: auth tokens and user JWTs (the service's), and what a caller may do with
//! which RPC.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::service_credential::{Bounds, Permission};
use domain::{
    Binding, CredentialKind, CredentialRecord, DigestAlgorithm, PepperId, Presented, SECRET_LENGTH,
    SecretDigest, ServiceCredentialId, SpiffeId, WorkspaceId,
};

use crate::verifier::Verifier;
use crate::workspaces::WorkspaceRecord;

/// A caller that proved who it is. Cheap to clone.
#[derive(Debug, Clone)]
pub enum KnownCaller {
    /// By a workspace token.
    Workspace {
        /// Which workspace.
        workspace_id: WorkspaceId,
        /// Whether it is suspended now.
        suspended: bool,
    },
    /// By a service credential that is not revoked.
    ServiceCredential {
        /// Which one.
        id: ServiceCredentialId,
        /// What it may do.
        permissions: Permissions,
        /// Where it may do that.
        bounds: Arc<Bounds>,
    },
}

/// Why a credential names no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallerRefusal {
    /// No credential of ours by its shape; nothing was looked up.
    #[error("not a credential")]
    Malformed,
    /// Unknown, wrong secret, revoked, replaced, or of a kind that calls nothing: one answer.
    #[error("the credential is not known")]
    Unknown,
    /// An event could not be applied, so that it can't be said whether the credential counts.
    #[error("the credential is quarantined, or may be")]
    Quarantined,
}

/// The permissions of a service credential, each for itself: none implies another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// Whether `permission` is one of them.
    #[must_use]
    pub const fn allows(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }
}

impl<'a> FromIterator<&'a Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = &'a Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, &permission| set | bit(permission)))
    }
}

const fn bit(permission: Permission) -> u8 {
    match permission {
        Permission::Verify => 1,
        Permission::Reveal => 2,
        Permission::AuditRead => 4,
        Permission::OrgRead => 8,
        Permission::OrgReadWrite => 16,
        Permission::WorkspaceCreate => 32,
    }
}

/// A caller's credential in memory.
#[derive(Debug)]
pub(crate) struct CallerEntry {
    digest: SecretDigest,
    pepper: PepperId,
    who: Who,
}

#[derive(Debug)]
pub(crate) enum Who {
    Workspace(Arc<WorkspaceRecord>),
    Service(Service),
}

/// A service, however it proves itself.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: ServiceCredentialId,
    pub(crate) permissions: Permissions,
    pub(crate) bounds: Arc<Bounds>,
}

impl From<Service> for KnownCaller {
    fn from(Service { id, permissions, bounds }: Service) -> Self {
        Self::ServiceCredential { id, permissions, bounds }
    }
}

impl CallerEntry {
    pub(crate) const fn new(record: &CredentialRecord, who: Who) -> Self {
        match record.algorithm {
            // No caller's credential is an imported one.
            DigestAlgorithm::HmacSha256 | DigestAlgorithm::ImportedSha256 => {
                Self { digest: record.digest, pepper: record.pepper, who }
            }
        }
    }

    /// What an unknown kid is checked against; see [`crate::entry::Entry::absent`].
    pub(crate) fn absent() -> Self {
        let nobody = WorkspaceId::new(uuid::Uuid::nil());
        Self {
            digest: SecretDigest([0; 32]),
            pepper: PepperId(0),
            who: Who::Workspace(Arc::new(WorkspaceRecord::unknown(nobody))),
        }
    }

    fn kind(&self) -> CredentialKind {
        match self.who {
            Who::Workspace(_) => CredentialKind::WorkspaceToken,
            Who::Service(_) => CredentialKind::ServiceCredential,
        }
    }

    fn binding(&self, presented: &Presented<'_>) -> Binding {
        let (workspace, resource) = match &self.who {
            Who::Workspace(record) => (Some(record.id()), record.id().uuid()),
            Who::Service(service) => (None, service.id.uuid()),
        };
        Binding {
            workspace,
            resource,
            kid: presented.kid,
            env: presented.env,
            kind: presented.kind,
        }
    }

    /// The caller; `None` if it is nobody's or if nothing can be said of it.
    fn known(&self) -> Option<KnownCaller> {
        match &self.who {
            Who::Workspace(record) => {
                let standing = record.standing();
                // The event that was missed may have replaced this very token.
                let counts = standing.known() & !standing.quarantined();
                counts.then(|| KnownCaller::Workspace {
                    workspace_id: record.id(),
                    suspended: standing.suspended(),
                })
            }
            Who::Service(service) => Some(service.clone().into()),
        }
    }
}

impl Verifier {
    /// Who presents this workspace token or service credential. `check` is called exactly once for
    /// a well-formed string of any kind, and never for a malformed one.
    ///
    /// # Errors
    /// [`CallerRefusal`]: malformed, or one answer for all of a kind that is not known. While anything
    /// of the kind is quarantined that answer is [`CallerRefusal::Quarantined`]: the event that was
    /// missed may have made the very credential.
    pub fn caller(
        &self,
        presented: &str,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
    ) -> Result<KnownCaller, CallerRefusal> {
        let presented =
            Presented::parse(presented, &self.brand).map_err(|_| CallerRefusal::Malformed)?;
        let callers = self.callers.pin();
        let held = callers.get(&presented.kid).filter(|entry| entry.kind() == presented.kind);
        let entry = held.unwrap_or(&self.absent_caller);
        let matched =
            check(&entry.binding(&presented), presented.secret(), entry.pepper, &entry.digest);
        // The stand-in belongs to no known workspace, so even a match would make it nobody.
        let known = if matched & held.is_some() { entry.known() } else { None };
        known.ok_or_else(|| self.refusal(presented.kind))
    }

    /// Which service has this identity, which somebody else has proven: one look, and nothing to check.
    ///
    /// # Errors
    /// As [`Verifier::caller`].
    #[inline]
    pub fn caller_by_identity(&self, identity: &SpiffeId) -> Result<KnownCaller, CallerRefusal> {
        let known = self.identities.pin().get(identity).cloned();
        known.map(KnownCaller::from).ok_or_else(|| self.refusal(CredentialKind::ServiceCredential))
    }

    /// Read after the callers: whoever is put under quarantine is so before he is no longer found.
    fn refusal(&self, kind: CredentialKind) -> CallerRefusal {
        let quarantined = match kind {
            CredentialKind::WorkspaceToken => self.any_quarantined.load(Ordering::SeqCst),
            CredentialKind::ServiceCredential => self.any_service_credential_quarantined(),
            CredentialKind::ApiKey | CredentialKind::AuthToken | CredentialKind::Imported => false,
        };
        if quarantined { CallerRefusal::Quarantined } else { CallerRefusal::Unknown }
    }
}
