//! The document: one operation a route.

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::comments::summary;
use super::errors::{Reasons, is_list};
use super::schema::Schemas;
use super::{examples, groups};
use crate::canonical::{Body, Route, Routes};

/// An idempotency key, bare or in quotes.
pub(super) const KEY: &str = "^([!#-~][!-~]{15,254}|\"[!#-~]{16,255}\")$";
/// A strong entity tag.
const ETAG: &str = "^(\\*|\"[!#-~]+\")$";

/// How deep fields within fields are parameters of a query.
const DEEPEST: usize = 4;

/// The document of these routes.
pub(crate) fn document(pool: &DescriptorPool, routes: &Routes) -> Value {
    let mut schemas = Schemas::new(pool);
    let mut paths: Map<String, Value> = Map::new();
    let reasons = Reasons::read(pool, &schemas.comments);
    let mut names: Vec<String> = Vec::new();
    for route in routes.all() {
        let Some(rpc) = method(pool, route) else { continue };
        names.push(rpc.name().to_owned());
        let again = names.iter().filter(|name| *name == rpc.name()).count();
        let id = if again == 1 { rpc.name().to_owned() } else { format!("{}{again}", rpc.name()) };
        let operation = operation(&mut schemas, &reasons, &rpc, route, &id);
        let path = paths.entry(shown_path(route, &rpc)).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    schemas.made.insert("Error".to_owned(), error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "API keys: made, changed, verified, audited. Members with default values \
                are left out of answers; unknown members of requests are refused. What belongs to another \
                workspace is answered exactly as what does not exist.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": groups::tags(),
        "paths": paths,
        "components": {"schemas": schemas.made, "securitySchemes": {"bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A workspace token, a service credential, the operator's token, or a JWT.",
        }}},
    })
}

fn method(pool: &DescriptorPool, route: &Route) -> Option<MethodDescriptor> {
    let (service, name) = route.path.as_str().trim_start_matches('/').split_once('/')?;
    pool.get_service_by_name(service)?.methods().find(|rpc| rpc.name() == name)
}

/// The template with its variables as JSON spells them.
fn shown_path(route: &Route, rpc: &MethodDescriptor) -> String {
    let mut path = route.template.clone();
    for field in rpc.input().fields() {
        let (from, to) = (format!("{{{}}}", field.name()), format!("{{{}}}", field.json_name()));
        path = path.replace(&from, &to);
    }
    path
}

fn operation(
    schemas: &mut Schemas,
    reasons: &Reasons,
    rpc: &MethodDescriptor,
    route: &Route,
    id: &str,
) -> Value {
    let service = rpc.parent_service();
    let text = schemas.comments.of(&service.parent_file(), rpc.path());
    let text: Vec<_> = text.split("\n\n").filter(|paragraph| !is_list(paragraph)).collect();
    let text = text.join("\n\n");
    let input = rpc.input();
    let fields: Vec<_> = input.fields().collect();
    let in_path: Vec<String> = fields
        .iter()
        .map(|field| field.name().to_owned())
        .filter(|name| route.template.contains(&format!("{{{name}}}")))
        .collect();
    let mut parameters = Vec::new();
    for field in &fields {
        if in_path.contains(&field.name().to_owned()) {
            parameters.push(parameter("path", field.json_name(), true, schemas.field(field)));
        }
    }
    let (mut body, mut required) = (Value::Null, true);
    match route.body {
        Body::All => {
            body = schemas.body(&input, &in_path);
            let mut others =
                fields.iter().filter(|field| !in_path.contains(&field.name().to_owned()));
            required = others.any(|field| schemas.is_required(field));
        }
        Body::None => query(schemas, &input, &in_path, &mut parameters),
        Body::Field(place) => {
            let numbered = rpc_field(&input, place);
            if let Some((field, Kind::Message(inside))) =
                numbered.map(|field| (field.clone(), field.kind()))
            {
                body = schemas.message(&inside);
                let mut without = in_path.clone();
                without.push(field.name().to_owned());
                query(schemas, &input, &without, &mut parameters);
            }
        }
    }
    headers(route, &mut parameters);
    for parameter in &mut parameters {
        let name = parameter["name"].as_str().unwrap_or_default();
        if let Some(example) = examples::parameter(rpc.name(), name) {
            parameter["example"] = json!(example);
        }
    }
    let mut responses = reasons.responses(rpc, &schemas.comments, !body.is_null());
    responses.insert("200".to_owned(), success(schemas, rpc, route));
    let mut operation = json!({
        "operationId": id,
        "tags": [groups::of(&route.template)],
        "summary": summary(&text),
        "description": text,
        "parameters": parameters,
        "responses": responses,
    });
    if !body.is_null() {
        let content = json!({"schema": body, "example": examples::body(rpc.name())});
        operation["requestBody"] =
            json!({"required": required, "content": {"application/json": content}});
    }
    operation
}

/// Fields by number, as the routes have them.
fn rpc_field(input: &MessageDescriptor, place: usize) -> Option<FieldDescriptor> {
    let mut fields: Vec<_> = input.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    fields.into_iter().nth(place)
}

fn parameter(place: &str, name: &str, required: bool, mut schema: Value) -> Value {
    let text = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"in": place, "name": name, "schema": schema});
    if required {
        parameter["required"] = json!(true);
    }
    if let Some(text) = text {
        parameter["description"] = text;
    }
    parameter
}

fn query(
    schemas: &mut Schemas,
    message: &MessageDescriptor,
    without: &[String],
    parameters: &mut Vec<Value>,
) {
    for field in message.fields().filter(|field| !without.contains(&field.name().to_owned())) {
        flatten(schemas, &field, field.json_name().to_owned(), DEEPEST, parameters);
    }
}

/// A field, or the fields of the message that it is.
fn flatten(
    schemas: &mut Schemas,
    field: &FieldDescriptor,
    name: String,
    depth: usize,
    parameters: &mut Vec<Value>,
) {
    let kind = field.kind();
    let inside = kind.as_message().filter(|inside| inside.package_name() != "google.protobuf");
    if let Some(inside) = inside {
        if !field.is_list() && !field.is_map() && depth > 0 {
            for inner in inside.fields() {
                let name = format!("{name}.{}", inner.json_name());
                flatten(schemas, &inner, name, depth - 1, parameters);
            }
        }
        return;
    }
    let schema = schemas.field(field);
    let required = schemas.is_required(field);
    parameters.push(parameter("query", &name, required, schema));
}

fn headers(route: &Route, parameters: &mut Vec<Value>) {
    let text = |pattern: &str, text: &str| json!({"type": "string", "pattern": pattern, "description": text});
    if route.request_id.is_some() {
        let text = text(
            KEY,
            "Fills `requestId` if the request has none: the same request with the same key is \
             answered as before. 16 to 255 visible characters.",
        );
        parameters.push(parameter("header", "Idempotency-Key", false, text));
    }
    if route.etag.is_some() {
        let sense = "Fills `etag`: the change happens only if nothing has changed since.";
        let text = text(ETAG, sense);
        parameters.push(parameter("header", "If-Match", false, text));
    }
}

fn success(schemas: &mut Schemas, rpc: &MethodDescriptor, route: &Route) -> Value {
    let schema = schemas.message(&rpc.output());
    let mut ok = if route.streams {
        json!({"description": "One message a line, for as long as it goes on.", "content": {
            "application/x-ndjson": {"schema": schema},
            "text/event-stream": {"schema": {"type": "string"}},
        }})
    } else {
        json!({"description": "Done.", "content": {"application/json": {"schema": schema}}})
    };
    if route.shown_etag.is_some() {
        ok["headers"] = json!({"ETag": {"schema": {"type": "string"}}});
    }
    ok
}

fn error() -> Value {
    json!({"type": "object", "required": ["error"], "properties": {"error": {
        "type": "object",
        "required": ["code", "message", "status"],
        "properties": {
            "code": {"type": "integer", "description": "The HTTP status."},
            "message": {"type": "string", "description": "For people."},
            "status": {"type": "string", "description": "The name of the gRPC code."},
            "details": {"type": "array", "items": {
                "type": "object",
                "required": ["@type"],
                "properties": {"@type": {"type": "string"}},
                "description": "google.rpc.ErrorInfo with the reason, and what goes with it.",
            }},
        },
    }}})
}
