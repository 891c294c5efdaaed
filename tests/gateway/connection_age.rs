//! A connection ends after a while, in order: what is under way on it is answered.

use std::time::Duration;

use bytes::Bytes;
use gateway::config::Settings;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::echo::Echo;
use crate::rest::{Rest, settings};

const PATIENCE: Duration = Duration::from_secs(20);

async fn rest(echo: &Echo) -> Rest {
    let own = settings(echo.address);
    let drain_ms = Some(60_000);
    Rest::start(Settings { max_connection_age_ms: Some(500), drain_ms, ..own }).await
}

/// Waits for the end of two idle connections, one after the other: any that was there before is then old.
async fn until_old(rest: &Rest) {
    for _ in 0..2 {
        let mut idle = TcpStream::connect(rest.address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answered = String::new();
        let ended = idle.read_to_string(&mut answered);
        tokio::time::timeout(PATIENCE, ended).await.expect("it is closed").unwrap();
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    }
}

#[tokio::test]
async fn a_connection_of_http_1_ends_when_it_is_old_and_its_request_is_answered_first() {
    let echo = Echo::closed().await;
    let rest = rest(&echo).await;
    let mut busy = TcpStream::connect(rest.address).await.unwrap();
    busy.write_all(b"GET /v1/log/head HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    until_old(&rest).await;
    assert_eq!(echo.calls(), 1);
    echo.gate.add_permits(1);
    let mut answered = String::new();
    busy.read_to_string(&mut answered).await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 404"), "{answered}");
    rest.stop().await;
}

#[tokio::test]
async fn a_connection_of_http_2_ends_when_it_is_old_and_its_request_is_answered_first() {
    let echo = Echo::closed().await;
    let rest = rest(&echo).await;
    let stream = TcpStream::connect(rest.address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let uri = format!("http://{}/v1/log/head", rest.address);
    let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
    let asking = tokio::spawn(client.send_request(request));
    until_old(&rest).await;
    assert!(!asking.is_finished());
    echo.gate.add_permits(1);
    assert_eq!(asking.await.unwrap().unwrap().status(), 404);
    tokio::time::timeout(PATIENCE, connection).await.expect("it ends").unwrap().unwrap();
    rest.stop().await;
}
