//! The end of a gateway: what has begun is answered, what has not is not.

use std::time::Duration;

use harness::Server;
use http_body_util::BodyExt;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::echo::Echo;
use crate::rest::{Rest, settings};

#[tokio::test]
async fn a_request_under_way_is_answered_while_new_connections_are_refused() {
    let echo = Echo::closed().await;
    let rest = Rest::start(settings(echo.address)).await;
    let address = rest.address;
    let under_way = tokio::spawn(rest.get("/v1/log/head").send());
    eventually("asked", Duration::from_secs(20), async || echo.calls() == 1).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    idle.readable().await.unwrap();
    let stopping = tokio::spawn(rest.stop());
    // It is closed by the one thread that also serves the request.
    idle.read_to_end(&mut Vec::new()).await.unwrap();
    eventually("no new connection", Duration::from_secs(20), async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(!under_way.is_finished() && !stopping.is_finished());
    echo.gate.add_permits(1);
    assert_eq!(under_way.await.unwrap().status, 404);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_with_a_line_that_says_so() {
    let (server, tenant) = {
        let server = Server::shared().await;
        let tenant = server.workspace("watched").await;
        (server, tenant)
    };
    let rest = Rest::before(&server).await;
    let path = format!("/v1/workspaces/{}/events:watch", tenant.id);
    let mut body = rest.get(&path).bearer(&tenant.token).begin().await.into_body();
    body.frame().await.unwrap().unwrap();
    let stopping = tokio::spawn(rest.stop());
    let rest = body.collect().await.unwrap().to_bytes();
    let rest = String::from_utf8(rest.to_vec()).unwrap();
    let last: serde_json::Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["details"][0]["reason"], "SHUTTING_DOWN", "{rest}");
    stopping.await.unwrap();
}
