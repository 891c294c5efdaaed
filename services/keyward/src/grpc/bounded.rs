//! A call the common way: for so long and no longer, and with details for the statuses that tonic
//! makes by itself (undecodable or over-long messages, unknown methods).
//!
//! A status of ours always carries details, and was counted where it was made; one without is tonic's,
//! and is counted here.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::v1::ErrorReason;
use http::{HeaderMap, Response};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::call;
use super::rpc::Rpc;
use super::status::Refusal;
use crate::node::Node;

/// The longest that a call may take, its message included.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// How long a call with these headers may take.
pub(super) fn limit(headers: &HeaderMap) -> Duration {
    call::timeout(headers).map_or(LONGEST, |asked| asked.min(LONGEST))
}

/// A call did not end within its limit.
pub(super) fn too_late() -> Refusal {
    Refusal::new(ErrorReason::DeadlineExceeded, "the deadline passed, or the call took too long")
}

pin_project! {
    /// See the module. A verdict needs no timer unless it waits, and does not come this way.
    pub struct Bounded<F> {
        #[pin]
        inner: F,
        #[pin]
        limit: Sleep,
        node: Arc<Node>,
        rpc: Option<Rpc>,
        began: Instant,
    }
}

impl<F> Bounded<F> {
    pub(super) fn new(
        inner: F,
        node: Arc<Node>,
        rpc: Option<Rpc>,
        began: Instant,
        limit: Duration,
    ) -> Self {
        Self { inner, limit: tokio::time::sleep(limit), node, rpc, began }
    }
}

impl<F> Future for Bounded<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let refusal = match this.inner.poll(context) {
            Poll::Ready(Ok(response)) => match of_tonic(&response) {
                None => return Poll::Ready(Ok(response)),
                Some(refusal) => refusal,
            },
            Poll::Pending => {
                std::task::ready!(this.limit.poll(context));
                too_late()
            }
        };
        if let Some(rpc) = *this.rpc {
            this.node.counts.call(rpc, refusal.code(), this.began.elapsed());
        }
        Poll::Ready(Ok(Status::from(refusal).into_http()))
    }
}

/// What to answer instead of a status that tonic made.
fn of_tonic(response: &Response<Body>) -> Option<Refusal> {
    let headers = response.headers();
    let code = headers.get(Status::GRPC_STATUS)?;
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    let (reason, message) = match code.as_bytes() {
        b"13" => (ErrorReason::MessageMalformed, "the message can't be read"),
        b"11" => (ErrorReason::MessageTooLarge, "the message is larger than this RPC takes"),
        b"12" => (ErrorReason::MethodUnknown, "there is no such method, or not in this encoding"),
        b"1" | b"4" => (ErrorReason::DeadlineExceeded, "the deadline passed"),
        b"8" | b"14" => (ErrorReason::Overloaded, "this node has too much to do"),
        _ => return None,
    };
    Some(Refusal::new(reason, message))
}
