//! Successes of this product, member by member in the documented order.

use std::time::{SystemTime, UNIX_EPOCH};

use api::v1::{ApiKey, ApiKeyStatus, CreateApiKeyResponse, Environment, ListApiKeysResponse};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::json::{quote, write_timestamp};
use crate::reply::{JSON, Reply, reply};

/// Which part of a list is asked for.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) size: i32,
    pub(super) token: String,
}

/// A new key, with its secret for the only time.
pub(super) fn created(version: &str, made: &CreateApiKeyResponse) -> Option<Reply> {
    let mut shown = String::with_capacity(512);
    key(made.api_key.as_ref()?, Some(&made.secret), &mut shown)?;
    Some(success(StatusCode::CREATED, version, &shown))
}

/// A key.
pub(super) fn one(version: &str, api_key: &ApiKey) -> Option<Reply> {
    let mut shown = String::with_capacity(512);
    key(api_key, None, &mut shown)?;
    Some(success(StatusCode::OK, version, &shown))
}

/// A page of keys.
pub(super) fn page(version: &str, listed: &ListApiKeysResponse) -> Option<Reply> {
    let mut shown = "{\"apiKeys\":[".to_owned();
    for (place, api_key) in listed.api_keys.iter().enumerate() {
        if place > 0 {
            shown.push(',');
        }
        key(api_key, None, &mut shown)?;
    }
    shown.push(']');
    if !listed.next_page_token.is_empty() {
        shown.push_str(",\"nextPageToken\":");
        quote(&listed.next_page_token, &mut shown);
    }
    shown.push('}');
    Some(success(StatusCode::OK, version, &shown))
}

/// Done, and nothing to say.
pub(super) fn empty() -> Reply {
    let mut reply = reply(StatusCode::NO_CONTENT, JSON, "");
    reply.headers_mut().remove(CONTENT_TYPE);
    reply
}

fn success(status: StatusCode, version: &str, shown: &str) -> Reply {
    let mut body = String::with_capacity(shown.len() + 128);
    body.push_str("{\"version\":");
    quote(version, &mut body);
    body.push_str(",\"timestamp\":");
    body.push_str(&now_ms().to_string());
    body.push_str(",\"success\":true,\"code\":\"2000\",\"message\":\"SUCCESS\",\"data\":");
    body.push_str(shown);
    body.push('}');
    reply(status, JSON, body)
}

/// When the answer was made. Nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "a member of the answer, which no rule looks at")]
fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

fn key(key: &ApiKey, secret: Option<&str>, out: &mut String) -> Option<()> {
    out.push_str("{\"apiKeyId\":");
    quote(&key.key_id, out);
    if let Some(secret) = secret {
        out.push_str(",\"secret\":");
        quote(secret, out);
    }
    out.push_str(",\"name\":");
    quote(&key.name, out);
    out.push_str(",\"status\":\"");
    out.push_str(status(key.status())?);
    out.push_str("\",\"mode\":\"");
    out.push_str(match key.env() {
        Environment::Live => "LIVE",
        Environment::Test => "TEST",
        Environment::Unspecified => return None,
    });
    out.push_str("\",\"scopes\":");
    texts(&key.scopes, out);
    out.push_str(",\"ipWhitelist\":");
    texts(&key.ip_allowlist, out);
    out.push_str(",\"createdAt\":\"");
    // In whole seconds.
    write_timestamp(key.create_time.as_ref()?.seconds, 0, out).then_some(())?;
    out.push_str("\"}");
    Some(())
}

const fn status(status: ApiKeyStatus) -> Option<&'static str> {
    match status {
        ApiKeyStatus::Active => Some("ACTIVE"),
        ApiKeyStatus::Disabled => Some("DISABLED"),
        ApiKeyStatus::Revoked => Some("REVOKED"),
        ApiKeyStatus::Expired => Some("EXPIRED"),
        ApiKeyStatus::NotYetValid => Some("NOT_YET_VALID"),
        ApiKeyStatus::Unspecified => None,
    }
}

fn texts(texts: &[String], out: &mut String) {
    out.push('[');
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        quote(text, out);
    }
    out.push(']');
}
