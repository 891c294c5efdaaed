//! The short way to VerifyKey: past the router and tonic's own reading and writing of messages, which
//! cost more than the verdict does. Everything else, and a VerifyKey that is out of the ordinary
//! (compressed, say), goes the common way; both lead to `verify_key.rs`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::v1::ErrorReason;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Frame;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower::{Layer, Service};

use super::call::Arrived;
use super::rpc::Rpc;
use super::status::Refusal;
use super::verify_key;
use crate::node::Node;
use crate::server::MESSAGE;

/// Before each message: whether it is compressed, and its length in four bytes.
pub(super) const HEAD: usize = 5;
/// The longest that a call, or a pause within a message, may take.
const LONGEST: Duration = Duration::from_secs(60);
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

static GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Puts [`Express`] before a service.
#[derive(Clone)]
pub struct ExpressLayer(pub Arc<Node>);

impl<S> Layer<S> for ExpressLayer {
    type Service = Express<S>;

    fn layer(&self, inner: S) -> Express<S> {
        Express { node: Arc::clone(&self.0), inner }
    }
}

/// See the module.
#[derive(Clone)]
pub struct Express<S> {
    node: Arc<Node>,
    inner: S,
}

impl<S> Service<Request<Body>> for Express<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Answering<S::Error>, Bounded<S::Future>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !is_plain_verify(&request) {
            request.extensions_mut().insert(Arrived(Instant::now()));
            let limit = tokio::time::sleep(LONGEST);
            return Either::Right(Bounded { inner: self.inner.call(request), limit });
        }
        let node = Arc::clone(&self.node);
        Either::Left(Box::pin(async move { Ok(answer(&node, request).await) }))
    }
}

pin_project! {
    /// A call the common way, for at most [`LONGEST`]. A verdict needs no timer: it waits for nothing
    /// but its own message.
    pub struct Bounded<F> {
        #[pin]
        inner: F,
        #[pin]
        limit: Sleep,
    }
}

impl<F, E> Future for Bounded<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answered) = this.inner.poll(context) {
            return Poll::Ready(answered);
        }
        this.limit.poll(context).map(|()| Ok(Status::from(too_late()).into_http()))
    }
}

fn too_late() -> Refusal {
    Refusal::new(ErrorReason::DeadlineExceeded, "the call took too long")
}

/// A VerifyKey under way.
type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

fn is_plain_verify(request: &Request<Body>) -> bool {
    let headers = request.headers();
    request.uri().path() == Rpc::VerifyKey.path()
        && request.method() == Method::POST
        && headers.get(header::CONTENT_TYPE) == Some(&GRPC)
        && !headers.contains_key(&GRPC_ENCODING)
}

async fn answer(node: &Node, request: Request<Body>) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let metadata = MetadataMap::from_headers(parts.headers);
    let answered = match message(&mut body).await {
        Ok(message) => verify_key::run_encoded(node, &metadata, &message).await,
        Err(status) => Err(status),
    };
    match answered {
        Ok(message) => {
            let message = Some(Bytes::from(message));
            let mut response = Response::new(Body::new(Once { message, trailers: true }));
            response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
            response
        }
        Err(status) => status.into_http(),
    }
}

/// The one message of a request, without what stands before it.
async fn message(body: &mut Body) -> Result<Bytes, Status> {
    let (mut whole, mut joined) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = next(body).await? {
        let Ok(part) = frame?.into_data() else {
            continue;
        };
        if whole.len() + joined.len() + part.len() > MESSAGE + HEAD {
            let message = "the message is larger than the 64 KiB that this RPC takes";
            return Err(Refusal::new(ErrorReason::MessageTooLarge, message).into());
        }
        // Nearly always all of it comes in one part.
        if whole.is_empty() && joined.is_empty() {
            whole = part;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut whole));
            joined.extend_from_slice(&part);
        }
    }
    if !joined.is_empty() {
        whole = joined.freeze();
    }
    match *whole {
        [0, a, b, c, d, ref rest @ ..]
            if u32::from_be_bytes([a, b, c, d]) as usize == rest.len() =>
        {
            Ok(whole.slice(HEAD..))
        }
        _ => Err(malformed()),
    }
}

/// The next part of a body; with a timer only if it is not there yet.
async fn next(body: &mut Body) -> Result<Option<Result<Frame<Bytes>, Status>>, Status> {
    if let Some(frame) = body.frame().now_or_never() {
        return Ok(frame);
    }
    tokio::time::timeout(LONGEST, body.frame()).await.map_err(|_| too_late().into())
}

/// The message of a request is not one, whole and uncompressed, of ours.
pub(super) fn malformed() -> Status {
    Refusal::new(ErrorReason::MessageMalformed, "the message can't be read").into()
}

/// An answer: one message, and the status behind it.
struct Once {
    message: Option<Bytes>,
    trailers: bool,
}

impl hyper::body::Body for Once {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if !std::mem::take(&mut self.trailers) {
            return Poll::Ready(None);
        }
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && !self.trailers
    }
}
