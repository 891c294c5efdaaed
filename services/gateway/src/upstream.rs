//! The service: three channels a thread, over which typed clients and bytes that are messages already go alike.

use std::error::Error;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use settings::{ConfigError, refuse};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tower::Service;

use crate::config::Service as Where;
use crate::refusal::Refusal;

/// What stands before a message: a flag, and its length in four bytes.
pub(crate) const HEAD: usize = 5;
/// The most bytes of one answer.
pub(crate) const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How much longer than the service is waited here: its own answer says more.
const LONGER: Duration = Duration::from_millis(250);

static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What is taken in of a stream ahead of whoever reads it, and of all streams of one connection: of as many
/// as the service has on one.
const STREAM_AHEAD: u32 = 64 * 1024;
const STREAMS_AHEAD: u32 = 256 * STREAM_AHEAD;

/// How the service is reached.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    channel: Channel,
    /// A connection of their own, since what a client does not read fills it up, and all that is on it waits.
    streams: Channel,
    /// One for `/verify`: what else takes its time must not hold up a verdict.
    verdicts: Channel,
}

/// A call's patience, and how gRPC spells it.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pub(crate) longest: Duration,
    spelt: HeaderValue,
}

impl Patience {
    pub(crate) fn new(longest: Duration) -> Self {
        let spelt = HeaderValue::try_from(format!("{}m", longest.as_millis().min(99_999_999)));
        let spelt = spelt.unwrap_or_else(|_| HeaderValue::from_static("5000m"));
        Self { longest, spelt }
    }
}

/// Where the service is, as a channel can be made of it.
///
/// # Errors
/// The address or the TLS files can't be used.
pub(crate) fn endpoint(service: &Where) -> Result<Endpoint, ConfigError> {
    let scheme = if service.tls.is_some() { "https" } else { "http" };
    let wrong = |rule: &str| refuse("service", rule);
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", service.address))
        .map_err(|_| wrong("must be a host and a port"))?
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(5))
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024);
    let Some(files) = &service.tls else {
        return Ok(endpoint);
    };
    let pem = |path: &std::path::Path| {
        std::fs::read(path).map_err(|source| ConfigError::file(path, source))
    };
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem(&files.roots)?));
    if let Some((certificate, key)) = &files.identity {
        tls = tls.identity(Identity::from_pem(pem(certificate)?, pem(key)?));
    }
    if let Some(name) = &files.name {
        tls = tls.domain_name(name);
    }
    endpoint.tls_config(tls).map_err(|_| wrong("its TLS files can't be used"))
}

impl Upstream {
    /// Connects when it is first used, and again whenever it must. Belongs to the runtime that it is
    /// made in.
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let streams = endpoint.clone().initial_stream_window_size(STREAM_AHEAD);
        let streams = streams.initial_connection_window_size(STREAMS_AHEAD);
        let connect = || endpoint.connect_lazy();
        Self { channel: connect(), streams: streams.connect_lazy(), verdicts: connect() }
    }

    /// For a typed client.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// For `/verify`.
    pub(crate) fn verdicts(&self) -> Channel {
        self.verdicts.clone()
    }

    /// Asks an RPC with one answer. `framed` is a message with its head.
    pub(crate) async fn unary(
        &self,
        path: &PathAndQuery,
        metadata: HeaderMap,
        framed: Bytes,
        patience: &Patience,
    ) -> Result<Bytes, Refusal> {
        let asked = async {
            let channel = self.channel.clone();
            let answer = call(channel, path, metadata, framed, Some(patience)).await?;
            one_message(answer.into_body()).await
        };
        match tokio::time::timeout(patience.longest + LONGER, asked).await {
            Ok(answered) => answered,
            Err(_) => Err(Refusal::late()),
        }
    }

    /// Asks an RPC with many answers; for as long as it takes.
    pub(crate) async fn stream(
        &self,
        path: &PathAndQuery,
        metadata: HeaderMap,
        framed: Bytes,
    ) -> Result<Messages, Refusal> {
        let answer = call(self.streams.clone(), path, metadata, framed, None).await?;
        Ok(Messages { body: answer.into_body(), read: BytesMut::new() })
    }
}

async fn call(
    mut channel: Channel,
    path: &PathAndQuery,
    mut metadata: HeaderMap,
    framed: Bytes,
    patience: Option<&Patience>,
) -> Result<Response<Body>, Refusal> {
    metadata.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    metadata.insert(TE, HeaderValue::from_static("trailers"));
    if let Some(patience) = patience {
        metadata.insert(&GRPC_TIMEOUT, patience.spelt.clone());
    }
    let mut request = Request::new(Body::new(Full::new(framed)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(path.clone());
    *request.headers_mut() = metadata;
    std::future::poll_fn(|context| channel.poll_ready(context)).await.map_err(failed)?;
    let answer = channel.call(request).await.map_err(failed)?;
    if answer.status() != http::StatusCode::OK {
        tracing::warn!(status = %answer.status(), "the service does not speak gRPC");
        return Err(Refusal::unreachable());
    }
    // Trailers come as headers if there is nothing else.
    match status(answer.headers()) {
        Some(Err(refusal)) => Err(refusal),
        Some(Ok(())) | None => Ok(answer),
    }
}

/// What it means that there is no answer. The channel watches the deadline as well.
#[cold]
fn failed(error: tonic::transport::Error) -> Refusal {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return Refusal::late();
        }
        cause = error.source();
    }
    tracing::debug!(error = &error as &dyn Error, "the service is not there");
    Refusal::unreachable()
}

/// What trailers say.
fn status(trailers: &HeaderMap) -> Option<Result<(), Refusal>> {
    let code = trailers.get(Status::GRPC_STATUS)?;
    if code == "0" {
        return Some(Ok(()));
    }
    Status::from_header_map(trailers).map(|status| Err(status.into()))
}

async fn one_message(mut body: Body) -> Result<Bytes, Refusal> {
    let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
    let mut ended = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::unreachable())?;
        match frame.into_data() {
            Ok(part) if first.is_empty() && joined.is_empty() => first = part,
            Ok(part) => {
                joined.extend_from_slice(&std::mem::take(&mut first));
                joined.extend_from_slice(&part);
            }
            Err(frame) => ended = frame.trailers_ref().and_then(status),
        }
        if joined.len() > LARGEST_ANSWER {
            return Err(broken("an answer is too large"));
        }
    }
    ended.unwrap_or_else(|| Err(Refusal::unreachable()))?;
    let mut message = if joined.is_empty() { first } else { joined.freeze() };
    match announced(&message)? {
        Some(length) if message.len() == HEAD + length => {
            message.advance(HEAD);
            Ok(message)
        }
        Some(_) | None => Err(broken("an answer is not one message")),
    }
}

/// The length of the message that begins here, if its head is there.
fn announced(begun: &[u8]) -> Result<Option<usize>, Refusal> {
    let Some((head, _)) = begun.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let [flag, length @ ..] = *head;
    let length =
        usize::try_from(u32::from_be_bytes(length)).ok().filter(|&it| it <= LARGEST_ANSWER);
    match (flag, length) {
        (0, Some(length)) => Ok(Some(length)),
        (_, _) => Err(broken("an answer is compressed, or too large")),
    }
}

#[cold]
fn broken(what: &str) -> Refusal {
    tracing::error!("{what}");
    Refusal::internal()
}

/// The answers of a stream, as they come.
pub(crate) struct Messages {
    body: Body,
    read: BytesMut,
}

impl Messages {
    /// The next one; none at a proper end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if let Some(length) = announced(&self.read)?
                && self.read.len() >= HEAD + length
            {
                self.read.advance(HEAD);
                return Ok(Some(self.read.split_to(length).freeze()));
            }
            match self.body.frame().await {
                None => return Err(Refusal::unreachable()),
                Some(Err(_)) => return Err(Refusal::unreachable()),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => self.read.extend_from_slice(&part),
                    Err(frame) => {
                        let ended = frame.trailers_ref().and_then(status);
                        return ended.unwrap_or_else(|| Err(Refusal::unreachable())).map(|()| None);
                    }
                },
            }
        }
    }
}
