//! What is answered: `{"code", "data", "message", "requestId"}`, and no `data` if it is refused.

use std::borrow::Cow;

use http::{HeaderName, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::body::must_be_json;
use crate::call::{Call, Head};
use crate::json::typed;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply, with_headers};
use crate::wording;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a, T> {
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    message: &'a str,
    request_id: &'a str,
}

/// A refusal, as it is documented.
#[derive(ToSchema)]
#[schema(as = OrganizationError, rename_all = "camelCase")]
#[expect(dead_code, reason = "an answer without data, whose schema alone is wanted")]
pub(super) struct Refused {
    /// The HTTP status.
    code: u16,
    /// For people.
    message: String,
    /// The header `x-request-id`.
    request_id: String,
}

/// A success, or not.
pub(super) fn told<T: Serialize>(head: &Head, outcome: Result<T, Refusal>) -> Reply {
    match outcome {
        Ok(data) => written(StatusCode::OK, Some(data), "success", head),
        Err(refusal) => refused(&refusal, head),
    }
}

/// A workspace token, too, says nothing of an organization.
const NO_ORGANIZATION: &str =
    "The token must be a user's, or that of a service in one organization only.";

/// A refusal.
pub(super) fn refused(refusal: &Refusal, head: &Head) -> Reply {
    let (http, message) = match (refusal.service_violation(), refusal.violation()) {
        (Some(("workspace_id", _)), _) => (StatusCode::FORBIDDEN, Cow::Borrowed(NO_ORGANIZATION)),
        (Some((path, rule)), _) => (refusal.http(), Cow::Owned(format!("{} {rule}", member(path)))),
        (None, Some((member, rule))) => (refusal.http(), Cow::Owned(format!("{member} {rule}"))),
        (None, None) if refusal.reason() == "WORKSPACE_NOT_FOUND" => {
            (StatusCode::FORBIDDEN, Cow::Borrowed("Forbidden."))
        }
        (None, None) => (refusal.http(), Cow::Borrowed(wording::message(refusal))),
    };
    let known = matches!(http.as_u16(), 400..=499 | 503 | 504);
    let (http, message) = match known {
        true => (http, message),
        false => (StatusCode::INTERNAL_SERVER_ERROR, Cow::Borrowed("Internal error.")),
    };
    with_headers(written::<()>(http, None, &message, head), refusal)
}

fn written<T: Serialize>(http: StatusCode, data: Option<T>, message: &str, head: &Head) -> Reply {
    let request_id = head.request_id.to_str().unwrap_or_default();
    let answer = Answer { code: http.as_u16(), data, message, request_id };
    match serde_json::to_vec(&answer) {
        Ok(body) => reply(http, JSON, body),
        Err(_) => reply(StatusCode::INTERNAL_SERVER_ERROR, JSON, "{\"code\":500}"),
    }
}

/// The service's fields as the product names them.
const MEMBERS: [(&str, &str); 10] = [
    ("expires_at", "expiresAt"),
    ("api_key.expires_at", "expiresAt"),
    ("api_key.name", "name"),
    ("api_key.description", "description"),
    ("owner.service_account_id", "serviceAccountId"),
    ("scopes[0]", "scope"),
    ("key_id", "id"),
    ("page_size", "pageSize"),
    ("page_token", "pageToken"),
    ("request_id", "Idempotency-Key"),
];

/// What the product calls the field at this path of the service.
fn member(path: &str) -> &str {
    let named = MEMBERS.iter().find(|(field, _)| *field == path);
    named.map_or(path, |(_, member)| member)
}

/// The body.
///
/// # Errors
/// It is no JSON, or not as it must be.
pub(super) fn body<T: DeserializeOwned + Default>(call: &Call) -> Result<T, Refusal> {
    must_be_json(&call.head.headers)?;
    if call.body.is_empty() {
        return Ok(T::default());
    }
    Ok(typed::read(&call.body)?)
}

/// The client's idempotency key; empty if there is none.
///
/// # Errors
/// There are two.
pub(super) fn request_id(head: &Head) -> Result<String, Refusal> {
    if !head.headers.contains_key(&IDEMPOTENCY_KEY) {
        return Ok(String::new());
    }
    let only = head.text(&IDEMPOTENCY_KEY).filter(|text| !text.is_empty());
    let broken = || Refusal::field("Idempotency-Key", "must have 16 to 255 visible characters");
    only.map(str::to_owned).ok_or_else(broken)
}
