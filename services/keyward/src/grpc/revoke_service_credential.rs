//! RevokeServiceCredential: the end of a service's credential, for good. For the operator.

use std::sync::Arc;

use api::v1::{RevokeServiceCredentialRequest, RevokeServiceCredentialResponse};
use domain::ServiceCredentialId;
use domain::service_credential::ServiceCredentialCommand;

use super::call::Call;
use super::fields;
use super::mutation::Mutation;
use super::service_credentials::resource;
use super::status::{Refusal, Resource};
use crate::commands::{Folded, Intent};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RevokeServiceCredentialRequest,
) -> Result<RevokeServiceCredentialResponse, Refusal> {
    let id: ServiceCredentialId =
        fields::id("service_credential_id", &request.service_credential_id)?;
    let revoke = ServiceCredentialCommand::Revoke { now: node.clock.now() };
    let intent = Intent::ServiceCredential(id, revoke, fields::etag(&request.etag)?);
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: None,
        missing: (Resource::ServiceCredential, id.to_string()),
        wait: fields::wait(request.wait)?,
    };
    let reply = |folded: &[Folded]| RevokeServiceCredentialResponse {
        service_credential: resource(&node, folded),
        ..RevokeServiceCredentialResponse::default()
    };
    mutation.run(&node, &[intent], reply).await
}
