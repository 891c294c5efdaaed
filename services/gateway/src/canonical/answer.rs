//! One call: a request becomes a message, the message an answer, all by the tables of its route.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ETAG, IF_MATCH};
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::body::Incoming;

use super::bind;
use super::error::envelope;
use super::routes::{Body, Route};
use super::stream;
use super::tree::Values;
use crate::body;
use crate::call::Head;
use crate::counts::Counted;
use crate::json::{self, BadJson, FieldId, Parsed, Schema, begin, end};
use crate::node::Node;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply};
use crate::upstream::HEAD;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers a request for the canonical surface.
pub(crate) async fn serve(
    node: &Arc<Node>,
    head: Head,
    body: Incoming,
    counted: &mut Counted,
) -> Reply {
    match answer(node, &head, body, counted).await {
        Ok(reply) => reply,
        Err(refusal) => envelope(&refusal, &head),
    }
}

async fn answer(
    node: &Arc<Node>,
    head: &Head,
    body: Incoming,
    counted: &mut Counted,
) -> Result<Reply, Refusal> {
    let shared = &node.shared;
    let (place, values) = shared.routes.find(&head.method, head.uri.path())?;
    *counted = Counted(place);
    let route = &shared.routes.all()[place];
    if route.body != Body::None {
        body::must_be_json(&head.headers)?;
    }
    let taken = body::read(body, route.most, &shared.room).await?;
    let framed = message(&shared.routes.schema, route, head, &values, &taken.bytes)?;
    drop(taken);
    let metadata = head.metadata_with_credentials();
    if route.streams {
        let messages = node.upstream.stream(&route.path, metadata, framed).await?;
        return Ok(stream::reply(Arc::clone(shared), route.output, messages, head));
    }
    let patience = shared.patient[place].as_ref().unwrap_or(&shared.patience);
    let answered = node.upstream.unary(&route.path, metadata, framed, patience).await?;
    shown(&shared.routes.schema, route, &answered)
}

/// An answer as JSON.
fn shown(schema: &Schema, route: &Route, answered: &Bytes) -> Result<Reply, Refusal> {
    let mut text = String::with_capacity(answered.len() * 2 + 64);
    json::write(schema, route.output, answered, &mut text).map_err(|error| {
        tracing::error!(rpc = route.rpc, "{error}");
        Refusal::internal()
    })?;
    let mut reply = reply(StatusCode::OK, JSON, text);
    let etag = route.shown_etag.and_then(|path| {
        let etag = json::first_text(schema, route.output, answered, &path)?;
        HeaderValue::from_str(etag).ok()
    });
    if let Some(etag) = etag {
        reply.headers_mut().insert(ETAG, etag);
    }
    Ok(reply)
}

/// The message of a request, with its head.
fn message(
    schema: &Schema,
    route: &Route,
    head: &Head,
    values: &Values<'_>,
    body: &[u8],
) -> Result<Bytes, Refusal> {
    let mut out = Vec::with_capacity(body.len() + 128);
    out.resize(HEAD, 0);
    let Parsed { mut present, watched } = of_body(schema, route, body, &mut out)?;
    let fields = &schema.message(route.input).fields;
    let given = |place: FieldId| {
        let given = watched.iter().find(|(known, _)| *known == place);
        given.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    };
    for (&place, value) in route.variables.iter().zip(values) {
        let field = &fields[place];
        let value = bind::variable(field, value)?;
        if given(place).is_some_and(|given| given != value) {
            return Err(Refusal::field(&field.name, "must be as in the path, or left out"));
        }
        bind::text(field, &value, &mut out);
        present |= 1 << place;
    }
    if let Some(query) = head.uri.query() {
        let bound = if route.body == Body::All { u128::MAX } else { present };
        let set = bind::query(schema, route.input, query, bound, &mut out)?;
        present = if route.body == Body::All { present } else { set };
    }
    let of_headers = [
        (route.request_id, &IDEMPOTENCY_KEY, unquoted as fn(&str) -> Option<&str>),
        (route.etag, &IF_MATCH, strong),
    ];
    for (place, name, read) in of_headers {
        let Some((place, value)) = place.zip(head.headers.get(name)) else {
            continue;
        };
        let field = &fields[place];
        let wrong = || Refusal::field(name.as_str(), "must be one value, spelt as HTTP has it");
        let once = head.headers.get_all(name).iter().nth(1).is_none();
        let value = value.to_str().ok().filter(|_| once).and_then(read).ok_or_else(wrong)?;
        if value == "*" && *name == IF_MATCH {
            continue;
        }
        if present & (1 << place) == 0 || given(place).is_none_or(str::is_empty) {
            bind::text(field, value, &mut out);
        } else if given(place) != Some(value) {
            let rule = format!("must be as in the header {name}, or left out");
            return Err(Refusal::field(&field.name, rule));
        }
    }
    let length = u32::try_from(out.len() - HEAD).unwrap_or(u32::MAX);
    out[1..HEAD].copy_from_slice(&length.to_be_bytes());
    Ok(Bytes::from(out))
}

/// What the body has of the message.
fn of_body(
    schema: &Schema,
    route: &Route,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Parsed, Refusal> {
    match route.body {
        Body::None if body.is_empty() => Ok(Parsed::default()),
        Body::None => Err(Refusal::malformed("this request takes no body")),
        Body::All if body.is_empty() => Ok(Parsed::default()),
        Body::All => {
            let mut watch = route.variables.clone();
            watch.extend(route.request_id);
            watch.extend(route.etag);
            Ok(json::parse(schema, route.input, body, &watch, out)?)
        }
        Body::Field(place) => {
            let field = &schema.message(route.input).fields[place];
            let json::Kind::Message(inside) = field.kind else {
                return Err(Refusal::internal());
            };
            out.extend_from_slice(&field.key);
            let mark = begin(out);
            let body = if body.is_empty() { b"{}" } else { body };
            json::parse(schema, inside, body, &[], out).map_err(|bad| within(&field.name, bad))?;
            end(out, mark);
            Ok(Parsed { present: 1 << place, watched: Vec::new() })
        }
    }
}

fn within(field: &str, bad: BadJson) -> Refusal {
    let path = match bad.path.as_str() {
        "" => field.to_owned(),
        path => format!("{field}.{path}"),
    };
    BadJson { path, ..bad }.into()
}

/// A text as it is, or in quotes (RFC 8941).
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').filter(|inside| !inside.contains(['"', '\\'])),
        None => Some(value),
    }
    .filter(|value| !value.is_empty())
}

/// One strong etag, in its quotes, or a star (RFC 9110, 13.1.1).
fn strong(value: &str) -> Option<&str> {
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    (value == "*" || quoted.is_some_and(|inside| !inside.contains('"'))).then_some(value)
}
