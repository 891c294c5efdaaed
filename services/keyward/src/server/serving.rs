//! One connection from its acceptance to its end: by the client, by the drain, or as it is idle or
//! old. The latter three say GOAWAY first, and let the calls under way finish.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::serving::{Accepted, Serve};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Layer, Service};

use super::connection::Connection;
use super::limits::Limits;
use super::tls::Tls;
use crate::grpc::bounded::LONGEST;
use crate::grpc::edge::EdgeLayer;
use crate::grpc::express::ExpressLayer;

/// How long after GOAWAY a connection is there for: every call has ended by then, but for streams.
const FAREWELL: Duration = LONGEST.saturating_add(Duration::from_secs(5));

/// How often it is looked, while a connection becomes idle, whether it is.
const LOOKS: u32 = 4;

/// What all connections of a thread are served with.
pub struct Serving {
    limits: Limits,
    tls: Option<Arc<Tls>>,
    http2: http2::Builder<TokioExecutor>,
    routes: Routes,
    express: ExpressLayer,
    stop: CancellationToken,
}

impl Serving {
    /// What one thread serves with, until `stop`.
    #[must_use]
    pub fn new(
        limits: Limits,
        tls: Option<Arc<Tls>>,
        (routes, express): (Routes, ExpressLayer),
        stop: CancellationToken,
    ) -> Self {
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.headers)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .keep_alive_interval(limits.keepalive)
            .keep_alive_timeout(limits.keepalive_timeout)
            .max_pending_accept_reset_streams(64);
        Self { limits, tls, http2, routes, express, stop }
    }

    async fn shake_hands(&self, accepted: Accepted) -> io::Result<Connection> {
        let Accepted { stream, address, slot } = accepted;
        let stream = TcpStream::from_std(stream)?;
        // Small answers must not wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
        Connection::shake_hands(stream, address, self.tls.as_deref(), slot).await
    }
}

impl Serve for Serving {
    const UNDER_WAY: &'static str = "calls";

    async fn serve(self: Arc<Self>, accepted: Accepted, number: u64) {
        let address = accepted.address;
        let shaken = tokio::select! {
            () = self.stop.cancelled() => return,
            shaken = tokio::time::timeout(self.limits.handshake, self.shake_hands(accepted)) => shaken,
        };
        let connection = match shaken {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return tracing::debug!(%address, %error, "no handshake"),
            Err(_) => return tracing::debug!(%address, "no handshake in time"),
        };
        let service =
            EdgeLayer.layer(self.express.of(connection.peer()).layer(self.routes.clone()));
        let begun = Arc::new(AtomicU64::new(0));
        let calls = Calls { service, begun: Arc::clone(&begun) };
        let mut served = pin!(self.http2.serve_connection(TokioIo::new(connection), calls));

        // The only other thing that is looked at whenever something comes in.
        let end = self.stop.child_token();
        let _watch = AbortOnDropHandle::new(tokio::spawn(outlived(
            begun,
            self.limits.idle,
            spread(self.limits.age, number),
            end.clone(),
        )));
        let ended = tokio::select! {
            biased;
            ended = served.as_mut() => Some(ended),
            () = end.cancelled() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                served.as_mut().graceful_shutdown();
                match tokio::time::timeout(FAREWELL, served).await {
                    Ok(ended) => ended,
                    Err(_) => return tracing::debug!(%address, "cut: a stream did not end"),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection broke");
        }
    }
}

/// Cancels `end` once no call has begun for `idle`, or `age` has passed.
async fn outlived(begun: Arc<AtomicU64>, idle: Duration, age: Duration, end: CancellationToken) {
    let old = Instant::now() + age;
    let (mut seen, mut quiet) = (0, 0);
    loop {
        let left = old.saturating_duration_since(Instant::now());
        if quiet == LOOKS || left.is_zero() {
            return end.cancel();
        }
        tokio::time::sleep((idle / LOOKS).min(left)).await;
        let now = begun.load(Ordering::Relaxed);
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
}

/// From nine to eleven tenths of `age`, so that connections made at once are not all made anew at once.
fn spread(age: Duration, number: u64) -> Duration {
    let percent = u32::try_from(90 + number.wrapping_mul(7) % 21).unwrap_or(100);
    age * percent / 100
}

/// What answers the calls of one connection.
struct Calls<S> {
    service: S,
    /// Written by the thread of the connection alone.
    begun: Arc<AtomicU64>,
}

impl<S> hyper::service::Service<Request<Incoming>> for Calls<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> S::Future {
        self.begun.store(self.begun.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        // None of the services has to be asked whether it is ready: they always are.
        self.service.clone().call(request.map(Body::new))
    }
}
