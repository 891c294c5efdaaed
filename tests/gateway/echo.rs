//! A service that is none: it notes what it is asked with, waits if it is told to, and answers NOT_FOUND or
//! what it is told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// See the module.
#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
    /// The gRPC status that is answered, by its number.
    says: Arc<Mutex<u32>>,
    /// One permit lets one call go on.
    pub(crate) gate: Arc<Semaphore>,
}

impl Echo {
    /// Answers at once.
    pub(crate) async fn start() -> Self {
        let echo = Self::closed().await;
        echo.gate.add_permits(1_000);
        echo
    }

    /// Answers nothing until its gate is opened.
    pub(crate) async fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Arc::new(Semaphore::new(0));
        let address = listener.local_addr().unwrap();
        let says = Arc::new(Mutex::new(5));
        let echo = Self { address, asked: Arc::default(), says, gate };
        let accepting = echo.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let echo = accepting.clone();
                tokio::spawn(async move {
                    let answer = service_fn(|request| echo.clone().answer(request));
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        echo
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        self.asked.lock().unwrap().push(request.headers().clone());
        self.gate.acquire().await.unwrap().forget();
        let answer = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", *self.says.lock().unwrap())
            .header("grpc-message", "nothing here");
        Ok(answer.body(Full::default()).unwrap())
    }

    /// From now on it answers this gRPC status, without a message even where it is OK.
    pub(crate) fn say(&self, code: u32) {
        *self.says.lock().unwrap() = code;
    }

    /// The headers of the only call.
    pub(crate) fn only(&self) -> HeaderMap {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        asked[0].clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}
