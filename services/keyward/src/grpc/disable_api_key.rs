//! DisableApiKey: the reversible switch, off. When it returns, no verifier accepts the key.

use std::sync::Arc;

use api::v1::{DisableApiKeyRequest, DisableApiKeyResponse};
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
    request: DisableApiKeyRequest,
) -> Result<DisableApiKeyResponse, Refusal> {
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let reply = |api_key| DisableApiKeyResponse { api_key, ..DisableApiKeyResponse::default() };
    on_key.run(node, call, |now| ApiKeyCommand::Disable { now }, reply).await
}
