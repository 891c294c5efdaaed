//! A verdict as Envoy takes it. The client is told the class of a denial; which one it was is in the log, the
//! trace and the metrics.

use std::collections::BTreeMap;

use api::envoy::service::auth::v3::check_response::HttpResponse;
use api::envoy::service::auth::v3::{CheckResponse, OkHttpResponse};
use api::google::rpc;
use api::v1::owner::Principal;
use api::v1::{Decision, Denial, Environment, ErrorReason, VerifiedKey, VerifyKeyResponse};
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::super::status::{Refusal, beside_http};
use super::problem;
use super::question::Question;
use crate::config::ExtAuthz;

/// The answer that a verdict comes to.
///
/// # Errors
/// It is none.
pub(super) fn of(
    verdict: &VerifyKeyResponse,
    question: &Question<'_>,
    settings: &ExtAuthz,
    request_id: Option<&str>,
) -> Result<CheckResponse, Refusal> {
    match (verdict.decision(), &verdict.key) {
        (Decision::Accepted, Some(key)) => Ok(allowed(key, settings)),
        (Decision::Denied, key) => {
            let key_id = key.as_ref().map_or("", |key| key.key_id.as_str());
            let denial = verdict.denial().as_str_name();
            tracing::Span::current().record("denial", denial);
            tracing::info!(denial, key_id, request_id, "denied");
            denied(verdict, question)
        }
        (Decision::Accepted, None) | (Decision::Unspecified, _) => Err(no_verdict()),
    }
}

fn denied(verdict: &VerifyKeyResponse, question: &Question<'_>) -> Result<CheckResponse, Refusal> {
    Ok(match verdict.denial() {
        Denial::Malformed
        | Denial::NotFound
        | Denial::Revoked
        | Denial::Disabled
        | Denial::NotYetValid
        | Denial::Expired
        | Denial::RotatedOut => problem::invalid(),
        Denial::InsufficientScope => {
            let needed = question.all_of.iter().chain(&question.any_of);
            problem::insufficient_scope(needed.copied())
        }
        Denial::WorkspaceSuspended
        | Denial::IpRequired
        | Denial::IpNotAllowed
        | Denial::OriginRequired
        | Denial::OriginNotAllowed => problem::not_allowed(),
        Denial::RateLimited => {
            let after = verdict.denial_detail.as_ref().and_then(|detail| detail.retry_after);
            let seconds = after.map_or(1, |after| after.seconds + i64::from(after.nanos > 0));
            problem::too_many(seconds.max(1).unsigned_abs())
        }
        Denial::Unspecified => return Err(no_verdict()),
    })
}

/// An answer that the verifier does not give: never a denial.
#[cold]
fn no_verdict() -> Refusal {
    tracing::error!("a verdict that is neither an acceptance of a key nor a denial");
    Refusal::new(ErrorReason::Internal, "internal error")
}

/// The key may pass: the backend is told which one it is by all six headers, whatever the client sent under
/// their names, and is not shown the credential.
fn allowed(key: &VerifiedKey, settings: &ExtAuthz) -> CheckResponse {
    let env = match key.env() {
        Environment::Live => "live",
        Environment::Test => "test",
        Environment::Unspecified => "",
    };
    let values = [
        key.key_id.clone(),
        key.workspace_id.clone(),
        key.scopes.join(" "),
        env.to_owned(),
        owner(key).to_owned(),
        key.expires_at.map(shown).unwrap_or_default(),
    ];
    let headers = settings.identity.iter().zip(values);
    let ok = OkHttpResponse {
        headers: headers.map(|(name, value)| problem::overwrite(name.as_str(), value)).collect(),
        headers_to_remove: [&settings.header, &AUTHORIZATION].map(|name| name.to_string()).into(),
    };
    CheckResponse {
        status: Some(rpc::Status { code: beside_http(200), ..rpc::Status::default() }),
        http_response: Some(HttpResponse::OkResponse(ok)),
        dynamic_metadata: Some(metadata(key, env)),
    }
}

/// Whom the key acts for: an id of visible ASCII, as the service takes no other.
fn owner(key: &VerifiedKey) -> &str {
    match key.owner.as_ref().and_then(|owner| owner.principal.as_ref()) {
        Some(Principal::UserId(id) | Principal::ServiceAccountId(id)) => id,
        None => "",
    }
}

/// RFC 3339 in UTC with as many groups of three digits as there are (as JSON has it).
fn shown(moment: prost_types::Timestamp) -> String {
    let Ok(at) = Timestamp::new(moment.seconds, moment.nanos) else {
        return String::new();
    };
    let form = match moment.nanos {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        nanos if nanos % 1_000_000 == 0 => "%Y-%m-%dT%H:%M:%S.%3fZ",
        _ => "%Y-%m-%dT%H:%M:%S.%6fZ",
    };
    at.strftime(form).to_string()
}

/// For the access log and the filters behind.
fn metadata(key: &VerifiedKey, env: &str) -> Struct {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let scopes = ListValue { values: key.scopes.iter().map(|scope| text(scope)).collect() };
    let fields = [
        ("key_id", text(&key.key_id)),
        ("workspace_id", text(&key.workspace_id)),
        ("env", text(env)),
        ("scopes", Value { kind: Some(Kind::ListValue(scopes)) }),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Struct { fields: fields.collect::<BTreeMap<_, _>>() }
}
