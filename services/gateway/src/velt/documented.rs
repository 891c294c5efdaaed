//! Velt's paths in OpenAPI: a row each.

mod settings;

use http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::credentials::Level;
use super::envelope::Failure;
use super::{config, configure, create, domains, keys, list, tokens, workspace};
use crate::openapi::compatible::{
    COMMON, Document, Operation, body, content, headers_of, idempotency_key, response,
};

/// What there is to say of a path.
struct Row {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    text: &'static str,
    /// Whose credentials it takes.
    by: By,
    /// What it takes in `data`.
    takes: Takes,
    /// Of `data`, as JSON.
    example: &'static str,
    /// Whether it changes something, so that it may be repeated by an idempotency key.
    changes: bool,
    /// The documented sentences of a success.
    messages: &'static [&'static str],
    /// The schema of `data` in the answer.
    answers: fn(&mut Document) -> Value,
    /// Of `data` in the answer, as JSON.
    shown: &'static str,
}

/// Whose credentials a path takes.
#[derive(Clone, Copy)]
enum By {
    /// A workspace's.
    Workspace,
    /// Those of a key's auth token.
    Key,
    /// These, or those of the workspace that names the key.
    KeyOrOwner,
    /// Those of the workspace that names the key.
    Owner,
    /// Nobody's.
    Anyone,
}

impl By {
    const fn security(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Workspace => &[&["veltWorkspaceId", "veltWorkspaceToken"]],
            Self::Key => &[&["veltApiKey", "veltAuthToken"]],
            Self::KeyOrOwner => &[
                &["veltApiKey", "veltAuthToken"],
                &["veltWorkspaceId", "veltWorkspaceToken", "veltApiKey"],
            ],
            Self::Owner => &[&["veltWorkspaceId", "veltWorkspaceToken", "veltApiKey"]],
            Self::Anyone => &[],
        }
    }

    /// What is said of credentials that are not good.
    const fn sentence(self) -> &'static str {
        match self {
            Self::Workspace => Level::Workspace.sentence(),
            Self::Key | Self::KeyOrOwner | Self::Owner => Level::Key.sentence(),
            Self::Anyone => "Workspaces can't be created here.",
        }
    }
}

/// What a path takes in `data`.
enum Takes {
    /// This, which must be there.
    Needed(fn(&mut Document) -> Value),
    /// This, if it is there.
    Optional(fn(&mut Document) -> Value),
    /// Nothing; whatever is there is not read.
    Unread,
}

/// All of them.
pub(crate) fn documented(document: &mut Document) {
    document.tag(
        "Velt",
        "`data` in; `result` or `error` out, and every failure of credentials is one 403. Wherever a key is \
         named, its id, the whole key and its masked form will do.",
    );
    let header = |name: &str, text: &str| json!({"type": "apiKey", "in": "header", "name": name, "description": text});
    document.scheme(
        "veltWorkspaceId",
        header("x-velt-workspace-id", "Velt: id of the workspace, `ws_...`."),
    );
    document.scheme(
        "veltWorkspaceToken",
        header("x-velt-auth-token", "Velt: workspace token, `kww_...`."),
    );
    document.scheme("veltApiKey", header("x-velt-api-key", "Velt: a key, or its id."));
    document.scheme(
        "veltAuthToken",
        header("x-velt-auth-token", "Velt: auth token of that key, `kwa_...`."),
    );
    for row in ROWS.iter().chain(settings::ROWS) {
        let operation = row.operation(document);
        document.add(operation);
    }
}

fn schema<T: ToSchema>(document: &mut Document) -> Value {
    document.schema::<T>()
}

fn listed(document: &mut Document) -> Value {
    json!({"type": "array", "items": document.schema::<list::Listed>()})
}

fn nothing(_: &mut Document) -> Value {
    json!({"type": "null"})
}

const ROWS: &[Row] = &[
    Row {
        path: "/v2/workspace/apikey/create",
        id: "veltCreateApiKey",
        summary: "Create API Key",
        text: "Makes a key. `apiKey` of the answer is its whole text and shown once; an auth token, if one is \
               asked for, is in the header `x-velt-auth-token`.",
        by: By::Workspace,
        takes: Takes::Needed(schema::<create::Asked>),
        example: r#"{"ownerEmail": "owner@example.com", "type": "testing", "createAuthToken": true}"#,
        changes: true,
        messages: &["API key created successfully."],
        answers: schema::<create::Created>,
        shown: r#"{"apiKey": "your_new_api_key"}"#,
    },
    Row {
        path: "/v2/workspace/apikeys/get",
        id: "veltGetApiKeys",
        summary: "Get API Keys",
        text: "Lists the live keys of the workspace by ascending id. While there are more, `nextPageToken` stands \
               beside `data`.",
        by: By::Workspace,
        takes: Takes::Optional(schema::<list::Asked>),
        example: r#"{"pageSize": 50}"#,
        changes: false,
        messages: &["API keys retrieved successfully."],
        answers: listed,
        shown: r#"[{"id": "velt_api_key_1", "apiKeyName": "Production Key", "type": "production"},
            {"id": "velt_api_key_2", "apiKeyName": "Testing Key", "type": "testing"}]"#,
    },
    Row {
        path: "/v2/workspace/apikeyconfig/get",
        id: "veltGetApiKeyConfig",
        summary: "Get API Key Config",
        text: "Reads the configuration of a key. Keys of AI models are masked. No body is needed.",
        by: By::Key,
        takes: Takes::Unread,
        example: "{}",
        changes: false,
        messages: &["API key metadata retrieved successfully."],
        answers: schema::<config::Configured>,
        shown: r#"{"ownerEmail": "owner@example.com", "planInfo": {"type": "sdk test"},
            "defaultDocumentAccessType": "public", "isPrivateCommentsEnabled": false,
            "requireJwtToken": false, "requireAutoOrgUser": false,
            "aiModelsConfig": {"openai": {"displayText": "sk-...XyZ"}}}"#,
    },
    Row {
        path: "/v2/workspace/apikey/update",
        id: "veltUpdateApiKey",
        summary: "Update API Key",
        text: "Gives a key another name.",
        by: By::Workspace,
        takes: Takes::Needed(schema::<keys::Asked>),
        example: r#"{"apiKey": "key_...", "apiKeyName": "Staging Key"}"#,
        changes: true,
        messages: &["API key updated successfully."],
        answers: nothing,
        shown: "null",
    },
    Row {
        path: "/v2/workspace/apikeyconfig/update",
        id: "veltUpdateApiKeyConfig",
        summary: "Update API Key Config",
        text: "Changes the members that are there, and answers what they are now.",
        by: By::Key,
        takes: Takes::Needed(schema::<configure::Asked>),
        example: r#"{"enablePrivateComments": true, "defaultDocumentAccessType": "restricted"}"#,
        changes: true,
        messages: &["API key configuration updated successfully."],
        answers: schema::<configure::Updated>,
        shown: r#"{"enablePrivateComments": true, "defaultDocumentAccessType": "restricted"}"#,
    },
    Row {
        path: "/v2/workspace/authtokens/get",
        id: "veltGetAuthTokens",
        summary: "Get Auth Tokens",
        text: "Lists the live auth tokens of a key, masked.",
        by: By::Workspace,
        takes: Takes::Needed(schema::<tokens::Asked>),
        example: r#"{"apiKey": "key_..."}"#,
        changes: false,
        messages: &["Auth tokens retrieved successfully."],
        answers: schema::<tokens::Listed>,
        shown: r#"{"apiKey": "key_...", "authTokens": [{"token": "kwa_...", "name": "default", "domains": []}]}"#,
    },
    Row {
        path: "/v2/workspace/authtoken/reset",
        id: "veltResetAuthToken",
        summary: "Reset Auth Token",
        text: "Gives the oldest live auth token of a key another secret, which ends the one before; a key \
               without one gets one. It is shown once.",
        by: By::Workspace,
        takes: Takes::Needed(schema::<tokens::Asked>),
        example: r#"{"apiKey": "key_..."}"#,
        changes: true,
        messages: &["Auth token reset successfully."],
        answers: schema::<tokens::Reset>,
        shown: r#"{"apiKey": "key_...", "newAuthToken": {"token": "kwa_...", "name": "default", "domains": []}}"#,
    },
    Row {
        path: "/v2/workspace/domains/get",
        id: "veltGetDomains",
        summary: "Get Allowed Domains",
        text: "Lists who may use a key in a browser. No body is needed.",
        by: By::KeyOrOwner,
        takes: Takes::Unread,
        example: "{}",
        changes: false,
        messages: &["Allowed domains retrieved successfully."],
        answers: schema::<domains::Listed>,
        shown: r#"{"allowedDomains": ["localhost", "127.0.0.1", "example.com"]}"#,
    },
    Row {
        path: "/v2/workspace/get",
        id: "veltGetWorkspace",
        summary: "Get Workspace",
        text: "Reads the workspace of the caller; its token is masked.",
        by: By::Workspace,
        takes: Takes::Optional(schema::<workspace::Asked>),
        example: "{}",
        changes: false,
        messages: &["Workspace retrieved successfully"],
        answers: schema::<workspace::Shown>,
        shown: r#"{"id": "ws_...", "name": "my-workspace", "authToken": "kww_..."}"#,
    },
];

impl Row {
    fn operation(&self, document: &mut Document) -> Operation {
        Operation {
            method: Method::POST,
            path: self.path,
            id: self.id,
            summary: self.summary,
            text: self.text,
            security: self.by.security(),
            parameters: if self.changes { vec![idempotency_key()] } else { Vec::new() },
            body: self.body(document),
            responses: self.responses(document),
        }
    }

    fn body(&self, document: &mut Document) -> Value {
        let (data, needed) = match self.takes {
            Takes::Needed(schema) => (schema(document), true),
            Takes::Optional(schema) => {
                (json!({"anyOf": [schema(document), {"type": "null"}]}), false)
            }
            Takes::Unread => (json!({}), false),
        };
        // Of a body that is not read, nothing is demanded.
        let schema = match self.takes {
            Takes::Unread => json!({}),
            Takes::Needed(_) => json!({"type": "object", "required": ["data"],
                "properties": {"data": data}, "additionalProperties": false}),
            Takes::Optional(_) => json!({"type": ["object", "null"],
                "properties": {"data": data}, "additionalProperties": false}),
        };
        body(needed, &schema, &format!("{{\"data\": {}}}", self.example))
    }

    fn responses(&self, document: &mut Document) -> Map<String, Value> {
        let mut result = json!({
            "type": "object",
            "required": ["status", "message", "data"],
            "properties": {
                "status": {"type": "string", "enum": ["success"]},
                "message": {"type": "string", "enum": self.messages},
                "data": (self.answers)(document),
            },
            "additionalProperties": false,
        });
        let mut more = "";
        if self.path == "/v2/workspace/apikeys/get" {
            let text = "Asks for the next page; not there on the last.";
            result["properties"]["nextPageToken"] = json!({"type": "string", "description": text});
            more = r#", "nextPageToken": "eyJsYXN0SWQiOiJ2ZWx0X2FwaV9rZXlfMiJ9""#;
        }
        let schema = json!({"type": "object", "required": ["result"],
            "properties": {"result": result}, "additionalProperties": false});
        let example = format!(
            r#"{{"result": {{"status": "success", "message": "{}", "data": {}{more}}}}}"#,
            self.messages[0], self.shown
        );
        let headers: &[_] = match self.id {
            "veltCreateApiKey" => {
                &[("x-velt-auth-token", "The auth token, if one was asked for; shown once.")]
            }
            "veltCreateWorkspace" => &[("x-velt-api-key", "The first key; shown once.")],
            _ => &[],
        };
        let mut responses = Map::new();
        responses.insert("200".to_owned(), response("Done.", content(&schema, &example), headers));
        let failure = document.schema::<Failure<'_>>();
        for (status, name, message, text) in self.refusals() {
            let example = json!({"error": {"status": name, "message": message}}).to_string();
            let response = response(text, content(&failure, &example), headers_of(status));
            responses.insert(status.to_string(), response);
        }
        responses
    }

    /// HTTP status, `error.status`, an example of `error.message`, and what it means.
    fn refusals(&self) -> Vec<(u16, &'static str, &'static str, &'static str)> {
        let broken = match self.id {
            "veltCreateApiKey" => "ownerEmail is required.",
            _ => "data is required.",
        };
        let mut all = vec![
            (
                400,
                "INVALID_ARGUMENT",
                broken,
                "A header or a member breaks its rule, which `message` says.",
            ),
            (
                403,
                "PERMISSION_DENIED",
                self.by.sentence(),
                "The credentials are not valid, whatever is wrong with them.",
            ),
            (404, "NOT_FOUND", "API key not found.", "There is no such key in the workspace."),
            (
                409,
                "ABORTED",
                "The key was changed at the same time.",
                "Others change the same, or the \
                idempotency key was used for another request.",
            ),
        ];
        for (status, text) in COMMON {
            let (name, message) = match status {
                408 | 504 => ("DEADLINE_EXCEEDED", "The call took too long."),
                413 | 415 => ("INVALID_ARGUMENT", "The body must be application/json in UTF-8."),
                429 => ("RESOURCE_EXHAUSTED", "Too many requests."),
                503 => ("UNAVAILABLE", "The service is not there now."),
                _ => ("INTERNAL", "Internal error."),
            };
            all.push((status, name, message, text));
        }
        all
    }
}
