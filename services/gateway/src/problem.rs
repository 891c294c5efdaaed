//! RFC 9457, for what belongs to no surface that has an envelope of its own.

use http::StatusCode;

use crate::call::Head;
use crate::json::quote;
use crate::refusal::Refusal;
use crate::reply::{PROBLEM, Reply, reply, with_headers};

/// A refusal as a problem.
pub(crate) fn envelope(refusal: &Refusal, _: &Head) -> Reply {
    with_headers(problem(refusal.http(), refusal.reason(), refusal.message()), refusal)
}

fn problem(status: StatusCode, reason: &str, detail: &str) -> Reply {
    let mut body = String::with_capacity(160);
    body.push_str("{\"type\":\"about:blank\",\"title\":");
    quote(status.canonical_reason().unwrap_or("Error"), &mut body);
    body.push_str(",\"status\":");
    body.push_str(status.as_str());
    body.push_str(",\"detail\":");
    quote(detail, &mut body);
    if !reason.is_empty() {
        body.push_str(",\"reason\":");
        quote(reason, &mut body);
    }
    body.push('}');
    reply(status, PROBLEM, body)
}
