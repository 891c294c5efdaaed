//! DeleteApiKey: hides a key and switches it off; UndeleteApiKey brings it back.

use std::sync::Arc;

use api::v1::{DeleteApiKeyRequest, DeleteApiKeyResponse};
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
    request: DeleteApiKeyRequest,
) -> Result<DeleteApiKeyResponse, Refusal> {
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let reply = |api_key| DeleteApiKeyResponse { api_key, ..DeleteApiKeyResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::Delete { now }, reply).await
}
