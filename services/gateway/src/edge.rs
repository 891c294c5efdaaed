//! What every request goes through, whosever path it has: its name, its sender, its limit, its surface,
//! what is counted and logged, and the headers of every answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CACHE_CONTROL, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method, Request};
use hyper::body::{Body, Incoming};
use telemetry::SampleDecision;
use tracing::{Instrument, Span};

use crate::body;
use crate::call::{Call, Head, REQUEST_ID};
use crate::canonical;
use crate::client_address;
use crate::config::Config;
use crate::cors;
use crate::counts::Counted;
use crate::forward_auth::{self, Original};
use crate::node::Node;
use crate::refusal::Refusal;
use crate::reply::{Reply, ReplyBody};
use crate::surface::Surface;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Answers a request.
pub(crate) async fn serve(node: Arc<Node>, peer: IpAddr, request: Request<Incoming>) -> Reply {
    let began = Instant::now();
    let shared = Arc::clone(&node.shared);
    let (parts, body) = request.into_parts();
    let mut head = Head {
        request_id: shared.names.name(&parts.headers),
        client: client_address::client(peer, &parts.headers, &shared.config.trusted_proxies),
        proxied: client_address::is_proxy(peer, &shared.config.trusted_proxies),
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
    };
    head.vouch(shared.files.shared().as_ref());
    let request_id = head.request_id.clone();
    let (method, client) = (head.method.clone(), head.client);
    if method == Method::HEAD {
        head.method = Method::GET;
    }
    let (surface, mut counted) = shared.paths.surface(head.uri.path());
    let cors = &shared.config.cors;
    // There the origin is that of the proxy's client, and the answer is the proxy's.
    let pages = surface != Surface::ForwardAuth && !cors.is_empty();
    let origin = if pages { cors.of(&head.headers) } else { None };
    let span = traced(&shared.sampler, &mut head, surface);
    let original = original(&shared.config, surface, &span, &head);
    let allowed = origin.is_some();
    let answering = answer(&node, surface, head, body, &mut counted, allowed);
    let mut reply = answering.instrument(span.clone()).await;
    if pages {
        cors.mark(origin, &mut reply);
    }
    span.record("http.route", shared.counts.template(counted).1);
    span.record("http.response.status_code", reply.status().as_u16());
    let headers = reply.headers_mut();
    headers.insert(&REQUEST_ID, request_id.clone());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if method == Method::HEAD {
        reply = without_body(reply);
    }
    let took = began.elapsed();
    shared.counts.answered(counted, reply.status(), took);
    if shared.config.access_log {
        let told = Told { original, request_id: &request_id, client, took };
        log(&shared.counts.template(counted), &method, &reply, &told);
    }
    reply
}

async fn answer(
    node: &Arc<Node>,
    surface: Surface,
    head: Head,
    body: Incoming,
    counted: &mut Counted,
    allowed: bool,
) -> Reply {
    // A proxy asks once for each request of its clients, and limits those itself, if anybody does.
    let exempt = surface == Surface::ForwardAuth && head.proxied;
    if !exempt && let Err(after) = node.shared.asking.admit(head.client) {
        return (surface.table().envelope)(&Refusal::address_limited(after), &head);
    }
    if let Some(reply) = cors::preflight(&head, allowed) {
        return reply;
    }
    // What a proxy asks for has all of its client's headers, of which next to nothing goes on.
    if surface != Surface::ForwardAuth && head.is_too_large() {
        let refusal = Refusal::malformed("the headers must have at most 12 KiB in all");
        return (surface.table().envelope)(&refusal, &head);
    }
    match surface {
        Surface::Canonical => canonical::serve(node, head, body, counted).await,
        Surface::ForwardAuth => forward_auth::serve(node, &head, counted).await,
        Surface::Velt
        | Surface::Organization
        | Surface::SlaunchX
        | Surface::Operations
        | Surface::Unknown => of_table(node, surface, head, body, counted).await,
    }
}

/// What HEAD answers: the headers of GET (RFC 9110, 9.3.2).
fn without_body(reply: Reply) -> Reply {
    let (mut parts, body) = reply.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Reply::from_parts(parts, ReplyBody::from(bytes::Bytes::new()))
}

/// The span of a request if it is sampled, which then is what the service's own is within; else none, and
/// the caller's trace context goes on as it is.
fn traced(sampler: &telemetry::Sampler, head: &mut Head, surface: Surface) -> Span {
    let decision = sampler.decide(head.text(&TRACEPARENT));
    match decision {
        SampleDecision::Skip => return Span::none(),
        SampleDecision::Root | SampleDecision::Child(_) => {}
    }
    let span = tracing::info_span!(
        "http.request",
        otel.kind = "server",
        http.request.method = %head.method,
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
        surface = surface.table().name,
        original.method = tracing::field::Empty,
        original.host = tracing::field::Empty,
        original.path = tracing::field::Empty,
    );
    telemetry::continue_trace(&span, &decision);
    let callers = head.text(&TRACEPARENT);
    let here = span.in_scope(|| telemetry::current_traceparent(callers));
    if let Some(here) = here.and_then(|here| HeaderValue::try_from(here).ok()) {
        head.headers.insert(&TRACEPARENT, here);
    }
    span
}

/// A surface with a table of endpoints.
async fn of_table(
    node: &Arc<Node>,
    surface: Surface,
    head: Head,
    body: Incoming,
    counted: &mut Counted,
) -> Reply {
    let table = surface.table();
    let reached = match node.shared.paths.find(surface, &head.method, head.uri.path()) {
        Ok(reached) => reached,
        Err(refusal) => return (table.envelope)(&refusal, &head),
    };
    *counted = reached.counted;
    let taken = match body::read(body, reached.endpoint.most, &node.shared.room).await {
        Ok(taken) => taken,
        Err(refusal) => return (table.envelope)(&refusal, &head),
    };
    let call = Call {
        head,
        body: taken.bytes.clone(),
        variables: reached.variables,
        node: Arc::clone(node),
    };
    (reached.endpoint.answer)(call).await
}

/// What a proxy's client asked for, if that is told and is of use to anybody.
fn original(config: &Config, surface: Surface, span: &Span, head: &Head) -> Option<Original> {
    let asked = surface == Surface::ForwardAuth && (config.access_log || !span.is_none());
    let original = asked.then(|| Original::of(&head.headers))?;
    span.record("original.method", &*original.method);
    span.record("original.host", &*original.host);
    span.record("original.path", &*original.path);
    Some(original)
}

/// What the log has of a request besides its route and answer.
struct Told<'r> {
    original: Option<Original>,
    request_id: &'r HeaderValue,
    client: IpAddr,
    took: Duration,
}

fn log((surface, route): &(&'static str, &str), method: &Method, reply: &Reply, told: &Told<'_>) {
    let original = told.original.as_ref();
    tracing::info!(
        target: "keyward_gateway::access",
        surface,
        %method,
        route,
        status = reply.status().as_u16(),
        request_id = told.request_id.to_str().unwrap_or_default(),
        client = %told.client,
        original.method = original.map(|original| &*original.method),
        original.host = original.map(|original| &*original.host),
        original.path = original.map(|original| &*original.path),
        micros = u64::try_from(told.took.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
}
