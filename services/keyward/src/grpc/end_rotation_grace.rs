//! EndRotationGrace: only the newest credential is left.

use std::sync::Arc;

use api::v1::{EndRotationGraceRequest, EndRotationGraceResponse};
use domain::api_key::ApiKeyCommand;

use super::call::Call;
use super::fields;
use super::status::Refusal;
use super::switch::OnKey;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: EndRotationGraceRequest,
) -> Result<EndRotationGraceResponse, Refusal> {
    let on_key = OnKey {
        asked: &request,
        workspace_id: &request.workspace_id,
        key_id: &request.key_id,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: fields::wait(request.wait)?,
    };
    let reply =
        |api_key| EndRotationGraceResponse { api_key, ..EndRotationGraceResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::EndRotationGrace { now }, reply).await
}
