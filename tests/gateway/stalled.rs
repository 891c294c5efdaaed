//! Streams whose clients don't read them, and calls that take their time: nobody else's answers wait for
//! them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::v1::{AuditEvent, WatchEventsResponse};
use bytes::Bytes;
use gateway::config::Settings;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::echo::Echo;
use crate::rest::{Rest, settings};
use crate::verify::verifying_settings;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A service whose streams never end, and whose other answers are one empty message.
async fn endless(sent: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sent = Arc::clone(&sent);
            tokio::spawn(async move {
                let answer = service_fn(|request| answer(request, Arc::clone(&sent)));
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}

async fn answer(
    request: Request<Incoming>,
    sent: Arc<AtomicUsize>,
) -> Result<Response<Body>, Infallible> {
    let body = if request.uri().path().ends_with("WatchEvents") {
        let event = AuditEvent { kind: "x".repeat(30_000), ..AuditEvent::default() };
        let message = WatchEventsResponse { events: vec![event], ..WatchEventsResponse::default() };
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let framed = Bytes::from([&[0][..], &length, &message].concat());
        let frames = std::iter::repeat_with(move || {
            sent.fetch_add(1, Ordering::Relaxed);
            Ok(Frame::data(framed.clone()))
        });
        StreamBody::new(tokio_stream::iter(frames)).boxed_unsync()
    } else {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", 0.into());
        let empty = Full::new(Bytes::from_static(&[0; 5]));
        empty.with_trailers(async move { Some(Ok(trailers)) }).boxed_unsync()
    };
    Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
}

#[tokio::test]
async fn streams_that_nobody_reads_hold_up_nobody_else_s_answers() {
    let sent = Arc::new(AtomicUsize::new(0));
    let rest = Rest::start(settings(endless(Arc::clone(&sent)).await)).await;
    assert_eq!(rest.get("/v1/log/head").send().await.status, 200);
    let stream = TcpStream::connect(rest.address).await.unwrap();
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let small = builder.initial_stream_window_size(1_024).adaptive_window(false);
    let (mut client, connection) = small.handshake(TokioIo::new(stream)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let mut unread = Vec::new();
    for _ in 0..32 {
        let uri = format!("http://{}/v1/workspaces/ws_1/events:watch", rest.address);
        let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
        unread.push(client.send_request(request).await.unwrap());
    }
    let (mut before, mut times) = (0, 0);
    eventually("the streams stand still", Duration::from_secs(60), async || {
        let now = sent.load(Ordering::Relaxed);
        times = if now == before { times + 1 } else { 0 };
        before = now;
        times == 20
    })
    .await;
    let answer = rest.get("/v1/log/head").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(unread);
    rest.stop().await;
}

#[tokio::test]
async fn an_old_connection_ends_even_if_its_stream_does_not() {
    let service = endless(Arc::default()).await;
    let own =
        Settings { max_connection_age_ms: Some(500), drain_ms: Some(100), ..settings(service) };
    let rest = Rest::start(own).await;
    let mut stream = TcpStream::connect(rest.address).await.unwrap();
    let asked = b"GET /v1/workspaces/ws_1/events:watch HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    let mut read = vec![0; 1 << 20];
    let ends = async { while stream.read(&mut read).await.is_ok_and(|count| count > 0) {} };
    tokio::time::timeout(Duration::from_secs(20), ends).await.expect("it ends");
    rest.stop().await;
}

#[tokio::test]
async fn calls_that_take_their_time_hold_up_no_verdict() {
    let (echo, folder) = (Echo::closed().await, tempfile::TempDir::new().unwrap());
    let own = verifying_settings(&folder, "a-credential", settings(echo.address));
    let rest = Rest::start(Settings { timeout_ms: Some(60_000), ..own }).await;
    // As many as there may be at once on one connection to such a service, and more.
    let slow: Vec<_> = (0..250).map(|_| tokio::spawn(rest.get("/v1/log/head").send())).collect();
    eventually("no more are taken in", Duration::from_secs(20), async || echo.calls() == 200).await;
    let verdict = tokio::spawn(rest.get("/verify").bearer("kwk_live_x").send());
    eventually("a verdict is asked for", Duration::from_secs(20), async || echo.calls() == 201)
        .await;
    echo.gate.add_permits(1_000);
    verdict.await.unwrap();
    for one in slow {
        one.await.unwrap();
    }
    rest.stop().await;
}
