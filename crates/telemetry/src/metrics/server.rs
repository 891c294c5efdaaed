//! The page that Prometheus reads, over HTTP/1 on loopback. It has one path, no credentials and no
//! TLS; health is served elsewhere.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::recorder::Metrics;
use crate::error::TelemetryError;

/// How many connections are served at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 16;
/// How long a caller may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one connection, which is one request, may take in all.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when the system has no sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most bytes that a request's head may have.
const HEAD_SIZE: usize = 8 * 1024;

/// A bound server of `/metrics`; nothing is served until [`serve`](MetricsServer::serve) runs.
#[derive(Debug)]
pub struct MetricsServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    metrics: Metrics,
}

impl MetricsServer {
    /// Listens on `address`, a loopback address; port 0 takes any free port.
    ///
    /// # Errors
    /// [`TelemetryError::NotLoopback`] for an address that other machines reach,
    /// [`TelemetryError::Listen`] when the system refuses.
    pub async fn bind(address: SocketAddr, metrics: Metrics) -> Result<Self, TelemetryError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(TelemetryError::NotLoopback(address));
        }
        let refused = |source| TelemetryError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        Ok(MetricsServer { listener, local_addr, metrics })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `stop` is ready, then lets requests that have begun finish, for at most 10
    /// seconds. Dropping the future ends all at once.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let stopping = CancellationToken::new();
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            tokio::select! {
                () = &mut stop => break,
                Some(_ended) = connections.join_next() => {}
                (place, accepted) = next => match accepted {
                    Ok((socket, _)) => {
                        let served = serve_one(socket, self.metrics.clone(), stopping.clone());
                        connections.spawn(async move {
                            served.await;
                            drop(place);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "metrics could not accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        stopping.cancel();
        while connections.join_next().await.is_some() {}
    }
}

/// Answers one request and closes; a scrape needs no more.
async fn serve_one(socket: TcpStream, metrics: Metrics, stopping: CancellationToken) {
    let answer = service_fn(move |request| {
        let response = respond(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_SIZE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), answer);
    let mut connection = std::pin::pin!(connection);
    let whole = async {
        tokio::select! {
            ended = &mut connection => return ended,
            () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    match timeout(CONNECTION_TIMEOUT, whole).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a metrics connection ended badly"),
        Err(_) => tracing::debug!("a metrics connection took too long"),
    }
}

fn respond(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
    const PAGE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let is_page = request.uri().path() == "/metrics";
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    let (status, kind, body) = match (is_page, is_read) {
        (true, true) => (StatusCode::OK, PAGE, Bytes::from(metrics.render())),
        (true, false) => (StatusCode::METHOD_NOT_ALLOWED, TEXT, Bytes::from("GET only\n")),
        (false, _) => (StatusCode::NOT_FOUND, TEXT, Bytes::from("metrics are at /metrics\n")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
