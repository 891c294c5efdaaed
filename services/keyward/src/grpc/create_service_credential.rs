//! CreateServiceCredential: what another service proves itself with: a secret, shown once, or the identity
//! of its certificate. For the operator.

use std::sync::Arc;

use api::v1::{
    self as wire, CreateServiceCredentialRequest, CreateServiceCredentialResponse, ErrorReason,
};
use domain::service_credential::{Bounds, Permission, Proof, ServiceCredentialCommand};
use domain::{CredentialKind, Env, Name, ServiceCredentialId, SpiffeId};

use super::call::Call;
use super::mutation::{Mutation, Wait};
use super::service_credentials::resource;
use super::status::{InField, Refusal, Resource};
use super::{fields, standing};
use crate::commands::{Folded, Intent};
use crate::node::Node;
use crate::{entropy, service_identity};

const MOST_WORKSPACES: usize = 100;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: CreateServiceCredentialRequest,
) -> Result<CreateServiceCredentialResponse, Refusal> {
    let name = Name::new(request.name.clone()).in_field("name")?;
    let permissions = permissions(&request.permissions)?;
    let bounds = bounds(&node, &request)?;
    let now = node.clock.now();
    let (id, proof, secret) = match identity(&node, &request.identity)? {
        Some(identity) => {
            let id = service_identity::next_id(&node.commands, &identity).await?;
            (id, Proof::Identity(identity), None)
        }
        None => {
            let id = ServiceCredentialId::new(entropy::uuid_v7(now)?);
            let kind = CredentialKind::ServiceCredential;
            let drawn = node.draw(kind, Env::Live, None, id.uuid())?;
            (id, Proof::Secret(drawn.record), Some(drawn.text))
        }
    };
    let create = ServiceCredentialCommand::Create {
        service_credential_id: id,
        created_by: call.caller.actor(),
        name,
        permissions,
        bounds,
        proof,
        now,
    };
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: None,
        missing: (Resource::ServiceCredential, id.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| CreateServiceCredentialResponse {
        service_credential: resource(&node, folded),
        secret: secret.as_ref().map_or_else(String::new, |secret| secret.expose().to_owned()),
        consistency_token: String::new(),
    };
    mutation.run(&node, &[Intent::ServiceCredential(id, create, None)], reply).await
}

/// The identity to prove it by, if one is asked for.
fn identity(node: &Node, text: &str) -> Result<Option<SpiffeId>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let identity = SpiffeId::new(text).in_field("identity")?;
    if node.operator_identities.contains(&identity) {
        return Err(Refusal::new(
            ErrorReason::ServiceIdentityTaken,
            "an operator has the identity",
        ));
    }
    if node.gateways.has_identity(&identity) {
        return Err(Refusal::new(ErrorReason::ServiceIdentityTaken, "a gateway has the identity"));
    }
    Ok(Some(identity))
}

fn permissions(numbers: &[i32]) -> Result<Vec<Permission>, Refusal> {
    if numbers.is_empty() {
        return Err(Refusal::field("permissions", "must have at least one entry"));
    }
    let each = |(at, &number): (usize, &i32)| {
        let path = format!("permissions[{at}]");
        Ok(match fields::variant(&path, number)? {
            wire::Permission::Unspecified => {
                return Err(Refusal::field(path, "must not be unspecified"));
            }
            wire::Permission::Verify => Permission::Verify,
            wire::Permission::Reveal => Permission::Reveal,
            wire::Permission::AuditRead => Permission::AuditRead,
            wire::Permission::OrgRead => Permission::OrgRead,
            wire::Permission::OrgReadWrite => Permission::OrgReadWrite,
            wire::Permission::WorkspaceCreate => Permission::WorkspaceCreate,
        })
    };
    numbers.iter().enumerate().map(each).collect()
}

fn bounds(node: &Node, request: &CreateServiceCredentialRequest) -> Result<Bounds, Refusal> {
    if request.workspace_ids.len() > MOST_WORKSPACES {
        return Err(Refusal::field("workspace_ids", "must have at most 100 entries"));
    }
    let mut workspaces = Vec::with_capacity(request.workspace_ids.len());
    for (at, text) in request.workspace_ids.iter().enumerate() {
        let workspace = fields::id(&format!("workspace_ids[{at}]"), text)?;
        standing::existing(node, workspace)?;
        workspaces.push(workspace);
    }
    workspaces.sort_unstable();
    workspaces.dedup();
    let mut envs = fields::envs("envs", &request.envs)?;
    envs.sort_unstable();
    envs.dedup();
    Ok(Bounds { workspaces, envs })
}
