//! The REST gateway that the one-command default starts beside the service.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::client::Tenant;
use crate::embedded::Embedded;

/// Where the banner says that REST is.
pub(crate) fn rest(banner: &str) -> Option<SocketAddr> {
    let line = banner.lines().find_map(|line| line.strip_prefix("REST:"))?;
    let address = line.trim().strip_prefix("http://").unwrap();
    Some(address.split(',').next().unwrap().parse().unwrap())
}

/// One request over one connection, its head to be followed by more: the status, and the body.
pub(crate) fn ask(at: SocketAddr, head: &str, token: &str, body: &str) -> (u16, Value) {
    ask_over(TcpStream::connect(at).unwrap(), head, token, body)
}

/// The status of a request without a body, whatever its answer is.
pub(crate) fn status(at: SocketAddr, head: &str, token: &str) -> u16 {
    send(TcpStream::connect(at).unwrap(), head, token, "").0
}

fn ask_over(stream: TcpStream, head: &str, token: &str, body: &str) -> (u16, Value) {
    let (status, body) = send(stream, head, token, body);
    (status, serde_json::from_str(&body).unwrap())
}

fn send(mut stream: TcpStream, head: &str, token: &str, body: &str) -> (u16, String) {
    let at = stream.peer_addr().unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test]
async fn the_printed_curl_lines_make_a_key_and_verify_it() {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let banner = keyward.out();
    let at = rest(&banner).expect("the banner says where REST is");
    let tenant = Tenant::printed(&banner);
    let path = format!("/v1/workspaces/{}/keys", tenant.workspace);
    for printed in [format!("http://{at}{path}"), format!("http://{at}/v1/keys:verify")] {
        assert!(banner.contains(&printed), "{printed} in {banner}");
    }
    let (status, made) =
        ask(at, &format!("POST {path}"), &tenant.token, r#"{"name":"second key"}"#);
    assert_eq!(status, 200, "{made}");
    let question = format!(r#"{{"key":{}}}"#, made["secret"]);
    let (status, verdict) = ask(at, "POST /v1/keys:verify", &tenant.token, &question);
    assert_eq!(
        (status, verdict["decision"].as_str()),
        (200, Some("DECISION_ACCEPTED")),
        "{verdict}"
    );
    keyward.stop().await;
    assert!(TcpStream::connect(at).is_err(), "the gateway ends with the service");
}

#[tokio::test]
async fn what_is_done_over_rest_is_recorded_with_the_address_of_who_did_it() {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let banner = keyward.out();
    let (at, tenant) = (rest(&banner).unwrap(), Tenant::printed(&banner));
    let path = format!("/v1/workspaces/{}", tenant.workspace);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let stream = socket.connect(at).await.unwrap().into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let create = format!("POST {path}/keys");
    let (status, made) = ask_over(stream, &create, &tenant.token, r#"{"name":"from elsewhere"}"#);
    assert_eq!(status, 200, "{made}");
    let (_, events) = ask(at, &format!("GET {path}/events?pageSize=1"), &tenant.token, "");
    assert_eq!(events["events"][0]["callerAddress"], "127.0.0.2", "{events}");
    keyward.stop().await;
}

#[tokio::test]
async fn there_is_no_gateway_if_none_is_wanted() {
    let embedded = Embedded::new();
    let keyward = embedded.start(&["--no-gateway"]).up().await;
    assert_eq!(rest(&keyward.out()), None);
    assert!(!keyward.out().contains("  curl "));
    keyward.stop().await;
}
