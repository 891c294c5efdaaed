//! `/v1/api-keys` and `/v1/api-keys/{id}`: what is done with keys that there are.

use api::v1::{
    ApiKey, GetApiKeyRequest, ListApiKeysRequest, RevocationReason, RevokeApiKeyRequest,
    RotateApiKeyRequest, UpdateApiKeyRequest,
};
use percent_encoding::percent_decode_str;
use prost_types::FieldMask;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::create::{moment, scope};
use super::credentials::request;
use super::envelope::{body, request_id, told};
use super::shown::Shown;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::surface::Answering;

/// Answers a page of keys, revoked ones among them, newest first.
pub(super) fn list(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, listed(&call).await) })
}

/// Answers one key.
pub(super) fn get(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, one(&call).await) })
}

/// Changes the members that are there.
pub(super) fn update(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, updated(&call).await) })
}

/// Revokes a key, for good.
pub(super) fn revoke(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, revoked(&call).await) })
}

/// Gives a key another secret; the one before is good for the usual grace.
pub(super) fn rotate(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, rotated(&call).await) })
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrganizationApiKeys)]
pub(super) struct Page {
    api_keys: Vec<Shown>,
    #[serde(skip_serializing_if = "String::is_empty")]
    next_page_token: String,
}

async fn listed(call: &Call) -> Result<Page, Refusal> {
    let mut message = ListApiKeysRequest { show_dead: true, ..ListApiKeysRequest::default() };
    let query = call.head.uri.query().unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| Refusal::malformed("the query must be UTF-8"))?;
        match name {
            "pageSize" => message.page_size = size(&value)?,
            "pageToken" => message.page_token = value.into_owned(),
            _ => return Err(Refusal::malformed("the query takes pageSize and pageToken")),
        }
    }
    let page = call.keys().list_api_keys(request(call, message)).await?.into_inner();
    let keys = page.api_keys.into_iter().map(|key| Shown::new(key, String::new()));
    Ok(Page { api_keys: keys.collect(), next_page_token: page.next_page_token })
}

fn size(text: &str) -> Result<i32, Refusal> {
    text.parse().map_err(|_| Refusal::field("pageSize", "must be a whole number"))
}

async fn one(call: &Call) -> Result<Shown, Refusal> {
    let message = GetApiKeyRequest { key_id: id(call), ..GetApiKeyRequest::default() };
    shown(
        call.keys().get_api_key(request(call, message)).await?.into_inner().api_key,
        String::new(),
    )
}

/// What is to change; at least one member.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OrganizationUpdateApiKey)]
pub(super) struct Changes {
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// RFC 3339, ahead.
    #[schema(format = "date-time")]
    expires_at: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    /// `read` or `read-write`.
    #[schema(pattern = "^(read|read-write)$")]
    scope: Option<String>,
}

async fn updated(call: &Call) -> Result<Shown, Refusal> {
    let changes: Changes = body(call)?;
    let (mut key, mut paths) = (ApiKey::default(), Vec::new());
    if let Some(description) = changes.description {
        key.description = description;
        paths.push("description".to_owned());
    }
    if let Some(at) = changes.expires_at {
        key.expires_at = Some(moment(&at)?);
        paths.push("expires_at".to_owned());
    }
    if let Some(name) = changes.name {
        key.name = name;
        paths.push("name".to_owned());
    }
    if let Some(named) = changes.scope {
        key.scopes = vec![scope(Some(&named))?.to_owned()];
        paths.push("scopes".to_owned());
    }
    if paths.is_empty() {
        return Err(Refusal::malformed("the body must have a member to change"));
    }
    let message = UpdateApiKeyRequest {
        key_id: id(call),
        api_key: Some(key),
        update_mask: Some(FieldMask { paths }),
        request_id: request_id(&call.head)?,
        ..UpdateApiKeyRequest::default()
    };
    let answer = call.keys().update_api_key(request(call, message)).await?.into_inner();
    shown(answer.api_key, String::new())
}

async fn revoked(call: &Call) -> Result<Shown, Refusal> {
    let message = RevokeApiKeyRequest {
        key_id: id(call),
        reason: RevocationReason::Other.into(),
        reason_text: "deleted by its owner".to_owned(),
        request_id: request_id(&call.head)?,
        ..RevokeApiKeyRequest::default()
    };
    let answer = call.keys().revoke_api_key(request(call, message)).await?.into_inner();
    shown(answer.api_key, String::new())
}

/// Nothing.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationNothing)]
pub(super) struct Nothing {}

async fn rotated(call: &Call) -> Result<Shown, Refusal> {
    let Nothing {} = body(call)?;
    let message = RotateApiKeyRequest {
        key_id: id(call),
        request_id: request_id(&call.head)?,
        ..RotateApiKeyRequest::default()
    };
    let answer = call.keys().rotate_api_key(request(call, message)).await?.into_inner();
    shown(answer.api_key, answer.secret)
}

fn id(call: &Call) -> String {
    call.variables.first().cloned().unwrap_or_default()
}

fn shown(key: Option<ApiKey>, secret: String) -> Result<Shown, Refusal> {
    key.map(|key| Shown::new(key, secret)).ok_or_else(Refusal::internal)
}
