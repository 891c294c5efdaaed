//! EndRotationGrace: only the newest credential is left.

use std::sync::Arc;

use api::v1::{EndRotationGraceRequest, EndRotationGraceResponse};
use domain::api_key::ApiKeyCommand;

use super::call::Call;
use super::fields;
use super::status::Refusal;
use super::switch::on_key;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: EndRotationGraceRequest,
) -> Result<EndRotationGraceResponse, Refusal> {
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let reply =
        |api_key| EndRotationGraceResponse { api_key, ..EndRotationGraceResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::EndRotationGrace { now }, reply).await
}
