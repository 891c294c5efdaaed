//! The organization's paths in OpenAPI.

use http::Method;
use serde_json::{Map, Value, json};

use super::create::Asked;
use super::envelope::Refused;
use super::keys::{Changes, Nothing, Page};
use super::shown::Shown;
use crate::openapi::compatible::{
    COMMON, Document, Operation, body, content, headers_of, idempotency_key, parameter, response,
};

const KEYS: &str = "/v1/api-keys";
const KEY: &str = "/v1/api-keys/{id}";
const ROTATE: &str = "/v1/api-keys/{id}/rotate";

/// Of a key in an answer; what is not set is left out.
const SHOWN: &str = r#"{"createdAt": "2026-03-21T09:30:00.12Z", "createdBy": "user-1", "description": "for builds",
    "expiresAt": "2030-01-31T12:00:00Z", "id": "key_...", "keyPrefix": "kwk_live_...", "name": "ci",
    "organizationId": "ws_...", "scope": "read", "userId": "user-1"}"#;

struct Row {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    text: &'static str,
    body: Value,
    /// What is answered: in words, the schema of `data`, and an example of it.
    success: (&'static str, Value, String),
}

/// All of them.
pub(crate) fn documented(document: &mut Document) {
    document.tag(
        "Organization",
        "Keys of the organization that the token is for. Answers are `code`, `data`, `message`, `requestId`; \
         refusals the same without `data`.",
    );
    document.scheme(
        "bearer",
        json!({"type": "http", "scheme": "bearer", "description": "Organization: JWT of a user, or a \
            service credential that is bound to the organization."}),
    );
    for row in changes(document).into_iter().chain(reads(document)) {
        let Row { method, path, id, summary, text, body, success } = row;
        let parameters = parameters(&method, path);
        let responses = responses(document, success);
        let security: &[&[&str]] = &[&["bearer"]];
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

fn changes(document: &mut Document) -> [Row; 4] {
    let (shown, nothing) = (document.schema::<Shown>(), document.schema::<Nothing>());
    let secret = SHOWN.replacen("\"keyPrefix\"", "\"key\": \"kwk_live_...\", \"keyPrefix\"", 1);
    let name = r#"{"name": "ci", "description": "for builds", "scope": "read"}"#;
    [
        Row {
            method: Method::POST,
            path: KEYS,
            id: "organizationCreateApiKey",
            summary: "Create a new API key for the current organization",
            text: "Makes a key of the user who calls, or of the service account that is named. `key` is its whole \
                   text and shown once.",
            body: body(true, &document.schema::<Asked>(), name),
            success: ("The key.", shown.clone(), secret.clone()),
        },
        Row {
            method: Method::PATCH,
            path: KEY,
            id: "organizationUpdateApiKey",
            summary: "Change an API key",
            text: "Changes the members that are there; at least one.",
            body: body(
                true,
                &document.schema::<Changes>(),
                r#"{"name": "ci", "scope": "read-write"}"#,
            ),
            success: ("The key as it is now.", shown.clone(), SHOWN.to_owned()),
        },
        Row {
            method: Method::DELETE,
            path: KEY,
            id: "organizationRevokeApiKey",
            summary: "Revoke an API key",
            text: "Ends a key for good: when this is answered, nobody accepts it any more.",
            body: Value::Null,
            success: ("The key, with `revokedAt`.", shown.clone(), SHOWN.to_owned()),
        },
        Row {
            method: Method::POST,
            path: ROTATE,
            id: "organizationRotateApiKey",
            summary: "Rotate an API key",
            text: "Gives a key another text, which is shown once; the one before is good for another day.",
            body: body(false, &nothing, "{}"),
            success: ("The key with its new text.", shown, secret),
        },
    ]
}

fn reads(document: &mut Document) -> [Row; 2] {
    let list = format!("{{\"apiKeys\": [{SHOWN}], \"nextPageToken\": \"...\"}}");
    [
        Row {
            method: Method::GET,
            path: KEYS,
            id: "organizationListApiKeys",
            summary: "List the API keys of the current organization",
            text: "A page of keys, newest first, revoked ones among them.",
            body: Value::Null,
            success: ("A page of keys.", document.schema::<Page>(), list),
        },
        Row {
            method: Method::GET,
            path: KEY,
            id: "organizationGetApiKey",
            summary: "Get an API key",
            text: "One key, without its text.",
            body: Value::Null,
            success: ("The key.", document.schema::<Shown>(), SHOWN.to_owned()),
        },
    ]
}

fn parameters(method: &Method, path: &str) -> Vec<Value> {
    let mut parameters = Vec::new();
    if path != KEYS {
        parameters.push(parameter(
            "path",
            "id",
            true,
            json!({"type": "string"}),
            "`id` of the key.",
        ));
    }
    if *method != Method::GET {
        parameters.push(idempotency_key());
    } else if path == KEYS {
        let size = json!({"type": "integer", "format": "int32", "minimum": 0});
        parameters.push(parameter(
            "query",
            "pageSize",
            false,
            size,
            "Keys of a page; more than 100 are lowered.",
        ));
        let text = "`nextPageToken` of the page before.";
        parameters.push(parameter("query", "pageToken", false, json!({"type": "string"}), text));
    }
    parameters
}

fn responses(
    document: &mut Document,
    (text, data, shown): (&str, Value, String),
) -> Map<String, Value> {
    let schema = json!({
        "type": "object",
        "required": ["code", "data", "message", "requestId"],
        "properties": {
            "code": {"type": "integer", "enum": [200]},
            "data": data,
            "message": {"type": "string", "enum": ["success"]},
            "requestId": {"type": "string", "description": "The header `x-request-id`."},
        },
        "additionalProperties": false,
    });
    let example = format!(
        r#"{{"code": 200, "data": {shown}, "message": "success", "requestId": "abc-123"}}"#
    );
    let mut responses = Map::new();
    responses.insert("200".to_owned(), response(text, content(&schema, &example), &[]));
    let refused = document.schema::<Refused>();
    let own = [
        (400, "A member, the query or a header breaks its rule, which `message` says."),
        (401, "The token is missing or not valid."),
        (403, "The caller may not, or the token is not for one organization."),
        (404, "There is no such key."),
        (409, "Others change the same, or the idempotency key was used for another request."),
    ];
    for (status, text) in own.into_iter().chain(COMMON) {
        let message = if status == 400 { "name is required" } else { text.trim_end_matches('.') };
        let example =
            json!({"code": status, "message": message, "requestId": "abc-123"}).to_string();
        let response = response(text, content(&refused, &example), headers_of(status));
        responses.insert(status.to_string(), response);
    }
    responses
}
