//! A refusal as Google's APIs have it (AIP-193), details and all.

use std::sync::LazyLock;

use http::StatusCode;
use prost_reflect::DescriptorPool;

use crate::call::Head;
use crate::json::{self, Schema, quote};
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply, with_headers};

/// Has the details of errors, whatever surface shows them.
static SCHEMA: LazyLock<Option<Schema>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).ok()?;
    Schema::new(&pool).ok()
});

/// A refusal in the envelope of the canonical surface.
pub(crate) fn envelope(refusal: &Refusal, _: &Head) -> Reply {
    with_headers(reply(refusal.http(), JSON, body(refusal)), refusal)
}

/// `{"error":{...}}`
pub(super) fn body(refusal: &Refusal) -> String {
    let mut text = String::with_capacity(384);
    text.push_str("{\"error\":{\"code\":");
    text.push_str(status(refusal).as_str());
    text.push_str(",\"message\":");
    quote(refusal.message(), &mut text);
    text.push_str(",\"status\":\"");
    text.push_str(refusal.status());
    text.push('"');
    if let Some(schema) = &*SCHEMA {
        details(schema, refusal, &mut text);
    }
    text.push_str("}}");
    text
}

fn status(refusal: &Refusal) -> StatusCode {
    refusal.http()
}

/// The details that can be shown; of a type that is not known here, nothing is said.
fn details(schema: &Schema, refusal: &Refusal, text: &mut String) {
    let begun = text.len();
    text.push_str(",\"details\":[");
    let open = text.len();
    for detail in refusal.details() {
        let before = text.len();
        if before > open {
            text.push(',');
        }
        if json::write_any(schema, &detail.type_url, &detail.value, text).is_err() {
            text.truncate(before);
        }
    }
    if text.len() == open {
        text.truncate(begun);
    } else {
        text.push(']');
    }
}
