//! What one client may use up, and that it ends there.

use std::time::{Duration, Instant};

use api::v1::CreateApiKeyRequest;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;
use tonic_types::StatusExt;

use crate::child::{Keyward, PATIENCE};
use crate::client::Client;
use crate::deployment::Deployment;
use crate::frames::{
    CANCEL, Connection, DATA, END_STREAM, GOAWAY, HEADERS, NO_ERROR, RST_STREAM, SETTINGS,
};
use crate::observability::scrape;

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// A service with a client that it serves, before and after.
struct Scene {
    keyward: Keyward,
    client: Client,
    key: String,
    deployment: Deployment,
}

impl Scene {
    async fn new(flags: &[&str]) -> Self {
        let deployment = Deployment::new().await;
        let tenant = deployment.tenant().await;
        let keyward = deployment.serve(flags).await;
        let mut client = Client::new(keyward.address(), &tenant);
        let key = client.create(client.plain_key()).await.unwrap().secret;
        Self { keyward, client, key, deployment }
    }

    /// A client with a connection of its own.
    fn another(&self) -> Client {
        Client::new(self.keyward.address(), &self.client.tenant)
    }

    async fn assert_serves(&self) {
        self.another().assert_accepted(&self.key).await;
    }
}

/// How long until the other side has closed.
async fn closed(mut socket: TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, socket.read_to_end(&mut rest)).await.expect("it is closed");
    begun.elapsed()
}

#[tokio::test]
async fn whoever_does_not_speak_http_2_in_time_is_gone() {
    let scene = Scene::new(&[]).await;
    let address = scene.keyward.address();
    let silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"PRI * HTT").await.unwrap();
    let mut old = TcpStream::connect(address).await.unwrap();
    old.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();

    let (silent, slow, old) = tokio::join!(closed(silent), closed(slow), closed(old));
    assert!(old < silent, "no time-out is waited for: {old:?}");
    for waited in [silent, slow] {
        assert!(waited > Duration::from_secs(3), "a slow network gets a chance: {waited:?}");
    }
    scene.assert_serves().await;
}

#[tokio::test]
async fn the_limits_are_announced_and_the_257th_open_call_is_refused() {
    let scene = Scene::new(&[]).await;
    let mut connection = Connection::open(scene.keyward.address()).await;
    let settings = connection.receive_kind(SETTINGS).await.unwrap();
    let announced: Vec<_> = settings
        .payload
        .chunks(6)
        .map(|one| (one[1], u32::from_be_bytes(one[2..6].try_into().unwrap())))
        .collect();
    assert!(announced.contains(&(3, 256)), "MAX_CONCURRENT_STREAMS: {announced:?}");
    assert!(announced.contains(&(6, 16_384)), "MAX_HEADER_LIST_SIZE: {announced:?}");

    let streams: Vec<u32> = (0..257).map(|call| 2 * call + 1).collect();
    for stream in &streams {
        connection.begin(*stream, &[]).await.unwrap();
    }
    let reset = timeout(PATIENCE, connection.receive_kind(RST_STREAM)).await.unwrap().unwrap();
    assert_eq!((reset.stream, reset.number(0)), (streams[256], REFUSED_STREAM));
    scene.assert_serves().await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused_and_the_connection_goes_on() {
    let scene = Scene::new(&[]).await;
    let mut connection = Connection::open(scene.keyward.address()).await;
    let large = "x".repeat(20_000);
    connection.begin(1, &[("x-large", &large)]).await.unwrap();
    let answer = timeout(PATIENCE, connection.receive_kind(HEADERS)).await.unwrap().unwrap();
    assert_eq!(answer.stream, 1);
    // HPACK: a value of three bytes in Huffman's code, "431" (RFC 6585: header fields too large).
    let too_large = [0x83, 0x69, 0x90, 0xff];
    assert!(answer.payload.windows(4).any(|part| part == too_large), "{:x?}", answer.payload);
    connection.begin(3, &[]).await.expect("the connection is still there");
    connection.send(RST_STREAM, 0, 3, &CANCEL.to_be_bytes()).await.unwrap();
    scene.assert_serves().await;
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_one_ends() {
    let scene = Scene::new(&["--max-connections", "2"]).await;
    let mut second = Connection::open(scene.keyward.address()).await;
    second.receive_kind(SETTINGS).await.expect("it is served");
    let (mut third, key) = (scene.another(), scene.key.clone());
    let mut waiting = tokio::spawn(async move { third.verify(&key).await });
    let early = timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(early.is_err(), "there was no slot for it");
    drop(second);
    let answered = timeout(PATIENCE, waiting).await.expect("its turn comes").unwrap();
    answered.expect("it is served like any other");
}

#[tokio::test]
async fn a_client_that_resets_its_calls_at_once_is_thrown_out_and_others_are_served() {
    let mut scene = Scene::new(&["--serving-threads", "1"]).await;
    let mut connection = Connection::open(scene.keyward.address()).await;
    let mut stream = 1;
    let attack = async {
        loop {
            let begun = connection.begin(stream, &[]).await;
            let reset = connection.send(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()).await;
            if begun.is_err() || reset.is_err() || stream > 200_000 {
                return stream;
            }
            stream += 2;
        }
    };
    let reached = timeout(PATIENCE, attack).await.unwrap();
    assert!(reached < 200_000, "100,000 calls were begun and reset on one connection");
    if let Some(farewell) = timeout(PATIENCE, connection.receive_kind(GOAWAY)).await.unwrap() {
        assert_ne!(farewell.number(4), NO_ERROR);
        assert_eq!(farewell.number(4), ENHANCE_YOUR_CALM);
    }
    // Also on a connection that was there all along, on the same thread.
    let key = scene.key.clone();
    scene.client.assert_accepted(&key).await;
    scene.assert_serves().await;
}

#[tokio::test]
async fn verdicts_go_on_while_management_calls_are_at_their_limit() {
    let mut scene = Scene::new(&["--max-management-calls", "1"]).await;
    let holder = scene.deployment.superuser().await;
    holder.batch_execute("BEGIN; SELECT 1 FROM log.head FOR UPDATE").await.unwrap();
    let mut first = scene.another();
    let call = tokio::spawn(async move { first.create(first.plain_key()).await });
    let refused = eventually("the one slot is taken", PATIENCE, async || {
        let request = scene.client.plain_key();
        timeout(Duration::from_millis(100), scene.client.create(request)).await.ok()?.err()
    })
    .await;
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.message().contains("too much to do"), "{refused}");
    scene.assert_serves().await;
    drop(holder);
    let _ = call.await.unwrap();
}

#[tokio::test]
async fn large_messages_share_a_room_and_small_ones_go_on_while_it_is_full() {
    let mut scene = Scene::new(&[]).await;
    let credential = format!("Bearer {}", scene.client.tenant.token);
    let mut holder = Connection::open(scene.keyward.address()).await;
    let mut stream = 1;
    let mut hold = async || {
        holder.begin_call(stream, "CreateApiKey", &[("authorization", &credential)]).await.unwrap();
        // A mebibyte is announced, and never comes.
        holder.send(DATA, 0, stream, &[0, 0, 0x10, 0, 0]).await.unwrap();
        stream += 2;
    };
    for _ in 0..64 {
        hold().await;
    }
    let ip_allowlist = (0..5_000).map(|n| format!("2001:db8::{n:x}")).collect();
    let large = CreateApiKeyRequest { ip_allowlist, ..scene.client.plain_key() };
    let refused = eventually("the room is full", PATIENCE, async || {
        let refused = scene.client.create(large.clone()).await.err();
        if refused.is_none() {
            // It had the room that one of those was refused for.
            hold().await;
        }
        refused
    })
    .await;
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "LARGE_MESSAGES_EXHAUSTED");
    assert!(details.retry_info().is_some());
    scene.client.create(scene.client.plain_key()).await.expect("small messages are taken");
    scene.assert_serves().await;
    drop(holder);
    eventually("there is room again", PATIENCE, async || {
        scene.client.create(large.clone()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_connection_without_calls_is_ended_and_one_with_calls_is_not() {
    let mut scene = Scene::new(&["--connection-idle-ms", "4000"]).await;
    let mut idle = Connection::open(scene.keyward.address()).await;
    let mut busy = Connection::open(scene.keyward.address()).await;
    let key = scene.key.clone();
    let mut stream = 1;
    let ended = eventually("the idle one is ended", PATIENCE, async || {
        busy.begin(stream, &[]).await.unwrap();
        busy.send(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()).await.unwrap();
        stream += 2;
        timeout(Duration::from_millis(200), idle.receive_kind(GOAWAY)).await.ok()
    });
    assert_eq!(ended.await.unwrap().number(4), NO_ERROR);
    let told = timeout(Duration::from_millis(1), busy.receive_kind(GOAWAY)).await;
    assert!(told.is_err(), "it was told to go: {told:?}");
    scene.client.assert_accepted(&key).await;
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_its_call_under_way_is_answered() {
    let scene = Scene::new(&["--connection-age-ms", "1000"]).await;
    let credential = format!("Bearer {}", scene.client.tenant.token);
    let mut old = Connection::open(scene.keyward.address()).await;
    old.begin(1, &[("authorization", &credential)]).await.unwrap();
    let farewell = timeout(PATIENCE, old.receive_kind(GOAWAY)).await.unwrap().unwrap();
    assert_eq!(farewell.number(4), NO_ERROR);
    // An empty message: no key is malformed.
    old.send(DATA, END_STREAM, 1, &[0; 5]).await.unwrap();
    let answer = timeout(PATIENCE, old.receive_kind(DATA)).await.unwrap().unwrap();
    assert_eq!(answer.stream, 1);
    assert!(answer.payload.len() > 5, "a verdict");
    scene.assert_serves().await;
}

#[tokio::test]
async fn a_late_verdict_is_counted_as_such() {
    let scene = Scene::new(&[]).await;
    let mut connection = Connection::open(scene.keyward.address()).await;
    connection.begin(1, &[("grpc-timeout", "20m")]).await.unwrap();
    timeout(PATIENCE, connection.receive_kind(HEADERS)).await.unwrap().unwrap();
    let page = scrape(scene.keyward.metrics_address()).await;
    let counted = page.lines().any(|line| {
        line.starts_with("keyward_grpc_requests_total{")
            && line.contains("rpc=\"VerifyKey\"")
            && line.contains("code=\"DEADLINE_EXCEEDED\"")
            && line.ends_with(" 1")
    });
    assert!(counted, "{page}");
}
