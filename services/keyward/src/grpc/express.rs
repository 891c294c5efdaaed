//! The short way to VerifyKey: past the router and tonic's own reading and writing of messages, which
//! cost more than the verdict does. Everything else, and a VerifyKey that is out of the ordinary
//! (compressed, say), goes the common way; both lead to `verify_key.rs`.
//!
//! The two RPCs with large messages go by `large.rs`, the rest by the router.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use api::v1::ErrorReason;
use bytes::{Bytes, BytesMut};
use futures_util::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower::{Layer, Service};

use super::bounded::{Bounded, limit, too_late};
use super::call::{Arrived, Peer};
use super::large::Large;
use super::rpc::Rpc;
use super::status::Refusal;
use super::verify_key;
use crate::node::Node;
use crate::server::MESSAGE;

/// Before each message: whether it is compressed, and its length in four bytes.
pub(super) const HEAD: usize = 5;
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

static GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Puts [`Express`] before a service.
///
/// What the calls of a connection share is the connection's own: counting references in memory that
/// other threads count in, too, costs more than a look-up does.
#[derive(Clone)]
pub struct ExpressLayer {
    large: Arc<Shared>,
    peer: Option<Peer>,
}

impl ExpressLayer {
    /// For the calls to `node`.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        Self { large: Arc::new(Shared(Arc::new(Large::new(node)))), peer: None }
    }

    /// For the calls that come from `peer`.
    #[must_use]
    pub fn of(&self, peer: Peer) -> Self {
        Self { large: Arc::new(Shared(Arc::clone(&self.large.0))), peer: Some(peer) }
    }
}

impl<S> Layer<S> for ExpressLayer {
    type Service = Express<S>;

    fn layer(&self, inner: S) -> Express<S> {
        Express { large: Arc::clone(&self.large), peer: self.peer.clone(), inner: Arc::new(inner) }
    }
}

/// What all connections share, behind a count of references of one connection.
struct Shared(Arc<Large>);

/// See the module.
pub struct Express<S> {
    large: Arc<Shared>,
    peer: Option<Peer>,
    inner: Arc<S>,
}

impl<S> Clone for Express<S> {
    fn clone(&self) -> Self {
        let (large, inner) = (Arc::clone(&self.large), Arc::clone(&self.inner));
        Self { large, peer: self.peer.clone(), inner }
    }
}

impl<S> Service<Request<Body>> for Express<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    // Small: it is moved a few times before it is polled.
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The router always is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let large = Arc::clone(&self.large);
        if is_plain_verify(&request) {
            let peer = self.peer.clone();
            return Box::pin(
                async move { Ok(answer(&large.0.node, peer.as_ref(), request).await) },
            );
        }
        let (rpc, began) = (Rpc::at(request.uri().path()), Instant::now());
        request.extensions_mut().insert(Arrived(began));
        if let Some(peer) = self.peer.clone() {
            request.extensions_mut().insert(peer);
        }
        let (node, limit) = (Arc::clone(&large.0.node), limit(request.headers()));
        let inner: Either<Answering, S::Future> = match rpc {
            Some(
                rpc @ (Rpc::CreateApiKey
                | Rpc::UpdateApiKey
                | Rpc::ImportApiKeys
                | Rpc::BatchVerifyKeys),
            ) => {
                let large = Arc::clone(&large.0);
                Either::Left(Box::pin(async move { Ok(large.answer(rpc, request).await) }))
            }
            _ => Either::Right(S::clone(&self.inner).call(request)),
        };
        Box::pin(Bounded::new(inner, node, rpc, began, limit))
    }
}

/// A call under way.
type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

fn is_plain_verify(request: &Request<Body>) -> bool {
    let headers = request.headers();
    request.uri().path() == Rpc::VerifyKey.path()
        && request.method() == Method::POST
        && headers.get(header::CONTENT_TYPE) == Some(&GRPC)
        && !headers.contains_key(&GRPC_ENCODING)
}

async fn answer(node: &Node, peer: Option<&Peer>, request: Request<Body>) -> Response<Body> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let metadata = MetadataMap::from_headers(parts.headers);
    let mut verdict = pin!(verdict(node, &metadata, peer, body));
    // Nearly always it is there at once. What waits, for its message or for a consistency token, is
    // given a timer only then.
    let at_once = poll_fn(|context| Poll::Ready(verdict.as_mut().poll(context))).await;
    let answered = match at_once {
        Poll::Ready(answered) => answered,
        Poll::Pending => tokio::time::timeout(limit(metadata.as_ref()), verdict)
            .await
            .unwrap_or_else(|_| Err(too_late().into())),
    };
    verify_key::count(node, answered.as_ref().map(|(_, denial)| *denial), began);
    match answered {
        Ok((message, _)) => {
            let message = Some(Bytes::from(message));
            let mut response = Response::new(Body::new(Once { message, trailers: true }));
            response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
            response
        }
        Err(status) => status.into_http(),
    }
}

async fn verdict(
    node: &Node,
    metadata: &MetadataMap,
    peer: Option<&Peer>,
    mut body: Body,
) -> Result<(Vec<u8>, i32), Status> {
    let message = message(&mut body).await?;
    Ok(verify_key::run_encoded(node, metadata, peer, &message).await?)
}

/// The one message of a request, without what stands before it.
async fn message(body: &mut Body) -> Result<Bytes, Status> {
    let (mut whole, mut joined) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame?.into_data() else {
            continue;
        };
        if whole.len() + joined.len() + part.len() > MESSAGE + HEAD {
            return Err(too_large(MESSAGE).into());
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
    match announced(&whole) {
        Some(length) if whole[0] == 0 && length == whole.len() - HEAD => Ok(whole.slice(HEAD..)),
        _ => Err(malformed().into()),
    }
}

/// How long a message is by its head, once that is there.
pub(super) fn announced(begun: &[u8]) -> Option<usize> {
    let &[_, a, b, c, d, ..] = begun else {
        return None;
    };
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()
}

/// The message is larger than `most` bytes, which is what its RPC takes.
pub(super) fn too_large(most: usize) -> Refusal {
    let message = format!("the message is larger than the {} KiB that this RPC takes", most / 1024);
    Refusal::new(ErrorReason::MessageTooLarge, message)
}

/// The message of a request is not one, whole and uncompressed, of ours.
pub(super) fn malformed() -> Refusal {
    Refusal::new(ErrorReason::MessageMalformed, "the message can't be read")
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
