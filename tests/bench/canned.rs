//! Two servers that only answer: one of gRPC with the bytes of a file, so that a proxy and not the service
//! is measured, and one of HTTP for what is behind a proxy.

use std::convert::Infallible;
use std::process::ExitCode;

use bytes::{Buf, BufMut, Bytes};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};

/// Answers every call of `ApiKeyService` with the file that the one argument names. Health is answered too,
/// as proxies ask for it.
pub fn grpc(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let file = arguments.next().expect("the file of the answer");
    let answer = Bytes::from(std::fs::read(file).expect("the answer can be read"));
    block_on(async {
        let listener = listen().await;
        let connections = TcpListenerStream::new(listener)
            .map(|stream| stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream)));
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<Canned>().await;
        let server = tonic::transport::Server::builder()
            .add_service(health)
            .add_service(Canned(answer))
            .serve_with_incoming(connections);
        server.await.expect("the server runs until it is killed");
    });
    ExitCode::SUCCESS
}

/// Answers every request of HTTP/1.1 with two bytes.
pub fn http() -> ExitCode {
    block_on(async {
        let listener = listen().await;
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("an option of every socket");
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(ok));
            // A client that goes ends its connection only.
            tokio::spawn(async move { drop(served.await) });
        }
    });
    ExitCode::SUCCESS
}

async fn ok(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"ok"))))
}

fn block_on(serving: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(serving);
}

async fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("a bound listener has an address"));
    listener
}

#[derive(Clone)]
struct Canned(Bytes);

impl NamedService for Canned {
    const NAME: &'static str = "keyward.v1.ApiKeyService";
}

impl tower::Service<Request<tonic::body::Body>> for Canned {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = futures_util::future::BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(Grpc::new(Bare).unary(this, request).await) })
    }
}

impl UnaryService<Bytes> for Canned {
    type Response = Bytes;
    type Future = std::future::Ready<Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        std::future::ready(Ok(tonic::Response::new(self.0.clone())))
    }
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Bare;

impl Codec for Bare {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bare {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Bare {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = message.remaining();
        Ok(Some(message.copy_to_bytes(length)))
    }
}
