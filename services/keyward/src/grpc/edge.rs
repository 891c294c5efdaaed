//! What surrounds every call on the wire: the echo of `x-request-id`, and details for the statuses
//! that tonic makes by itself (undecodable or over-long messages, unknown methods, deadlines).
//!
//! A status of ours always carries details; one without is tonic's.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use api::v1::ErrorReason;
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::status::Refusal;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_REQUEST_ID: usize = 128;

/// Puts [`Edge`] around a service.
#[derive(Debug, Clone, Copy, Default)]
pub struct EdgeLayer;

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Edge<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Edge<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let request_id = request
            .headers()
            .get(&REQUEST_ID)
            .filter(|id| (1..=LONGEST_REQUEST_ID).contains(&id.len()))
            .cloned();
        Answering { inner: self.inner.call(request), request_id }
    }
}

pin_project! {
    /// A call under way.
    pub struct Answering<F> {
        #[pin]
        inner: F,
        request_id: Option<HeaderValue>,
    }
}

impl<F, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(context));
        let request_id = this.request_id.take();
        Poll::Ready(answered.map(|response| {
            let mut response = explained(response);
            if let Some(id) = request_id {
                response.headers_mut().insert(&REQUEST_ID, id);
            }
            response
        }))
    }
}

/// The response, with details if its status is one of tonic's own.
fn explained(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    let Some(code) = headers.get(Status::GRPC_STATUS) else {
        return response;
    };
    if headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let (reason, message) = match code.as_bytes() {
        b"13" => (ErrorReason::MessageMalformed, "the message can't be read"),
        b"11" => (ErrorReason::MessageTooLarge, "the message is larger than this RPC takes"),
        b"12" => (ErrorReason::MethodUnknown, "there is no such method, or not in this encoding"),
        b"1" | b"4" => (ErrorReason::DeadlineExceeded, "the deadline passed"),
        b"8" | b"14" => (ErrorReason::Overloaded, "this node has too much to do"),
        _ => return response,
    };
    Status::from(Refusal::new(reason, message)).into_http()
}
