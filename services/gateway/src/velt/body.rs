//! What is sent: `{"data": {...}}`.

use http::HeaderName;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::body::must_be_json;
use crate::call::Call;
use crate::json::{BadJson, typed};
use crate::refusal::Refusal;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<T> {
    data: Option<T>,
}

/// What is in `data`, if it is there.
///
/// # Errors
/// The body is no JSON, or not as it must be.
pub(super) fn data<T: DeserializeOwned>(call: &Call) -> Result<Option<T>, Refusal> {
    must_be_json(&call.head.headers)?;
    if call.body.is_empty() {
        return Ok(None);
    }
    let body = typed::read::<Option<Body<T>>>(&call.body).map_err(within_data)?;
    Ok(body.and_then(|body| body.data))
}

/// What is in `data`.
///
/// # Errors
/// As [`data`], or it is not there.
pub(super) fn needed_data<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    required("data", data(call)?)
}

/// A member that must be there.
///
/// # Errors
/// It is not.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::field(name, "is required"))
}

/// A text that must be there and not be empty.
///
/// # Errors
/// It is not, or it is.
pub(super) fn text(name: &str, value: Option<String>) -> Result<String, Refusal> {
    required(name, value.filter(|text| !text.is_empty()))
}

/// The client's idempotency key; empty if there is none.
///
/// # Errors
/// There are two, or it is too short, too long or not visible.
pub(super) fn request_id(call: &Call) -> Result<String, Refusal> {
    if !call.head.headers.contains_key(&IDEMPOTENCY_KEY) {
        return Ok(String::new());
    }
    let only = call.head.text(&IDEMPOTENCY_KEY).filter(|text| {
        (16..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let broken = || Refusal::field("Idempotency-Key", "must have 16 to 255 visible characters");
    only.map(str::to_owned).ok_or_else(broken)
}

/// Members are named as the product names them: within `data`.
fn within_data(mut bad: BadJson) -> Refusal {
    if let Some(within) = bad.path.strip_prefix("data.") {
        bad.path = within.to_owned();
    }
    bad.into()
}
