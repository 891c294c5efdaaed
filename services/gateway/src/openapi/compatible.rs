//! OpenAPI 3.1 of the products' surfaces and of `/verify`. What there is to say of a path is said in
//! the file `documented` of its surface, by the structs that are read and written there; this is the frame.

use http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::schema::reference;
use crate::surface::Surface;
use crate::{forward_auth, organization, slaunchx, velt};

/// The document of the surfaces that are not `off`; none if all of them are.
pub(crate) fn compatible(off: &[Surface]) -> Option<Value> {
    let mut document = Document::default();
    for surface in Surface::ALL.into_iter().filter(|surface| !off.contains(surface)) {
        match surface {
            Surface::Velt => velt::documented(&mut document),
            Surface::Organization => organization::documented(&mut document),
            Surface::SlaunchX => slaunchx::documented(&mut document),
            Surface::ForwardAuth => forward_auth::documented(&mut document),
            Surface::Operations | Surface::Canonical | Surface::Unknown => {}
        }
    }
    (!document.paths.is_empty()).then(|| document.whole())
}

/// The document while it is put together.
#[derive(Default)]
pub(crate) struct Document {
    tags: Vec<Value>,
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    schemes: Map<String, Value>,
}

/// A path and its method.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) text: &'static str,
    /// Whose credentials it takes, any one of these: names of security schemes that are needed together.
    pub(crate) security: &'static [&'static [&'static str]],
    pub(crate) parameters: Vec<Value>,
    /// The request body; null if there is none.
    pub(crate) body: Value,
    /// By HTTP status.
    pub(crate) responses: Map<String, Value>,
}

impl Document {
    /// What comes next belongs to this product.
    pub(crate) fn tag(&mut self, name: &str, text: &str) {
        self.tags.push(json!({"name": name, "description": text}));
    }

    /// A way to authenticate.
    pub(crate) fn scheme(&mut self, name: &str, scheme: Value) {
        self.schemes.insert(name.to_owned(), scheme);
    }

    /// A reference to the schema of a type; what it refers to comes along.
    pub(crate) fn schema<T: ToSchema>(&mut self) -> Value {
        let mut all: Vec<(String, RefOr<Schema>)> = Vec::new();
        T::schemas(&mut all);
        all.push((T::name().into_owned(), T::schema()));
        for (name, schema) in all {
            let mut schema = serde_json::to_value(schema).unwrap_or_default();
            choices(&mut schema);
            self.schemas.insert(name, schema);
        }
        reference(&T::name())
    }

    /// A path of the product that came last.
    pub(crate) fn add(&mut self, operation: Operation) {
        let together = |schemes: &&[&str]| {
            let schemes = schemes.iter().map(|&scheme| (scheme.to_owned(), json!([])));
            schemes.collect::<Map<_, _>>()
        };
        let security: Vec<_> = operation.security.iter().map(together).collect();
        let mut written = json!({
            "tags": self.tags.last().map_or_else(Vec::new, |tag| vec![tag["name"].clone()]),
            "operationId": operation.id,
            "summary": operation.summary,
            "description": operation.text,
            "parameters": operation.parameters,
            "security": security,
            "responses": operation.responses,
        });
        if !operation.body.is_null() {
            written["requestBody"] = operation.body;
        }
        let path = self.paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = written;
    }

    fn whole(self) -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Keyward: compatible products",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "The endpoints of products that people come from, as those document them, \
                    and `/verify` for proxies. The lock at a request asks for the credentials that \
                    it needs. Unknown and repeated members of requests are refused; a \
                    member that is `null` is as if it were not there. Every answer has an `x-request-id`: \
                    the request's, or a new one.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": self.tags,
            "paths": self.paths,
            "components": {"schemas": self.schemas, "securitySchemes": self.schemes},
        })
    }
}

/// A pattern that only lists words is a choice of these words, which the derive can't say of a text.
fn choices(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        let pattern = members.get("pattern").and_then(Value::as_str).unwrap_or_default();
        let listed = pattern.strip_prefix("^(").and_then(|rest| rest.strip_suffix(")$"));
        if let Some(listed) = listed.filter(|words| !words.contains(['[', '(', '\\', '.'])) {
            let mut words: Vec<Value> = listed.split('|').map(Value::from).collect();
            if members.get("type").is_some_and(Value::is_array) {
                words.push(Value::Null);
            }
            members.insert("enum".to_owned(), words.into());
            members.remove("pattern");
        }
        members.values_mut().for_each(choices);
    } else if let Some(entries) = schema.as_array_mut() {
        entries.iter_mut().for_each(choices);
    }
}

/// A parameter.
pub(crate) fn parameter(
    place: &str,
    name: &str,
    required: bool,
    schema: Value,
    text: &str,
) -> Value {
    let required = required || place == "path";
    let mut parameter = json!({"in": place, "name": name, "required": required, "schema": schema});
    if !text.is_empty() {
        parameter["description"] = json!(text);
    }
    parameter
}

/// The header by which a repeated request is known.
pub(crate) fn idempotency_key() -> Value {
    let schema = json!({"type": "string", "pattern": super::operation::KEY});
    let text = "The same request with the same key is done once, and answered as before. 16 to 255 visible \
                characters.";
    parameter("header", "Idempotency-Key", false, schema, text)
}

/// A body of JSON with an example, which is JSON text.
pub(crate) fn body(required: bool, schema: &Value, example: &str) -> Value {
    json!({"required": required, "content": content(schema, example)})
}

/// Content of JSON with an example, which is JSON text; none if it is empty.
pub(crate) fn content(schema: &Value, example: &str) -> Value {
    of_kind("application/json", schema, example)
}

/// The same under another content type.
pub(crate) fn of_kind(kind: &str, schema: &Value, example: &str) -> Value {
    match serde_json::from_str::<Value>(example) {
        Ok(example) => json!({kind: {"schema": schema, "example": example}}),
        Err(_) => json!({kind: {"schema": schema}}),
    }
}

/// An answer, with these headers besides those that all have.
pub(crate) fn response(text: &str, content: Value, headers: &[(&str, &str)]) -> Value {
    let mut response = json!({"description": text});
    if !content.is_null() {
        response["content"] = content;
    }
    for (name, text) in headers {
        response["headers"][name] = json!({"schema": {"type": "string"}, "description": text});
    }
    response
}

/// Headers of a refusal with this status.
pub(crate) fn headers_of(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        401 => &[("WWW-Authenticate", "RFC 6750.")],
        429 | 503 => &[("Retry-After", "Seconds.")],
        _ => &[],
    }
}

/// What every endpoint may be refused with, whatever it does: status and what it means.
pub(crate) const COMMON: [(u16, &str); 7] = [
    (408, "The body came too slowly."),
    (413, "The body is larger than 64 KiB."),
    (415, "The body is not JSON in UTF-8."),
    (429, "Too many requests."),
    (500, "A fault of ours."),
    (503, "Not possible now; try again."),
    (504, "It took too long."),
];
