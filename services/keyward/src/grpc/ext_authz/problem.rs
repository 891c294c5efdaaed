//! Denials in HTTP: the class only, as the gateway's `/verify` has them, and nothing of the key.

use api::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use api::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use api::envoy::service::auth::v3::check_response::HttpResponse;
use api::envoy::service::auth::v3::{CheckResponse, DeniedHttpResponse};
use api::envoy::r#type::v3::{HttpStatus, StatusCode};
use api::google::rpc;
use tonic::Status;
use tonic_types::StatusExt;

use super::super::status::{Refusal, beside_http};

/// What goes before every challenge (RFC 9110, 11.6.1).
const REALM: &str = "Bearer realm=\"keyward\"";

/// Nothing was presented, or two that differ.
pub(super) fn no_credential() -> CheckResponse {
    let challenge = Some(("www-authenticate", REALM.to_owned()));
    denied(StatusCode::Unauthorized, "no-credential", "An API key is needed.", challenge)
}

/// The key is none, or not any more, or not yet.
pub(super) fn invalid() -> CheckResponse {
    let challenge = Some(("www-authenticate", format!("{REALM}, error=\"invalid_token\"")));
    denied(StatusCode::Unauthorized, "invalid-credential", "The API key is not valid.", challenge)
}

/// The key lacks a scope of these.
pub(super) fn insufficient_scope<'a>(needed: impl Iterator<Item = &'a str>) -> CheckResponse {
    let needed: Vec<_> = needed.collect();
    let needed = needed.join(" ");
    let challenge = format!("{REALM}, error=\"insufficient_scope\", scope=\"{needed}\"");
    denied(
        StatusCode::Forbidden,
        "insufficient-scope",
        "The API key does not have the scope that this needs.",
        Some(("www-authenticate", challenge)),
    )
}

/// The key is good, and not for here.
pub(super) fn not_allowed() -> CheckResponse {
    denied(StatusCode::Forbidden, "not-allowed", "The API key may not be used here.", None)
}

/// Too much was asked: again after so many seconds.
pub(super) fn too_many(seconds: u64) -> CheckResponse {
    let after = Some(("retry-after", seconds.max(1).to_string()));
    denied(StatusCode::TooManyRequests, "rate-limited", "Too many requests.", after)
}

/// Too many keys were asked for that there are not.
pub(super) fn too_many_guesses(refusal: Refusal) -> CheckResponse {
    let details = Status::from(refusal).get_details_retry_info();
    let after = details.and_then(|details| details.retry_delay);
    too_many(after.map_or(1, |after| after.as_secs() + u64::from(after.subsec_nanos() > 0)))
}

fn denied(
    code: StatusCode,
    class: &str,
    detail: &str,
    header: Option<(&'static str, String)>,
) -> CheckResponse {
    let number = code as u16;
    let status = http::StatusCode::from_u16(number).unwrap_or(http::StatusCode::FORBIDDEN);
    let title = status.canonical_reason().unwrap_or("Error");
    let body = format!(
        "{{\"type\":\"urn:keyward:{class}\",\"title\":\"{title}\",\"status\":{number},\"detail\":\"{detail}\"}}"
    );
    let fixed = [("content-type", "application/problem+json"), ("cache-control", "no-store")];
    let fixed = fixed.map(|(name, value)| overwrite(name, value.to_owned()));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: code.into() }),
        headers: fixed
            .into_iter()
            .chain(header.map(|(name, value)| overwrite(name, value)))
            .collect(),
        body,
    };
    CheckResponse {
        status: Some(rpc::Status { code: beside_http(number), ..rpc::Status::default() }),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
        dynamic_metadata: None,
    }
}

/// A header in place of all of its name, even if it is empty.
pub(super) fn overwrite(name: &str, value: String) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: true,
    }
}
