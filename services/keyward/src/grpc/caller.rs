//! Who calls, and what they may: one request, one credential.
//!
//! Workspace tokens, service credentials and the operator's token. User JWTs and auth tokens of keys
//! will be two more arms here. What a caller may not see is answered as what does not exist.

use std::sync::Arc;

use api::v1::ErrorReason;
use domain::service_credential::{Bounds, Permission};
use domain::{Env, ServiceCredentialId, WorkspaceId};
use http::header;
use tonic::metadata::MetadataMap;
use verifier::{CallerRefusal, EnvSet, KnownCaller, Permissions, Tenant};

use super::caller_memory;
use super::status::{Refusal, Resource, quarantined};
use crate::freshness::Begun;
use crate::node::Node;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Whoever holds the operator's token: workspaces, and no tenant's secrets.
    Operator,
    /// Whoever holds a workspace's token: everything in that workspace.
    Workspace {
        /// Which workspace.
        id: WorkspaceId,
    },
    /// A service, with exactly its permissions within its bounds.
    Service {
        /// Which service credential.
        id: ServiceCredentialId,
        /// What it may do.
        permissions: Permissions,
        /// Where.
        bounds: Arc<Bounds>,
    },
}

impl Caller {
    /// Finds the caller of a request by its metadata. The operator is known without the verifier, and
    /// so on a node that is not fresh; what is then decided by the verifier needs a fresh one
    /// (`standing.rs`).
    ///
    /// # Errors
    /// No credential, two, one that is unknown, or a node that can't know.
    pub fn of(node: &Node, metadata: &MetadataMap) -> Result<Self, Refusal> {
        let begun = node.freshness.begin();
        let caller = Self::before_end(node, metadata, begun)?;
        match caller {
            Self::Operator => {}
            Self::Workspace { .. } | Self::Service { .. } => drop(node.freshness.end(begun)?),
        }
        Ok(caller)
    }

    /// As [`Caller::of`], for who ends what he has begun himself, after this.
    ///
    /// # Errors
    /// As [`Caller::of`].
    #[inline]
    pub(super) fn before_end(
        node: &Node,
        metadata: &MetadataMap,
        begun: Begun,
    ) -> Result<Self, Refusal> {
        let presented = bearer(metadata)?;
        if node.operator.is(presented) {
            return Ok(Self::Operator);
        }
        let known = caller_memory::find(node, &node.verifier.load(), presented);
        if known.is_err() {
            // It may be a credential that this node has yet to hear of.
            node.freshness.end(begun)?;
        }
        match known {
            Ok(KnownCaller::Workspace { workspace_id, .. }) => {
                Ok(Self::Workspace { id: workspace_id })
            }
            Ok(KnownCaller::ServiceCredential { id, permissions, bounds }) => {
                Ok(Self::Service { id, permissions, bounds })
            }
            Err(CallerRefusal::Malformed | CallerRefusal::Unknown) => Err(invalid()),
            Err(CallerRefusal::Quarantined) => Err(quarantined("this credential")),
        }
    }

    /// The caller as events name it.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Workspace { id } => format!("workspace:{id}"),
            Self::Service { id, .. } => format!("service:{id}"),
        }
    }

    /// May change keys of this workspace.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn manages(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        self.within(workspace, &[Permission::OrgReadWrite])
    }

    /// May read keys of this workspace.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn reads(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        self.within(workspace, &[Permission::OrgRead, Permission::OrgReadWrite])
    }

    /// May read what happened in this workspace. Events are of both environments, and not every one
    /// says of which; a service that is bound to one may read none.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn audits(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        self.within(workspace, &[Permission::AuditRead])?;
        if self.envs() == EnvSet::BOTH {
            return Ok(());
        }
        Err(denied("the service credential is bound to one environment, and events are of both"))
    }

    /// May read where the log ends, which says nothing of any workspace.
    ///
    /// # Errors
    /// It may not.
    pub fn sees_head(&self) -> Result<(), Refusal> {
        match self {
            Self::Operator => Ok(()),
            Self::Service { permissions, .. } if permissions.allows(Permission::AuditRead) => {
                Ok(())
            }
            Self::Service { .. } | Self::Workspace { .. } => {
                Err(denied("only the operator may, and services with the permission `audit.read`"))
            }
        }
    }

    /// May be shown the secrets of others that keys of this workspace are configured with: a service that
    /// uses them, and nobody else.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn reveals(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        match self {
            Self::Service { .. } => self.within(workspace, &[Permission::Reveal]),
            Self::Operator | Self::Workspace { .. } => {
                Err(denied("only a service credential with the permission `reveal` may"))
            }
        }
    }

    fn within(&self, workspace: WorkspaceId, needed: &[Permission]) -> Result<(), Refusal> {
        let own = match self {
            Self::Operator => return Err(denied("the operator has no access to a tenant's keys")),
            Self::Workspace { id } => *id == workspace,
            Self::Service { permissions, bounds, .. } => {
                if !needed.iter().any(|&permission| permissions.allows(permission)) {
                    return Err(denied("the service credential lacks the permission"));
                }
                bounds.workspaces.is_empty() || bounds.workspaces.contains(&workspace)
            }
        };
        if own { Ok(()) } else { Err(foreign(workspace)) }
    }

    /// May do what only the operator may.
    ///
    /// # Errors
    /// It is not the operator.
    pub fn operates(&self) -> Result<(), Refusal> {
        match self {
            Self::Operator => Ok(()),
            Self::Workspace { .. } | Self::Service { .. } => Err(denied("only the operator may")),
        }
    }

    /// May see this workspace and reset its token: its own token, and the operator.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn owns(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        match self {
            Self::Operator => Ok(()),
            Self::Workspace { id } if *id == workspace => Ok(()),
            Self::Workspace { .. } => Err(foreign(workspace)),
            Self::Service { .. } => Err(denied("a service credential can't manage workspaces")),
        }
    }

    /// The worlds whose keys it may see and change. A key of another one is not there for it.
    #[must_use]
    pub fn envs(&self) -> EnvSet {
        match self {
            Self::Operator | Self::Workspace { .. } => EnvSet::BOTH,
            Self::Service { bounds, .. } => EnvSet::allowing(&bounds.envs),
        }
    }

    /// May make keys of this world.
    ///
    /// # Errors
    /// It is bound to the other one.
    pub fn makes(&self, env: Env) -> Result<(), Refusal> {
        if self.envs().contains(env) {
            return Ok(());
        }
        Err(denied("the service credential is bound to the other environment"))
    }

    /// Which keys it may ask verdicts of.
    ///
    /// # Errors
    /// It may ask for none.
    #[inline]
    pub fn verifies(&self) -> Result<(Tenant<'_>, EnvSet), Refusal> {
        match self {
            Self::Operator => Err(denied("the operator has no access to a tenant's keys")),
            Self::Workspace { id } => Ok((Tenant::One(*id), EnvSet::BOTH)),
            Self::Service { permissions, bounds, .. } => {
                if !permissions.allows(Permission::Verify) {
                    return Err(denied("the service credential lacks the permission `verify`"));
                }
                let tenant = match bounds.workspaces.as_slice() {
                    [] => Tenant::Any,
                    among => Tenant::Among(among),
                };
                Ok((tenant, EnvSet::allowing(&bounds.envs)))
            }
        }
    }
}

/// The answer to whoever asks for a workspace that is not theirs or is not there.
#[must_use]
pub fn foreign(workspace: WorkspaceId) -> Refusal {
    Refusal::not_found(Resource::Workspace, workspace.to_string())
}

/// The answer to a caller who is known and may not.
#[must_use]
pub fn denied(why: &str) -> Refusal {
    Refusal::new(ErrorReason::PermissionDenied, why)
}

fn invalid() -> Refusal {
    Refusal::new(ErrorReason::CredentialInvalid, "the credential is not valid")
}

/// The one credential of a request: `authorization: Bearer ...` (RFC 6750, 2.1).
fn bearer(metadata: &MetadataMap) -> Result<&str, Refusal> {
    let mut values = metadata.as_ref().get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::new(
            ErrorReason::CredentialMissing,
            "the metadata `authorization: Bearer <credential>` is missing",
        ));
    };
    if values.next().is_some() {
        return Err(Refusal::new(
            ErrorReason::TwoCredentials,
            "there must be one `authorization` in the metadata",
        ));
    }
    let text = value.to_str().map_err(|_| invalid())?;
    let (scheme, credential) = text.split_once(' ').ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(credential) } else { Err(invalid()) }
}
