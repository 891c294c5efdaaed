//! `POST /v2/workspace/apikey/update`, and what the paths on one key of a workspace have in common.

use api::v1::{ApiKey, ListApiKeysRequest, UpdateApiKeyRequest};
use prost_types::FieldMask;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{needed_data, request_id, text};
use super::credentials::{Level, Workspace};
use super::envelope::{Outcome, told};
use super::named::{is_id, or_none};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Another name for a key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltUpdateApiKey)]
pub(super) struct Asked {
    /// Its id, the whole key or its masked form.
    #[schema(required, nullable = false, min_length = 1)]
    api_key: Option<String>,
    #[schema(required, nullable = false, min_length = 1, max_length = 128)]
    api_key_name: Option<String>,
}

/// Answers the call.
pub(super) fn update(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let workspace = Workspace::of(&call.head)?;
    let asked: Asked = needed_data(call)?;
    let (key, name) = (text("apiKey", asked.api_key)?, text("apiKeyName", asked.api_key_name)?);
    let message = UpdateApiKeyRequest {
        workspace_id: workspace.id.clone(),
        key_id: key_id(call, &workspace, key).await?,
        api_key: Some(ApiKey { name, ..ApiKey::default() }),
        update_mask: Some(FieldMask { paths: vec!["name".to_owned()] }),
        request_id: request_id(call)?,
        ..UpdateApiKeyRequest::default()
    };
    call.keys().update_api_key(workspace.request(call, message)).await?;
    Outcome::new("API key updated successfully.", ()).reply()
}

/// The id of the key that is named; of none, one that there is not.
pub(super) async fn key_id(
    call: &Call,
    workspace: &Workspace,
    named: String,
) -> Result<String, Refusal> {
    let named = or_none(named);
    if is_id(&named) {
        return Ok(named);
    }
    let message = ListApiKeysRequest {
        workspace_id: workspace.id.clone(),
        key_ids: vec![named],
        show_dead: true,
        show_deleted: true,
        ..ListApiKeysRequest::default()
    };
    let page = call.keys().list_api_keys(workspace.request(call, message)).await?.into_inner();
    Ok(page.api_keys.into_iter().next().map_or_else(|| or_none(String::new()), |key| key.key_id))
}
