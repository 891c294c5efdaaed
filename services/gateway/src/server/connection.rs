//! One connection from its acceptance to its end: by the client, by silence, by its age or by the drain, both
//! of which let the requests under way finish, for as long as a call and a drain may take.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use serving::{Accepted, Serve};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::edge;
use crate::node::Node;
use crate::reply::ReplyBody;

/// For the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// For the head of a request, and so for a pause between two.
const HEAD: Duration = Duration::from_secs(60);
/// Bytes of all headers of one request.
const HEADERS: usize = 16 * 1024;
/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 256;

/// What all connections of a thread are served with.
pub(crate) struct Serving {
    http: auto::Builder<TokioExecutor>,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    node: Arc<Node>,
}

impl Serving {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(4 * HEADERS)
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEADERS).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_pending_accept_reset_streams(64);
        Self { http, tls: node.shared.files.tls(), node }
    }

    async fn speak<S>(&self, stream: S, peer: IpAddr) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answers = Answers { node: Arc::clone(&self.node), peer };
        let mut serving = pin!(self.http.serve_connection(TokioIo::new(stream), answers));
        let age = aged(self.node.shared.config.connection_age);
        let ended = tokio::select! {
            biased;
            ended = serving.as_mut() => Some(ended),
            () = self.node.shared.stopping.cancelled() => None,
            () = tokio::time::sleep(age) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                serving.as_mut().graceful_shutdown();
                let config = &self.node.shared.config;
                match tokio::time::timeout(config.drain + config.timeout, serving).await {
                    Ok(ended) => ended,
                    Err(_) => return Err(io::Error::other("cut: a request did not end")),
                }
            }
        };
        ended.map_err(io::Error::other)
    }
}

impl Serve for Serving {
    const UNDER_WAY: &'static str = "requests";

    async fn serve(self: Arc<Self>, accepted: Accepted, _number: u64) {
        let Accepted { stream, address, slot } = accepted;
        let served = async {
            let stream = TcpStream::from_std(stream)?;
            // Small answers must not wait for the acknowledgement of earlier ones.
            let _ = stream.set_nodelay(true);
            match self.tls.as_ref().map(|current| Arc::clone(&current.borrow())) {
                None => self.speak(stream, address.ip()).await,
                Some(config) => {
                    let shaking = TlsAcceptor::from(config).accept(stream);
                    let stream = tokio::time::timeout(HANDSHAKE, shaking).await??;
                    self.speak(stream, address.ip()).await
                }
            }
        };
        let ended: io::Result<()> = served.await;
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection broke");
        }
        drop(slot);
    }
}

/// Give or take a tenth, so that connections that began together do not end together.
fn aged(age: Duration) -> Duration {
    let chance = RandomState::new().hash_one(()) % 201;
    age.mul_f64(0.9 + chance as f64 / 1_000.0)
}

/// What answers the requests of one connection.
struct Answers {
    node: Arc<Node>,
    peer: IpAddr,
}

impl hyper::service::Service<Request<Incoming>> for Answers {
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answering = edge::serve(Arc::clone(&self.node), self.peer, request);
        Box::pin(async move { Ok(answering.await) })
    }
}
