//! Verdicts as HTTP has them. The client is told the class of a denial; which one it was is logged.

use api::v1::owner::Principal;
use api::v1::{Decision, Denial, Environment, RequiredScopes, VerifiedKey, VerifyKeyResponse};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::original::Original;
use crate::call::Head;
use crate::json::{quote, write_timestamp};
use crate::problem;
use crate::refusal::Refusal;
use crate::reply::{PROBLEM, Reply, reply};

/// What an allow always has, so that a forged one is overwritten.
static KEY_ID: HeaderName = HeaderName::from_static("x-key-id");
static WORKSPACE_ID: HeaderName = HeaderName::from_static("x-workspace-id");
static SCOPES: HeaderName = HeaderName::from_static("x-key-scopes");
static ENV: HeaderName = HeaderName::from_static("x-key-env");
static OWNER: HeaderName = HeaderName::from_static("x-key-owner");
static EXPIRES: HeaderName = HeaderName::from_static("x-key-expires");
/// Whether there was a verdict at all.
static VERDICT: HeaderName = HeaderName::from_static("x-keyward-verdict");

const NONE: &str = "Bearer realm=\"keyward\"";
const INVALID: &str = "Bearer realm=\"keyward\", error=\"invalid_token\"";

/// A verdict.
pub(super) fn of(head: &Head, verdict: &VerifyKeyResponse, scopes: &RequiredScopes) -> Reply {
    match (verdict.decision(), &verdict.key) {
        (Decision::Accepted, Some(key)) => allowed(key),
        (Decision::Accepted, None) => {
            tracing::error!("a key was accepted that is not named");
            undecided(head)
        }
        (Decision::Denied, key) => {
            let key_id = key.as_ref().map_or("", |key| key.key_id.as_str());
            let original = Original::of(&head.headers);
            tracing::info!(
                original.method = original.method,
                original.host = original.host,
                original.path = original.path,
                denial = verdict.denial().as_str_name(),
                key_id,
                request_id = ?head.request_id,
                "denied"
            );
            denied(head, verdict, scopes)
        }
        (Decision::Unspecified, _) => undecided(head),
    }
}

fn allowed(key: &VerifiedKey) -> Reply {
    let env = match key.env() {
        Environment::Live => "live",
        Environment::Test => "test",
        Environment::Unspecified => "",
    };
    let mut expires = String::new();
    if let Some(end) = &key.expires_at {
        write_timestamp(end.seconds, end.nanos, &mut expires);
    }
    passing([
        (&KEY_ID, key.key_id.as_str()),
        (&WORKSPACE_ID, &key.workspace_id),
        (&SCOPES, &key.scopes.join(" ")),
        (&ENV, env),
        (&OWNER, owner(key)),
        (&EXPIRES, &expires),
        (&VERDICT, "accepted"),
    ])
}

/// Let through without a verdict, as the operator wants it: by nobody who is known, and saying so.
pub(super) fn unverified() -> Reply {
    let none = [&KEY_ID, &WORKSPACE_ID, &SCOPES, &ENV, &OWNER, &EXPIRES].map(|name| (name, ""));
    let [key_id, workspace_id, scopes, env, owner, expires] = none;
    passing([key_id, workspace_id, scopes, env, owner, expires, (&VERDICT, "none")])
}

fn passing(told: [(&HeaderName, &str); 7]) -> Reply {
    let mut reply = reply(StatusCode::OK, PROBLEM, "");
    let headers = reply.headers_mut();
    headers.clear();
    for (name, value) in told {
        put(headers, name, value);
    }
    reply
}

/// Whom the key acts for: an id of visible ASCII, as the service takes no other.
fn owner(key: &VerifiedKey) -> &str {
    match key.owner.as_ref().and_then(|owner| owner.principal.as_ref()) {
        Some(Principal::UserId(id) | Principal::ServiceAccountId(id)) => id,
        None => "",
    }
}

fn put(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
    headers.insert(name, value);
}

fn denied(head: &Head, verdict: &VerifyKeyResponse, scopes: &RequiredScopes) -> Reply {
    match verdict.denial() {
        Denial::Malformed
        | Denial::NotFound
        | Denial::Revoked
        | Denial::Disabled
        | Denial::NotYetValid
        | Denial::Expired
        | Denial::RotatedOut => {
            unauthorized("invalid-credential", "The API key is not valid.", INVALID)
        }
        Denial::InsufficientScope => {
            let mut reply = class(
                StatusCode::FORBIDDEN,
                "insufficient-scope",
                "The API key does not have the scope that this needs.",
            );
            let needed = scopes.all_of.iter().chain(&scopes.any_of).map(String::as_str);
            let needed = needed.collect::<Vec<_>>().join(" ");
            let how = format!(
                "Bearer realm=\"keyward\", error=\"insufficient_scope\", scope=\"{needed}\""
            );
            put(reply.headers_mut(), &WWW_AUTHENTICATE, &how);
            reply
        }
        Denial::WorkspaceSuspended
        | Denial::IpRequired
        | Denial::IpNotAllowed
        | Denial::OriginRequired
        | Denial::OriginNotAllowed => {
            class(StatusCode::FORBIDDEN, "not-allowed", "The API key may not be used here.")
        }
        Denial::RateLimited => {
            let after = verdict.denial_detail.as_ref().and_then(|detail| detail.retry_after);
            let seconds = after.map_or(1, |after| after.seconds + i64::from(after.nanos > 0));
            too_many(seconds)
        }
        Denial::Unspecified => undecided(head),
    }
}

/// Nothing was presented, or two that differ.
pub(super) fn no_credential() -> Reply {
    unauthorized("no-credential", "An API key is needed.", NONE)
}

/// There is no verdict, for a reason that the log has.
pub(super) fn undecided(head: &Head) -> Reply {
    problem::envelope(&Refusal::no_verdict(), head)
}

/// What a call that failed comes to: never a denial, but where the client itself asks too much.
pub(super) fn of_failure(head: &Head, refusal: &Refusal) -> Reply {
    if refusal.reason() == api::v1::ErrorReason::GuessesExhausted.as_reason() {
        let after = refusal.retry_after().map_or(1, |after| after.as_secs().max(1));
        return too_many(i64::try_from(after).unwrap_or(1));
    }
    if refusal.is_outage() {
        return problem::envelope(&Refusal::unreachable(), head);
    }
    undecided(head)
}

fn unauthorized(name: &str, detail: &str, how: &'static str) -> Reply {
    let mut reply = class(StatusCode::UNAUTHORIZED, name, detail);
    reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(how));
    reply
}

fn too_many(seconds: i64) -> Reply {
    let mut reply = class(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests.");
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    reply
}

/// A problem whose type names the class of the denial, and nothing of the key.
fn class(status: StatusCode, name: &str, detail: &str) -> Reply {
    let mut body = format!("{{\"type\":\"urn:keyward:{name}\",\"title\":");
    quote(status.canonical_reason().unwrap_or("Error"), &mut body);
    body.push_str(",\"status\":");
    body.push_str(status.as_str());
    body.push_str(",\"detail\":");
    quote(detail, &mut body);
    body.push('}');
    reply(status, PROBLEM, body)
}
