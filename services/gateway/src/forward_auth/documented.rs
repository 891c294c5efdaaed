//! `/verify` in OpenAPI.

use http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::openapi::compatible::{Document, Operation, headers_of, of_kind, parameter, response};

/// RFC 9457.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Problem {
    /// The class of the denial; which one it was is logged.
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// A reason of ours, if there is no verdict.
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// What an allow always has, empty if unknown.
const ALLOWED: [(&str, &str); 7] = [
    ("x-key-id", "Id of the key."),
    ("x-workspace-id", "Its workspace."),
    ("x-key-scopes", "What it may do, with blanks between."),
    ("x-key-env", "`live` or `test`."),
    ("x-key-owner", "The user or service account that it acts for."),
    ("x-key-expires", "When it ends."),
    (
        "x-keyward-verdict",
        "`accepted`; `none` where the operator lets requests through without a verdict.",
    ),
];

/// Both.
pub(crate) fn documented(document: &mut Document) {
    document.tag(
        "Forward auth",
        "For proxies that ask before they let a request through: nginx `auth_request`, Caddy `forward_auth`, \
         Traefik, HAProxy. The key is that of the client; the gateway asks with a credential of its own.",
    );
    document.scheme(
        "presentedKey",
        json!({"type": "apiKey", "in": "header", "name": "x-api-key",
            "description": "Forward auth: the API key that is verified. `Authorization: Bearer` will do as well."}),
    );
    let header = |name, text| parameter("header", name, false, json!({"type": "string"}), text);
    let parameters = vec![header(
        "Origin",
        "Where a browser's request comes from, if the key is bound to origins.",
    )];
    let responses = responses(document);
    document.add(Operation {
        method: Method::GET,
        path: super::PATH,
        id: "verify",
        summary: "Verify the key of a request",
        text: "Any method, no body. What must hold besides is said by the path, names and values by turns, which \
               the operator writes into the proxy's configuration: `/verify/scope/payment:read/env/live`. Names \
               are `scope` (all of them), `any_scope` (one of them), `env` and `workspace`.",
        security: &[&["presentedKey"]],
        parameters,
        body: Value::Null,
        responses,
    });
}

fn responses(document: &mut Document) -> Map<String, Value> {
    let problem = document.schema::<Problem>();
    let mut responses = Map::new();
    responses.insert("200".to_owned(), response("Let it through. No body.", Value::Null, &ALLOWED));
    for (status, text, class, title, detail) in [
        (
            401,
            "No key, or one that is not good.",
            "urn:keyward:invalid-credential",
            "Unauthorized",
            "The API key is not valid.",
        ),
        (
            403,
            "The key is good, but not for this.",
            "urn:keyward:not-allowed",
            "Forbidden",
            "The API key may not be used here.",
        ),
        (
            429,
            "The key, or its client, asks too much.",
            "urn:keyward:rate-limited",
            "Too Many Requests",
            "Too many requests.",
        ),
        (
            503,
            "There is no verdict; never a denial.",
            "about:blank",
            "Service Unavailable",
            "the service can't be reached",
        ),
    ] {
        let example =
            json!({"type": class, "title": title, "status": status, "detail": detail}).to_string();
        let content = of_kind("application/problem+json", &problem, &example);
        let headers = if status == 403 { headers_of(401) } else { headers_of(status) };
        responses.insert(status.to_string(), response(text, content, headers));
    }
    responses
}
