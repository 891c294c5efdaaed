//! What every management call goes through: who calls, how many at once, how long, what is counted.
//!
//! A call runs in a task of the control runtime that the RPC awaits: a client that goes away, or a
//! deadline that passes, never cancels a commit halfway. Verdicts do not come this way.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::v1::ErrorReason;
use domain::{AuthTokenId, KeyId, SpiffeId, WorkspaceId};
use http::HeaderMap;
use telemetry::SampleDecision;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::access;
use super::caller::Caller;
use super::client_address;
use super::express::too_large;
use super::fields;
use super::rpc::Rpc;
use super::status::{Refusal, Resource, overloaded, shutting_down};
use crate::node::Node;
use crate::server::MESSAGE;

/// The longest that a management call may take when its caller sets no deadline, or a later one.
const LONGEST: Duration = Duration::from_secs(30);

/// How much earlier than the caller's deadline a call is given up: the answer should still reach him,
/// and say more than `bounded.rs` can, which watches the same deadline from outside.
const EARLIER: Duration = Duration::from_millis(10);

/// What an RPC knows of the call besides its message.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// Which RPC.
    pub rpc: Rpc,
    /// The address that the call came from, without port; by the word of a gateway if it came through one.
    pub peer: Option<String>,
    /// The caller's trace context, if it sent a valid one.
    pub traceparent: Option<String>,
    /// The caller's name for the call, echoed and logged; not the idempotency key.
    pub request_id: Option<String>,
    /// A hash of the client that a person uses, as a gateway tells it; recorded with what is changed.
    pub client_hash: Option<String>,
}

/// The metadata that tells it: 1 to 256 visible characters.
pub(super) const CLIENT_HASH: &str = "x-keyward-client-hash";

impl Call {
    /// The caller's own workspace of this id. Whoever's credential is good for one only may leave it out.
    ///
    /// # Errors
    /// Missing, malformed, or not the caller's.
    pub(super) fn workspace(&self, workspace_id: &str) -> Result<WorkspaceId, Refusal> {
        let workspace = self.named_workspace(workspace_id)?;
        self.caller.within(workspace)?;
        Ok(workspace)
    }

    /// The workspace and key of a request on one key, both the caller's own as far as its credential says.
    /// What is not is answered as if there were no such `resource`.
    ///
    /// # Errors
    /// One is missing, malformed, or not the caller's.
    pub(super) fn key(
        &self,
        workspace_id: &str,
        key_id: &str,
        resource: Resource,
    ) -> Result<(WorkspaceId, KeyId), Refusal> {
        let workspace = self.named_workspace(workspace_id)?;
        let key = match self.caller.only_key().filter(|_| key_id.is_empty()) {
            Some(own) => own,
            None => fields::id("key_id", key_id)?,
        };
        self.caller.within_key(workspace, key, resource)?;
        Ok((workspace, key))
    }

    /// The auth token of a request on one, which must be the caller itself if it is one; then it may be
    /// left out.
    ///
    /// # Errors
    /// Missing, malformed, or not the caller's.
    pub(super) fn auth_token(&self, auth_token_id: &str) -> Result<AuthTokenId, Refusal> {
        let token = match self.caller.only_auth_token().filter(|_| auth_token_id.is_empty()) {
            Some(own) => own,
            None => fields::id("auth_token_id", auth_token_id)?,
        };
        self.caller.within_auth_token(token)?;
        Ok(token)
    }

    fn named_workspace(&self, workspace_id: &str) -> Result<WorkspaceId, Refusal> {
        match self.caller.only_workspace().filter(|_| workspace_id.is_empty()) {
            Some(own) => Ok(own),
            None => fields::id("workspace_id", workspace_id),
        }
    }
}

/// Runs `run` for the caller of `request`, or answers why not.
///
/// # Errors
/// The refusal of the RPC, as a status with details.
pub async fn manage<Asked, Answer, Running>(
    node: &Arc<Node>,
    rpc: Rpc,
    request: Request<Asked>,
    run: impl FnOnce(Arc<Node>, Call, Asked) -> Running,
) -> Result<Response<Answer>, Status>
where
    Answer: Send + 'static,
    Running: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let began = Instant::now();
    let request_id = text(request.metadata(), "x-request-id").map(str::to_owned);
    let outcome = admit(node, rpc, request, run).await;
    let reason = outcome.as_ref().map_or_else(Refusal::reason, |_| ErrorReason::Unspecified);
    let outcome = outcome.map_err(Status::from);
    let code = outcome.as_ref().map_or_else(Status::code, |_| tonic::Code::Ok);
    node.counts.call(rpc, code, began.elapsed());
    if reason != ErrorReason::Unspecified {
        tracing::debug!(rpc = rpc.name(), reason = reason.as_reason(), request_id, "refused");
    }
    outcome.map(Response::new)
}

async fn admit<Asked, Answer, Running>(
    node: &Arc<Node>,
    rpc: Rpc,
    request: Request<Asked>,
    run: impl FnOnce(Arc<Node>, Call, Asked) -> Running,
) -> Result<Answer, Refusal>
where
    Answer: Send + 'static,
    Running: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    if node.stopping.is_cancelled() {
        return Err(shutting_down());
    }
    let permit = Arc::clone(&node.admission).try_acquire_owned().map_err(|_| overloaded())?;
    let (metadata, extensions, message) = request.into_parts();
    let peer = extensions.get::<Peer>();
    // Whoever sends a large message was found before it was read.
    let caller = match extensions.get::<Caller>() {
        Some(caller) => caller.clone(),
        None => Caller::of(node, &metadata, peer).await?,
    };
    access::admit(&caller, rpc)?;
    let peer = client_address::of(node, &metadata, peer)?.map(|address| address.to_string());
    let call = Call {
        caller,
        rpc,
        peer,
        traceparent: text(&metadata, "traceparent")
            .and_then(|text| text.parse::<telemetry::TraceParent>().ok())
            .map(|parent| parent.to_string()),
        request_id: text(&metadata, "x-request-id").map(str::to_owned),
        client_hash: client_hash(&metadata).map(str::to_owned),
    };
    let passed = extensions.get::<Arrived>().map_or(Duration::ZERO, |arrived| arrived.0.elapsed());
    let deadline = timeout(metadata.as_ref())
        .map_or(LONGEST, |asked| asked.min(LONGEST).saturating_sub((asked / 10).min(EARLIER)))
        .saturating_sub(passed);
    let running = run(Arc::clone(node), call, message);
    let span = span(node, rpc, &metadata);
    let task = async move {
        let _permit = permit;
        running.await
    };
    let task = node.calls.spawn_on(task.instrument(span), &node.control);
    match tokio::time::timeout(deadline, task).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(panicked)) => Err(Refusal::internal(&panicked)),
        Err(_) => Err(late()),
    }
}

/// The deadline passed.
pub(super) fn late() -> Refusal {
    Refusal::new(
        ErrorReason::DeadlineExceeded,
        "the deadline passed; a change that had begun goes on",
    )
}

/// Refuses a message of more bytes than most RPCs take.
///
/// # Errors
/// It is too large.
pub(super) fn refuse_large(bytes: usize) -> Result<(), Refusal> {
    if bytes <= MESSAGE { Ok(()) } else { Err(too_large(MESSAGE)) }
}

/// Who is at the other end of the connection, put there by the listener.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    /// What the client's certificate names, if it has shown one that names one thing (X.509-SVID 2).
    pub identity: Option<SpiffeId>,
}

/// When a call came in, before its message was read: its deadline counts from here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived(pub(super) Instant);

/// The span of a call if it is sampled, else none, which costs next to nothing to be in.
#[inline]
pub(super) fn span(node: &Node, rpc: Rpc, metadata: &MetadataMap) -> tracing::Span {
    span_of(node, rpc, text(metadata, "traceparent"))
}

/// As [`span`], of a call with this trace context.
#[inline]
pub(super) fn span_of(node: &Node, rpc: Rpc, traceparent: Option<&str>) -> tracing::Span {
    match node.sampler.decide(traceparent) {
        SampleDecision::Skip => tracing::Span::none(),
        sampled @ (SampleDecision::Root | SampleDecision::Child(_)) => sampled_span(rpc, &sampled),
    }
}

#[cold]
fn sampled_span(rpc: Rpc, decision: &SampleDecision) -> tracing::Span {
    let span = tracing::info_span!(
        "grpc.call",
        otel.name = rpc.span_name(),
        rpc = rpc.name(),
        request_id = tracing::field::Empty,
        denial = tracing::field::Empty
    );
    telemetry::continue_trace(&span, decision);
    span
}

pub(super) fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|text| (1..=128).contains(&text.len()))
}

fn client_hash(metadata: &MetadataMap) -> Option<&str> {
    let text = metadata.get(CLIENT_HASH)?.to_str().ok()?;
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && (1..=256).contains(&text.len())).then_some(text)
}

/// The caller's `grpc-timeout`: at most eight digits and a unit.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| (1..=8).contains(&digits.len()))?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}
