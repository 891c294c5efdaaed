//! What tests of the gateway begin with: a gateway in front of a server, and requests to it.

use std::net::SocketAddr;
use std::sync::OnceLock;

use bytes::Bytes;
use gateway::config::Settings;
use gateway::{Config, Gateway};
use harness::Server;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use telemetry::Telemetry;

/// A gateway. It ends with the test.
pub(crate) struct Rest {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Option<Gateway>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Settings of a gateway in front of this server, on a free port.
pub(crate) fn settings(service: SocketAddr) -> Settings {
    Settings {
        listen: Some(([127, 0, 0, 1], 0).into()),
        service: Some(service.to_string()),
        no_metrics: Some(true),
        threads: Some(1),
        drain_ms: Some(2_000),
        // Many tests share few cores.
        verify_timeout_ms: Some(5_000),
        ..Settings::default()
    }
}

impl Rest {
    /// In front of this server.
    pub(crate) async fn before(server: &Server) -> Self {
        Self::start(settings(server.address())).await
    }

    /// With these settings.
    pub(crate) async fn start(settings: Settings) -> Self {
        let config = Config::resolve(settings).unwrap();
        let gateway = Gateway::start(config, &Telemetry::for_tests()).await.unwrap();
        Self { address: gateway.address(), gateway: Some(gateway) }
    }

    /// In front of the shared server, shared as well.
    pub(crate) async fn shared() -> Self {
        static SHARED: tokio::sync::OnceCell<SocketAddr> = tokio::sync::OnceCell::const_new();
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        let address = SHARED.get_or_init(|| async {
            let server = Server::shared().await.address();
            let runtime = RUNTIME.get_or_init(|| {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(1).enable_all().build().unwrap()
            });
            let started = runtime.spawn(async move { Self::start(settings(server)).await });
            let rest = started.await.unwrap();
            let address = rest.address;
            // For as long as the tests go on.
            std::mem::forget(rest);
            address
        });
        Self { address: *address.await, gateway: None }
    }

    /// Drains and stops.
    pub(crate) async fn stop(mut self) {
        self.gateway.take().unwrap().stop().await;
    }

    /// A request, to be filled in.
    pub(crate) fn request(&self, method: Method, path: &str) -> Asking {
        let request =
            Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        Asking { request, body: Bytes::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Asking {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<Bytes>) -> Asking {
        self.request(Method::POST, path).body(body)
    }
}

/// A request.
pub(crate) struct Asking {
    request: http::request::Builder,
    body: Bytes,
}

impl Asking {
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With a header of any bytes in place of those of its name.
    pub(crate) fn value(mut self, name: &str, value: HeaderValue) -> Self {
        let headers = self.request.headers_mut().unwrap();
        headers.insert(http::HeaderName::try_from(name).unwrap(), value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends it; the body of the answer is still to come.
    pub(crate) async fn begin(self) -> http::Response<Incoming> {
        self.begin_by(false).await
    }

    async fn begin_by(self, http2: bool) -> http::Response<Incoming> {
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
        client.request(self.request.body(Full::new(self.body)).unwrap()).await.unwrap()
    }

    /// Sends it.
    pub(crate) async fn send(self) -> Answer {
        Answer::read(self.begin().await).await
    }

    /// Sends it by HTTP/2.
    pub(crate) async fn send_by_http2(self) -> Answer {
        Answer::read(self.begin_by(true).await).await
    }
}

impl Answer {
    async fn read(answer: http::Response<Incoming>) -> Self {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {:?}", self.status, self.body))
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }

    /// A header that is there once; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice");
        first
    }

    /// Status and `ErrorInfo.reason` of a failure in the canonical envelope.
    pub(crate) fn refused(&self) -> (u16, String) {
        let body = self.json();
        let error = &body["error"];
        assert_eq!(error["code"], self.status.as_u16(), "{body}");
        let info = &error["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo", "{body}");
        assert_eq!(info["domain"], "keyward", "{body}");
        (self.status.as_u16(), info["reason"].as_str().unwrap().to_owned())
    }

    /// Path and rule of the field that is refused.
    pub(crate) fn field(&self) -> (String, String) {
        let body = self.json();
        assert_eq!(self.refused(), (400, "FIELD_INVALID".to_owned()), "{body}");
        let bad = &body["error"]["details"][1];
        assert_eq!(bad["@type"], "type.googleapis.com/google.rpc.BadRequest", "{body}");
        let first = &bad["fieldViolations"][0];
        let text = |name: &str| first[name].as_str().unwrap().to_owned();
        (text("field"), text("description"))
    }
}
