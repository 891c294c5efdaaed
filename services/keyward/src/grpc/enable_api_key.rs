//! EnableApiKey: the reversible switch, on again.

use std::sync::Arc;

use api::v1::{EnableApiKeyRequest, EnableApiKeyResponse};
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
    request: EnableApiKeyRequest,
) -> Result<EnableApiKeyResponse, Refusal> {
    let on_key = on_key!(request, Wait::None);
    let reply = |api_key| EnableApiKeyResponse { api_key, consistency_token: String::new() };
    on_key.run(node, call, |now| ApiKeyCommand::Enable { now }, reply).await
}
