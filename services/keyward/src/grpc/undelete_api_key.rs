//! UndeleteApiKey: brings a deleted key back, switched off.

use std::sync::Arc;

use api::v1::{UndeleteApiKeyRequest, UndeleteApiKeyResponse};
use domain::api_key::ApiKeyCommand;

use super::call::Call;
use super::mutation::Wait;
use super::status::Refusal;
use super::switch::on_key;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: UndeleteApiKeyRequest,
) -> Result<UndeleteApiKeyResponse, Refusal> {
    let on_key = on_key!(request, Wait::None);
    let reply = |api_key| UndeleteApiKeyResponse { api_key, ..UndeleteApiKeyResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::Undelete { now }, reply).await
}
