//! `POST /v1/api-keys`

use api::v1::{CreateApiKeyRequest, Owner, owner::Principal};
use prost_types::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::credentials::{request, subject};
use super::envelope::{body, request_id, told};
use super::shown::Shown;
use crate::call::Call;
use crate::json::read_timestamp;
use crate::refusal::Refusal;
use crate::surface::Answering;

/// A new key: of the user who calls, or of a service account.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OrganizationCreateApiKey)]
pub(super) struct Asked {
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// RFC 3339, ahead. Never if it is not there.
    #[schema(format = "date-time")]
    expires_at: Option<String>,
    #[schema(required, nullable = false, min_length = 1, max_length = 128)]
    name: Option<String>,
    /// `read`, which it is if nothing is said, or `read-write`.
    #[schema(pattern = "^(read|read-write)$")]
    scope: Option<String>,
    /// Whose key it is, if not the caller's.
    service_account_id: Option<String>,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(&call.head, run(&call).await) })
}

async fn run(call: &Call) -> Result<Shown, Refusal> {
    let asked: Asked = body(call)?;
    let name = asked.name.filter(|name| !name.is_empty());
    let message = CreateApiKeyRequest {
        name: name.ok_or_else(|| Refusal::field("name", "is required"))?,
        description: asked.description.unwrap_or_default(),
        expires_at: asked.expires_at.as_deref().map(moment).transpose()?,
        scopes: vec![scope(asked.scope.as_deref())?.to_owned()],
        owner: owner(call, asked.service_account_id),
        request_id: request_id(&call.head)?,
        ..CreateApiKeyRequest::default()
    };
    let made = call.keys().create_api_key(request(call, message)).await?.into_inner();
    Ok(Shown::new(made.api_key.ok_or_else(Refusal::internal)?, made.secret))
}

/// The service account that is named, else the user who calls.
fn owner(call: &Call, service_account_id: Option<String>) -> Option<Owner> {
    let principal = match service_account_id {
        Some(id) => Principal::ServiceAccountId(id),
        None => Principal::UserId(subject(&call.head)?),
    };
    Some(Owner { principal: Some(principal), ..Owner::default() })
}

/// A moment as RFC 3339 has it.
pub(super) fn moment(text: &str) -> Result<Timestamp, Refusal> {
    let rule = "must be a time as RFC 3339 has it, such as 2030-01-31T12:00:00Z";
    let (seconds, nanos) = read_timestamp(text).ok_or_else(|| Refusal::field("expiresAt", rule))?;
    Ok(Timestamp { seconds, nanos })
}

/// What the key may do: to read if nothing is said.
pub(super) fn scope(named: Option<&str>) -> Result<&'static str, Refusal> {
    match named {
        None | Some("read") => Ok("read"),
        Some("read-write") => Ok("read-write"),
        Some(_) => Err(Refusal::field("scope", "must be \"read\" or \"read-write\"")),
    }
}
