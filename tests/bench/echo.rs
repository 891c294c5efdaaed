//! The server that Keyward is measured against: a unary RPC that does nothing, served as Keyward
//! serves. One current-thread runtime, the same HTTP/2 settings, tonic and prost, a router.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::process::ExitCode;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic_prost::ProstCodec;
use tower::Service;

/// The path of the RPC.
pub const PATH: &str = "/keyward.v1.ApiKeyService/VerifyKey";

/// A message that is only as long as another: the cheapest there is to read and write.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Blob {
    /// Anything.
    #[prost(bytes = "bytes", tag = "1")]
    pub body: Bytes,
}

impl Blob {
    /// The message that takes `length` bytes on the wire, from 2 to 16,000.
    pub fn of_length(length: usize) -> Self {
        // A tag, and a length of one byte or two.
        let around = if length < 130 { 2 } else { 3 };
        Self { body: vec![8; length.saturating_sub(around)].into() }
    }
}

/// Runs the server for the rest of the program's life. The one argument: the length of its answer.
pub fn main(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let length = arguments.next().and_then(|length| length.parse().ok()).unwrap_or(200);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(serve(Blob::of_length(length)));
    ExitCode::SUCCESS
}

async fn serve(answer: Blob) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("a bound listener has an address"));
    let connections = TcpListenerStream::new(listener)
        .map(|connection| connection.and_then(|stream| stream.set_nodelay(true).map(|()| stream)));
    let server = Server::builder()
        .max_concurrent_streams(256)
        .http2_max_header_list_size(16 * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_max_pending_accept_reset_streams(Some(64))
        .add_service(Echo(answer))
        .serve_with_incoming(connections);
    server.await.expect("the server runs until it is killed");
}

/// The service. Bears Keyward's name, so that both are asked with the same bytes.
#[derive(Clone)]
struct Echo(Blob);

impl NamedService for Echo {
    const NAME: &'static str = "keyward.v1.ApiKeyService";
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = Answer(self.0.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Blob, Blob>::default());
            Ok(grpc.unary(answer, request).await)
        })
    }
}

struct Answer(Blob);

impl UnaryService<Blob> for Answer {
    type Response = Blob;
    type Future = Ready<Result<tonic::Response<Blob>, tonic::Status>>;

    fn call(&mut self, _: tonic::Request<Blob>) -> Self::Future {
        ready(Ok(tonic::Response::new(self.0.clone())))
    }
}
