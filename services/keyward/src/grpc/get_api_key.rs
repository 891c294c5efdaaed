//! GetApiKey: one key, dead or alive, from the read model.

use std::sync::Arc;

use api::v1::{GetApiKeyRequest, GetApiKeyResponse};

use eventlog::Projection;
use readmodel::keys::Keys;

use super::call::Call;
use super::status::{Refusal, Resource};
use super::switch::opened_owner_email;
use super::{convert, last_use, reading};
use crate::node::Node;
use crate::usage;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: GetApiKeyRequest,
) -> Result<GetApiKeyResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    let client = reading::of_workspace(&node, workspace, &[Keys.name()], &request.at_least).await?;
    let row = readmodel::keys::get(&**client, workspace, key_id)
        .await?
        .filter(|row| call.caller.envs().contains(row.key.settings.env))
        .ok_or_else(|| Refusal::not_found(Resource::ApiKey, key_id.to_string()))?;
    let uses = usage::of(&client, workspace, std::iter::once(key_id)).await?;
    drop(client);
    let email = opened_owner_email(&node, &row.key).await?;
    let now = node.clock.now();
    let mut api_key = convert::api_key(&node.brand, &row.key, row.revision, email, now);
    last_use::show(&mut api_key, uses.get(&key_id).map_or(&[], Vec::as_slice));
    Ok(GetApiKeyResponse { api_key: Some(api_key) })
}
