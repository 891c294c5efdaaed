//! UndeleteApiKey: brings a deleted key back, switched off.

use std::sync::Arc;

use api::v1::{UndeleteApiKeyRequest, UndeleteApiKeyResponse};
use domain::api_key::ApiKeyCommand;

use super::call::Call;
use super::mutation::Wait;
use super::status::Refusal;
use super::switch::OnKey;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: UndeleteApiKeyRequest,
) -> Result<UndeleteApiKeyResponse, Refusal> {
    let on_key = OnKey {
        asked: &request,
        workspace_id: &request.workspace_id,
        key_id: &request.key_id,
        etag: &request.etag,
        request_id: &request.request_id,
        wait: Wait::None,
    };
    let reply = |api_key| UndeleteApiKeyResponse { api_key, ..UndeleteApiKeyResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::Undelete { now }, reply).await
}
