//! SlaunchX's paths in OpenAPI. Its bodies are read and written member by member, so that each error can be
//! said in five languages; these structs say what they are.

use http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::openapi::compatible::{
    COMMON, Document, Operation, body, content, headers_of, idempotency_key, parameter, response,
};

const KEYS: &str = "/web/v1/workspaces/{workspaceId}/api-keys";

/// A new key.
#[derive(ToSchema)]
#[schema(as = SlaunchXCreateApiKey, rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Asked {
    /// Display name, 1 to 128 characters, not only blanks.
    #[schema(min_length = 1, max_length = 128, pattern = "\\S")]
    name: String,
    /// Codes of what the key may do. None if it is empty: zero access.
    scopes: Option<Vec<String>>,
    /// `1`: LIVE, which it is if nothing is said. `2`: TEST, from the partner portal only.
    #[schema(minimum = 1, maximum = 2)]
    mode: Option<i32>,
    /// Addresses and networks that the key may be used from; from all if it is empty.
    ip_whitelist: Option<Vec<String>>,
}

/// A key.
#[derive(ToSchema)]
#[schema(as = SlaunchXApiKey, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Key {
    api_key_id: String,
    /// The whole key; only when it is made.
    #[schema(nullable = false)]
    secret: Option<String>,
    name: String,
    /// ACTIVE, DISABLED, REVOKED, EXPIRED or NOT_YET_VALID.
    #[schema(pattern = "^(ACTIVE|DISABLED|REVOKED|EXPIRED|NOT_YET_VALID)$")]
    status: String,
    /// LIVE or TEST.
    #[schema(pattern = "^(LIVE|TEST)$")]
    mode: String,
    scopes: Vec<String>,
    ip_whitelist: Vec<String>,
    /// In whole seconds, UTC.
    #[schema(format = "date-time")]
    created_at: String,
}

/// A page of keys.
#[derive(ToSchema)]
#[schema(as = SlaunchXApiKeys, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Keys {
    api_keys: Vec<Key>,
    /// Asks for the next page; not there on the last.
    #[schema(nullable = false)]
    next_page_token: Option<String>,
}

/// A refusal.
#[derive(ToSchema)]
#[schema(as = SlaunchXError)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Refused {
    /// Always false.
    success: bool,
    /// The HTTP status and a 0.
    #[schema(pattern = "^[45][0-9]{2}0$")]
    code: String,
    /// In the language that `Accept-Language` asks for: en, zh, zh-Hant, ja, vi.
    message: String,
}

/// Of a key in an answer.
const SHOWN: &str = r#"{"apiKeyId": "key_...", "name": "Production Key", "status": "ACTIVE", "mode": "LIVE",
    "scopes": ["payment:read", "payment:write"], "ipWhitelist": ["192.168.1.0/24"],
    "createdAt": "2026-03-21T00:00:00Z"}"#;

struct Row {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    text: &'static str,
    body: Value,
    success: (u16, &'static str, Value, String),
}

/// All of them.
pub(crate) fn documented(document: &mut Document) {
    document.tag(
        "SlaunchX",
        "Keys of a workspace, for its owner. Success and refusal are told by `success`, then by the HTTP status. \
         Refusals are said in the language that `Accept-Language` asks for.",
    );
    document.scheme(
        "slaunchx",
        json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "SlaunchX: JWT of an owner of the workspace, or its token."}),
    );
    for row in rows(document) {
        let Row { method, path, id, summary, text, body, success } = row;
        let parameters = parameters(&method, path);
        let responses = responses(document, success);
        let security: &[&[&str]] = &[&["slaunchx"]];
        document.add(Operation {
            method,
            path,
            id,
            summary,
            text,
            security,
            parameters,
            body,
            responses,
        });
    }
}

fn rows(document: &mut Document) -> Vec<Row> {
    let asked = document.schema::<Asked>();
    let (key, keys) = (document.schema::<Key>(), document.schema::<Keys>());
    let secret = SHOWN.replacen("\"name\"", "\"secret\": \"kwk_live_...\", \"name\"", 1);
    let list = format!("{{\"apiKeys\": [{SHOWN}], \"nextPageToken\": \"...\"}}");
    let create = r#"{"name": "Production Key", "scopes": ["payment:read", "payment:write"], "mode": 1,
        "ipWhitelist": ["192.168.1.0/24"]}"#;
    let nothing =
        body(false, &json!({"type": ["object", "null"], "additionalProperties": false}), "{}");
    let one = |text| (200, text, key.clone(), SHOWN.to_owned());
    let change = |path, id, summary, text, success| Row {
        method: Method::POST,
        path,
        id,
        summary,
        text,
        body: nothing.clone(),
        success,
    };
    vec![
        Row {
            method: Method::POST,
            path: KEYS,
            id: "slaunchxCreateApiKey",
            summary: "Create API Key",
            text: "Makes a key. `secret` is shown once: store it now. Without scopes the key has zero access.",
            body: body(true, &asked, create),
            success: (201, "Created.", key.clone(), secret),
        },
        Row {
            method: Method::GET,
            path: KEYS,
            id: "slaunchxListApiKeys",
            summary: "List API Keys",
            text: "A page of keys, newest first, dead ones among them; deleted ones are not shown.",
            body: Value::Null,
            success: (200, "A page of keys.", keys, list),
        },
        Row {
            method: Method::GET,
            path: "/web/v1/workspaces/{workspaceId}/api-keys/{keyId}",
            id: "slaunchxGetApiKey",
            summary: "Get API Key",
            text: "One key, without its secret.",
            body: Value::Null,
            success: one("The key."),
        },
        change(
            "/web/v1/workspaces/{workspaceId}/api-keys/{keyId}/disable",
            "slaunchxDisableApiKey",
            "Disable API Key",
            "Switches a key off: when this is answered, nobody accepts it any more.",
            one("The key, DISABLED."),
        ),
        change(
            "/web/v1/workspaces/{workspaceId}/api-keys/{keyId}/enable",
            "slaunchxEnableApiKey",
            "Enable API Key",
            "Switches a disabled key on again.",
            one("The key, ACTIVE."),
        ),
        change(
            "/web/v1/workspaces/{workspaceId}/api-keys/{keyId}/delete",
            "slaunchxDeleteApiKey",
            "Delete API Key",
            "Deletes a key: nobody accepts it any more, and it is no longer listed.",
            (204, "Deleted.", Value::Null, String::new()),
        ),
    ]
}

fn parameters(method: &Method, path: &str) -> Vec<Value> {
    let text = || json!({"type": "string"});
    let mut parameters =
        vec![parameter("path", "workspaceId", true, text(), "Id of the workspace, `ws_...`.")];
    if path.contains("{keyId}") {
        parameters.push(parameter("path", "keyId", true, text(), "`apiKeyId` of the key."));
    }
    let hash = json!({"type": "string", "pattern": "^[!-~]{1,256}$", "example": "3f2a9c"});
    let language = json!({"type": "string", "example": "en"});
    parameters.push(parameter(
        "header",
        "X-Workspace-Id",
        true,
        text(),
        "The workspace of the path.",
    ));
    parameters.push(parameter(
        "header",
        "X-Client-Hash",
        true,
        hash,
        "Fingerprint of the client's device.",
    ));
    parameters.push(parameter(
        "header",
        "Accept-Language",
        false,
        language,
        "Language of refusals: en, zh, zh-Hant, ja or vi; en if none of them is asked for.",
    ));
    if *method == Method::POST && path == KEYS {
        parameters.push(idempotency_key());
    } else if path == KEYS {
        let size = json!({"type": "integer", "minimum": 0, "maximum": 65_535});
        parameters.push(parameter(
            "query",
            "pageSize",
            false,
            size,
            "Keys of a page; more than 100 are lowered.",
        ));
        parameters.push(parameter(
            "query",
            "pageToken",
            false,
            text(),
            "`nextPageToken` of the page before.",
        ));
    }
    parameters
}

fn responses(
    document: &mut Document,
    (status, text, data, shown): (u16, &str, Value, String),
) -> Map<String, Value> {
    let schema = json!({
        "type": "object",
        "required": ["version", "timestamp", "success", "code", "message", "data"],
        "properties": {
            "version": {"type": "string"},
            "timestamp": {"type": "integer", "description": "When it was answered, in milliseconds since 1970."},
            "success": {"type": "boolean", "enum": [true]},
            "code": {"type": "string", "enum": ["2000"]},
            "message": {"type": "string", "enum": ["SUCCESS"]},
            "data": data,
        },
        "additionalProperties": false,
    });
    let example = format!(
        r#"{{"version": "1.3.0", "timestamp": 1709337600000, "success": true, "code": "2000",
            "message": "SUCCESS", "data": {shown}}}"#
    );
    let language = [("Content-Language", "The language of what people read.")];
    let body = if data.is_null() { Value::Null } else { content(&schema, &example) };
    let mut responses = Map::new();
    responses.insert(status.to_string(), response(text, body, &language));
    let refused = document.schema::<Refused>();
    let own = [
        (400, "A header, the path or a member breaks its rule.", "name is required"),
        (401, "The token is missing or not valid.", "Invalid or expired token"),
        (
            403,
            "The caller does not own the workspace, if it is there at all.",
            "Only workspace owner can manage API keys",
        ),
        (404, "There is no such key.", "API key not found"),
        (406, "`Accept` excludes JSON.", "Accept must include application/json"),
        (
            409,
            "Others change the same, or the idempotency key was used for another request.",
            "Conflict",
        ),
    ];
    let common = COMMON.map(|(status, text)| (status, text, text.trim_end_matches('.')));
    for (status, text, message) in own.into_iter().chain(common) {
        let code = format!("{status}0");
        let example = json!({"success": false, "code": code, "message": message}).to_string();
        let headers: Vec<_> = headers_of(status).iter().copied().chain(language).collect();
        let response = response(text, content(&refused, &example), &headers);
        responses.insert(status.to_string(), response);
    }
    responses
}
