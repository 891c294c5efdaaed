//! Requests that the page begins with: the least that does something, ready to be sent once the path is
//! filled in.

use serde_json::{Value, json};

/// Bodies by RPC, as JSON. All others begin as `{}`.
const BODIES: [(&str, &str); 14] = [
    ("CreateApiKey", r#"{"name": "my first key", "scopes": ["read"]}"#),
    ("UpdateApiKey", r#"{"apiKey": {"name": "another name"}, "updateMask": "name"}"#),
    ("RevokeApiKey", r#"{"reason": "REVOCATION_REASON_UNUSED"}"#),
    (
        "RevokeApiKeys",
        r#"{"namePrefix": "test-", "reason": "REVOCATION_REASON_UNUSED", "dryRun": true}"#,
    ),
    (
        "ImportApiKeys",
        r#"{"items": [{"raw": "a-key-of-another-system", "apiKey": {"name": "imported"}}]}"#,
    ),
    (
        "VerifyKey",
        r#"{"key": "kwk_live_...", "clientIp": "192.0.2.1", "requiredScopes": {"allOf": ["read"]}}"#,
    ),
    ("BatchVerifyKeys", r#"{"requests": [{"key": "kwk_live_..."}, {"key": "kwk_test_..."}]}"#),
    ("VerifyAt", r#"{"atTime": "2026-01-01T00:00:00Z"}"#),
    ("UpdateConfig", r#"{"requireJwtToken": true}"#),
    ("PutConfigSecret", r#"{"secret": "sk-of-a-provider"}"#),
    ("IssueAuthToken", r#"{"name": "backend"}"#),
    ("EraseSubject", r#"{"ownerEmail": "owner@example.com", "dryRun": true}"#),
    ("CreateWorkspace", r#"{"name": "my workspace"}"#),
    ("CreateServiceCredential", r#"{"name": "my service", "permissions": ["PERMISSION_VERIFY"]}"#),
];

/// Parameters by RPC and name.
const PARAMETERS: [(&str, &str, &str); 3] = [
    ("UpdateConfig", "updateMask", "requireJwtToken"),
    ("PutConfigSecret", "field", "ai_models.openai"),
    ("DeleteConfigSecret", "field", "ai_models.openai"),
];

/// The body that an RPC begins with.
pub(super) fn body(rpc: &str) -> Value {
    let known = BODIES.iter().find(|(name, _)| *name == rpc);
    known.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_else(|| json!({}))
}

/// What a parameter begins with, if there is a use in it.
pub(super) fn parameter(rpc: &str, name: &str) -> Option<&'static str> {
    let known = PARAMETERS.iter().find(|(of, known, _)| *of == rpc && *known == name);
    known.map(|(_, _, value)| *value)
}
