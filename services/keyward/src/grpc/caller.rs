//! Who calls: one request, one credential. Which kinds of caller an RPC is open to is the table in
//! `access.rs`; here is what is a caller's own. What is not is answered as what does not exist.
//!
//! Workspace tokens, service credentials and the operator are known from memory, so that a verdict finds its
//! caller at once (`Caller::before_end`). Auth tokens, users and whatever else has to be asked for are
//! found off the thread that serves the connection (`Caller::of`).

mod auth_token;
mod certificate;
mod presented;
mod user;

use std::sync::Arc;

use api::v1::ErrorReason;
use domain::service_credential::Bounds;
use domain::{AuthTokenId, Env, KeyId, ServiceCredentialId, WorkspaceId};
use tonic::metadata::MetadataMap;
use verifier::{CallerRefusal, EnvSet, KnownCaller, Permissions, Tenant};

use super::access::{self, Grant};
use super::call::Peer;
use super::caller_memory;
use super::rpc::Rpc;
use super::status::{Refusal, Resource, quarantined};
use crate::freshness::Begun;
use crate::guesses::Guesser;
use crate::node::Node;
use presented::Presented;

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
    /// Whoever holds an auth token of a key: that key's configuration.
    AuthToken {
        /// Which token.
        id: AuthTokenId,
        /// The key that it is for.
        key: KeyId,
        /// The workspace of the key.
        workspace: WorkspaceId,
    },
    /// A person, by a JWT of an identity provider.
    User {
        /// Who, as events name it: the issuer's short name and the subject.
        subject: Arc<str>,
        /// The one workspace that the JWT is good for.
        workspace: WorkspaceId,
        /// What that person is there.
        role: Role,
        /// Whether it came through the partner portal, which alone makes TEST keys.
        partner: bool,
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

/// What a user is in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Manages keys.
    Owner,
    /// Looks, and changes nothing.
    Member,
}

impl Caller {
    /// Finds the caller of a request by its metadata, or by the certificate of its connection if the
    /// metadata names nobody. The operator is known without the verifier, and so on a node that is not
    /// fresh; what is then decided by the verifier needs a fresh one (`standing.rs`).
    ///
    /// # Errors
    /// No credential, two, one that is unknown, or a node that can't know.
    pub async fn of(
        node: &Node,
        metadata: &MetadataMap,
        peer: Option<&Peer>,
    ) -> Result<Self, Refusal> {
        let begun = node.freshness.begin();
        let caller = Self::before_end(node, metadata, peer, begun).await?;
        match caller {
            Self::Operator | Self::AuthToken { .. } | Self::User { .. } => {}
            Self::Workspace { .. } | Self::Service { .. } => drop(node.freshness.end(begun)?),
        }
        Ok(caller)
    }

    /// As [`Caller::of`], for who ends what he has begun himself, after this.
    ///
    /// # Errors
    /// As [`Caller::of`].
    #[inline]
    pub(super) async fn before_end(
        node: &Node,
        metadata: &MetadataMap,
        peer: Option<&Peer>,
        begun: Begun,
    ) -> Result<Self, Refusal> {
        let found = Self::find(node, metadata, peer, begun).await;
        if let Err(refusal) = &found {
            node.counts.refused_credential(refusal.reason());
        }
        found
    }

    #[inline]
    async fn find(
        node: &Node,
        metadata: &MetadataMap,
        peer: Option<&Peer>,
        begun: Begun,
    ) -> Result<Self, Refusal> {
        match Presented::read(metadata, peer)? {
            Presented::Ours(credential) => Self::remembered(node, credential, begun),
            Presented::Certificate(identity) => certificate::find(node, identity, begun),
            // In a box each: nearly no verdict needs their room.
            Presented::OfKey { api_key, token } => {
                Box::pin(auth_token::find(node, metadata, api_key, token)).await
            }
            Presented::Jwt(jwt) => Box::pin(user::find(node, metadata, jwt)).await,
        }
    }

    #[inline]
    fn remembered(node: &Node, credential: &str, begun: Begun) -> Result<Self, Refusal> {
        if node.operator.is(credential) {
            return Ok(Self::Operator);
        }
        Self::known(node, caller_memory::find(node, &node.verifier.load(), credential), begun)
    }

    /// Who was found in memory, or not.
    #[inline]
    fn known(
        node: &Node,
        known: Result<KnownCaller, CallerRefusal>,
        begun: Begun,
    ) -> Result<Self, Refusal> {
        if known.is_err() {
            // It may be a credential that this node has yet to hear of.
            node.freshness.end(begun)?;
        }
        known.map(Self::from).map_err(|refusal| match refusal {
            CallerRefusal::Malformed | CallerRefusal::Unknown => invalid(),
            CallerRefusal::Quarantined => quarantined("this credential"),
        })
    }

    /// The caller as events name it.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Workspace { id } => format!("workspace:{id}"),
            Self::AuthToken { id, .. } => format!("auth_token:{id}"),
            Self::User { subject, .. } => format!("user:{subject}"),
            Self::Service { id, .. } => format!("service:{id}"),
        }
    }

    /// The caller as its guesses are counted.
    pub(super) fn guesser(&self) -> Guesser {
        match self {
            Self::Operator => Guesser::Name("operator".into()),
            Self::Workspace { id } => Guesser::Id(id.uuid()),
            Self::AuthToken { id, .. } => Guesser::Id(id.uuid()),
            Self::User { subject, .. } => Guesser::Name(Arc::clone(subject)),
            Self::Service { id, .. } => Guesser::Id(id.uuid()),
        }
    }

    /// Whether it holds what a row of the table names.
    #[inline]
    pub(super) fn holds(&self, grant: Grant) -> bool {
        match (self, grant) {
            (Self::Operator, Grant::Operator)
            | (Self::Workspace { .. }, Grant::Workspace)
            | (Self::AuthToken { .. }, Grant::AuthToken) => true,
            (Self::User { role, .. }, Grant::User(needed)) => *role == needed,
            (Self::Service { permissions, .. }, Grant::Service(needed)) => {
                permissions.allows(needed)
            }
            (
                Self::Operator
                | Self::Workspace { .. }
                | Self::AuthToken { .. }
                | Self::User { .. }
                | Self::Service { .. },
                Grant::Operator
                | Grant::Workspace
                | Grant::AuthToken
                | Grant::User(_)
                | Grant::Service(_),
            ) => false,
        }
    }

    /// The one workspace that its credential is good for, if it is for one by its kind or its bounds.
    #[must_use]
    pub fn only_workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::AuthToken { workspace, .. } | Self::User { workspace, .. } => Some(*workspace),
            Self::Service { bounds, .. } => match bounds.workspaces.as_slice() {
                &[only] => Some(only),
                [] | [_, ..] => None,
            },
            Self::Operator | Self::Workspace { .. } => None,
        }
    }

    /// The one key that its credential is good for, if it is for one.
    #[must_use]
    pub const fn only_key(&self) -> Option<KeyId> {
        match self {
            Self::AuthToken { key, .. } => Some(*key),
            Self::Operator | Self::Workspace { .. } | Self::User { .. } | Self::Service { .. } => {
                None
            }
        }
    }

    /// The one auth token that it is, if it is one.
    #[must_use]
    pub const fn only_auth_token(&self) -> Option<AuthTokenId> {
        match self {
            Self::AuthToken { id, .. } => Some(*id),
            Self::Operator | Self::Workspace { .. } | Self::User { .. } | Self::Service { .. } => {
                None
            }
        }
    }

    /// This workspace is the caller's own.
    ///
    /// # Errors
    /// It is not, which is answered as if there were none.
    pub fn within(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        let own = match self {
            Self::Operator => true,
            Self::Workspace { id } => *id == workspace,
            Self::AuthToken { workspace: own, .. } | Self::User { workspace: own, .. } => {
                *own == workspace
            }
            Self::Service { bounds, .. } => {
                bounds.workspaces.is_empty() || bounds.workspaces.contains(&workspace)
            }
        };
        if own { Ok(()) } else { Err(foreign(workspace)) }
    }

    /// This key is the caller's own, as far as its credential says: an auth token is for one.
    ///
    /// # Errors
    /// The workspace is not the caller's, or the key is not, which is answered as if there were no such
    /// `resource` of the key.
    pub(super) fn within_key(
        &self,
        workspace: WorkspaceId,
        key: KeyId,
        resource: Resource,
    ) -> Result<(), Refusal> {
        self.within(workspace)?;
        match self {
            Self::AuthToken { key: own, .. } if *own != key => {
                Err(Refusal::not_found(resource, key.to_string()))
            }
            Self::Operator
            | Self::Workspace { .. }
            | Self::AuthToken { .. }
            | Self::User { .. }
            | Self::Service { .. } => Ok(()),
        }
    }

    /// This auth token is the caller's to change: one may change itself alone, and is not told which others
    /// its key has.
    ///
    /// # Errors
    /// It is another one, which is answered as one that does not exist.
    pub(super) fn within_auth_token(&self, id: AuthTokenId) -> Result<(), Refusal> {
        match self.only_auth_token() {
            Some(own) if own != id => Err(Refusal::not_found(Resource::AuthToken, id.to_string())),
            Some(_) | None => Ok(()),
        }
    }

    /// May read what happened in this workspace. Events are of both environments, and not every one
    /// says of which; a service that is bound to one may read none.
    ///
    /// # Errors
    /// It may not, or the workspace is not its own.
    pub fn audits(&self, workspace: WorkspaceId) -> Result<(), Refusal> {
        self.within(workspace)?;
        if self.envs() == EnvSet::BOTH {
            return Ok(());
        }
        Err(denied("the service credential is bound to one environment, and events are of both"))
    }

    /// The worlds whose keys it may see and change. A key of another one is not there for it.
    #[must_use]
    pub fn envs(&self) -> EnvSet {
        match self {
            Self::Operator
            | Self::Workspace { .. }
            | Self::AuthToken { .. }
            | Self::User { .. } => EnvSet::BOTH,
            Self::Service { bounds, .. } => EnvSet::allowing(&bounds.envs),
        }
    }

    /// May make workspaces, if the table lets it make any: what it is bound to says which there may be.
    ///
    /// # Errors
    /// It is bound to some that there are, or to one environment.
    pub fn makes_workspaces(&self) -> Result<(), Refusal> {
        match self {
            Self::Service { bounds, .. }
                if !bounds.workspaces.is_empty() || !bounds.envs.is_empty() =>
            {
                Err(denied(
                    "the service credential is bound, and a new workspace is not within that",
                ))
            }
            Self::Operator
            | Self::Workspace { .. }
            | Self::AuthToken { .. }
            | Self::User { .. }
            | Self::Service { .. } => Ok(()),
        }
    }

    /// May make keys of this world.
    ///
    /// # Errors
    /// It is bound to the other one.
    pub fn makes(&self, env: Env) -> Result<(), Refusal> {
        match self {
            Self::User { partner: false, .. } if env == Env::Test => {
                Err(denied("only the partner portal makes keys of the environment TEST"))
            }
            Self::Service { .. } if !self.envs().contains(env) => {
                Err(denied("the service credential is bound to the other environment"))
            }
            Self::Operator
            | Self::Workspace { .. }
            | Self::AuthToken { .. }
            | Self::User { .. }
            | Self::Service { .. } => Ok(()),
        }
    }

    /// Which keys it may ask verdicts of.
    ///
    /// # Errors
    /// It may ask for none.
    #[inline]
    pub fn verifies(&self) -> Result<(Tenant<'_>, EnvSet), Refusal> {
        access::admit(self, Rpc::VerifyKey)?;
        Ok(match self {
            // The table lets no other on; if it did, they would see what is theirs.
            Self::Operator => (Tenant::Among(&[]), EnvSet::BOTH),
            Self::Workspace { id }
            | Self::AuthToken { workspace: id, .. }
            | Self::User { workspace: id, .. } => (Tenant::One(*id), EnvSet::BOTH),
            Self::Service { bounds, .. } => {
                let tenant = match bounds.workspaces.as_slice() {
                    [] => Tenant::Any,
                    among => Tenant::Among(among),
                };
                (tenant, EnvSet::allowing(&bounds.envs))
            }
        })
    }
}

impl From<KnownCaller> for Caller {
    fn from(known: KnownCaller) -> Self {
        match known {
            KnownCaller::Workspace { workspace_id, .. } => Self::Workspace { id: workspace_id },
            KnownCaller::ServiceCredential { id, permissions, bounds } => {
                Self::Service { id, permissions, bounds }
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

/// The answer to a credential that is not valid, whatever is wrong with it.
fn invalid() -> Refusal {
    Refusal::new(ErrorReason::CredentialInvalid, "the credential is not valid")
}
