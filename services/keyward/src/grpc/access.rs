//! Who may call what: one table, RPC by caller. What it does not name is denied, and an RPC without a row
//! does not compile.
//!
//! The table says which kinds of caller an RPC is for. Whether the workspace or the key is the caller's own
//! is asked by `Caller::within` and `Caller::within_key`; what is not is answered as what does not exist.

use domain::service_credential::Permission;

use super::caller::{Caller, Role, denied};
use super::rpc::Rpc;
use super::status::Refusal;

/// What a caller holds that an RPC may be open to: the columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The operator's token, or an operator's certificate.
    Operator,
    /// A workspace's token.
    Workspace,
    /// An auth token of the key in question.
    AuthToken,
    /// A user's JWT with this role in the workspace.
    User(Role),
    /// A service credential with this permission.
    Service(Permission),
}

const OWNER: Grant = Grant::User(Role::Owner);
const MEMBER: Grant = Grant::User(Role::Member);
const VERIFY: Grant = Grant::Service(Permission::Verify);
const AUDIT_READ: Grant = Grant::Service(Permission::AuditRead);
const ORG_READ: Grant = Grant::Service(Permission::OrgRead);
const ORG_READ_WRITE: Grant = Grant::Service(Permission::OrgReadWrite);
const WORKSPACE_CREATE: Grant = Grant::Service(Permission::WorkspaceCreate);

/// Whoever may read keys.
const READERS: &[Grant] = &[Grant::Workspace, OWNER, MEMBER, ORG_READ, ORG_READ_WRITE];
/// Whoever may change keys.
const WRITERS: &[Grant] = &[Grant::Workspace, OWNER, ORG_READ_WRITE];
/// Whoever may read what happened in a workspace.
const AUDITORS: &[Grant] = &[Grant::Workspace, OWNER, AUDIT_READ];
/// Whoever may ask for verdicts.
const ASKERS: &[Grant] = &[Grant::Workspace, VERIFY];
/// Whoever may reset a workspace's token, and erase what is sealed in it.
const KEEPERS: &[Grant] = &[Grant::Operator, Grant::Workspace];
/// Nobody else.
const OPERATOR: &[Grant] = &[Grant::Operator];

/// The row of an RPC: to whom it is open.
#[must_use]
pub const fn row(rpc: Rpc) -> &'static [Grant] {
    match rpc {
        Rpc::UpdateConfig | Rpc::PutConfigSecret | Rpc::DeleteConfigSecret => {
            &[Grant::Workspace, Grant::AuthToken, OWNER, ORG_READ_WRITE]
        }
        Rpc::RevealConfigSecret => &[Grant::Service(Permission::Reveal)],
        Rpc::GetConfig => {
            &[Grant::Workspace, Grant::AuthToken, OWNER, MEMBER, ORG_READ, ORG_READ_WRITE]
        }
        // An auth token resets itself alone: see `Caller::within_auth_token`.
        Rpc::ResetAuthToken => &[Grant::Workspace, Grant::AuthToken, OWNER, ORG_READ_WRITE],
        Rpc::GetApiKey | Rpc::ListApiKeys | Rpc::GetKeyUsage | Rpc::ListAuthTokens => READERS,
        Rpc::CreateApiKey
        | Rpc::UpdateApiKey
        | Rpc::RotateApiKey
        | Rpc::EndRotationGrace
        | Rpc::DisableApiKey
        | Rpc::EnableApiKey
        | Rpc::RevokeApiKey
        | Rpc::RevokeApiKeys
        | Rpc::DeleteApiKey
        | Rpc::UndeleteApiKey
        | Rpc::ImportApiKeys
        | Rpc::IssueAuthToken
        | Rpc::RevokeAuthToken => WRITERS,
        Rpc::VerifyKey | Rpc::BatchVerifyKeys | Rpc::Check => ASKERS,
        Rpc::ListEvents | Rpc::WatchEvents | Rpc::VerifyAt => AUDITORS,
        Rpc::GetHead => &[Grant::Operator, AUDIT_READ],
        Rpc::GetWorkspace => &[Grant::Operator, Grant::Workspace, OWNER, MEMBER],
        Rpc::ResetWorkspaceToken | Rpc::EraseSubject => KEEPERS,
        // A service must not be bound to anything: see `Caller::makes_workspaces`.
        Rpc::CreateWorkspace => &[Grant::Operator, WORKSPACE_CREATE],
        Rpc::SuspendWorkspace
        | Rpc::ResumeWorkspace
        | Rpc::CreateServiceCredential
        | Rpc::ListServiceCredentials
        | Rpc::RevokeServiceCredential
        | Rpc::VerifyLog => OPERATOR,
    }
}

/// Lets `caller` on to `rpc`, if the table does.
///
/// # Errors
/// PERMISSION_DENIED.
#[inline]
pub fn admit(caller: &Caller, rpc: Rpc) -> Result<(), Refusal> {
    if row(rpc).iter().any(|&grant| caller.holds(grant)) {
        return Ok(());
    }
    Err(refusal(caller, rpc))
}

/// Says what is missing, which is no secret: the table is public.
#[cold]
fn refusal(caller: &Caller, rpc: Rpc) -> Refusal {
    match caller {
        Caller::Operator => denied("the operator has no access to a tenant's keys"),
        Caller::Service { .. } => match permissions(rpc).as_slice() {
            [] => denied("this is not for service credentials"),
            needed => denied(&format!("the service credential needs {}", needed.join(" or "))),
        },
        Caller::AuthToken { .. } => {
            denied("an auth token is good for its own key's configuration, and for itself")
        }
        Caller::User { role: Role::Member, .. } if row(rpc).contains(&OWNER) => {
            denied("only an owner of the workspace may")
        }
        Caller::User { .. } | Caller::Workspace { .. } => match permissions(rpc).as_slice() {
            [] if row(rpc) == OPERATOR => denied("only the operator may"),
            [] => denied("this is not for users"),
            needed => {
                denied(&format!("this is for service credentials with {}", needed.join(" or ")))
            }
        },
    }
}

fn permissions(rpc: Rpc) -> Vec<&'static str> {
    let name = |grant: &Grant| match grant {
        Grant::Service(permission) => Some(permission.as_str()),
        Grant::Operator | Grant::Workspace | Grant::AuthToken | Grant::User(_) => None,
    };
    row(rpc).iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_empty_and_none_names_a_caller_twice() {
        for &rpc in Rpc::ALL {
            let row = row(rpc);
            assert!(!row.is_empty(), "{} is open to nobody", rpc.name());
            for (at, grant) in row.iter().enumerate() {
                assert!(!row[..at].contains(grant), "{} names {grant:?} twice", rpc.name());
            }
        }
    }

    #[test]
    fn what_an_operator_may_touches_no_tenants_keys() {
        for &rpc in Rpc::ALL {
            let (row, keys) = (row(rpc), rpc.path().contains("ApiKeyService"));
            assert!(!(keys && row.contains(&Grant::Operator)), "{}", rpc.name());
        }
    }

    #[test]
    fn what_a_member_may_an_owner_may() {
        for &rpc in Rpc::ALL {
            let row = row(rpc);
            assert!(!row.contains(&MEMBER) || row.contains(&OWNER), "{}", rpc.name());
        }
    }
}
