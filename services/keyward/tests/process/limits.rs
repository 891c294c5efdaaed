//! What one client may use up, and that it ends there.

use std::time::{Duration, Instant};

use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::child::{Keyward, PATIENCE};
use crate::client::Client;
use crate::deployment::Deployment;
use crate::frames::{CANCEL, Connection, GOAWAY, HEADERS, NO_ERROR, RST_STREAM, SETTINGS};

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
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    assert!(refused.message().contains("too much to do"), "{refused}");
    scene.assert_serves().await;
    drop(holder);
    let _ = call.await.unwrap();
}
