//! DeleteApiKey: hides a key and switches it off; UndeleteApiKey brings it back.

use std::sync::Arc;

use api::v1::{DeleteApiKeyRequest, DeleteApiKeyResponse};
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
    request: DeleteApiKeyRequest,
) -> Result<DeleteApiKeyResponse, Refusal> {
    let on_key = OnKey {
        asked: &request,
        workspace_id: &request.workspace_id,
        key_id: &request.key_id,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: fields::wait(request.wait)?,
    };
    let reply = |api_key| DeleteApiKeyResponse { api_key, ..DeleteApiKeyResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::Delete { now }, reply).await
}
