//! The REST gateway that the one-command default starts beside the service.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::client::Tenant;
use crate::embedded::Embedded;

/// Where the banner says that REST is.
fn rest(banner: &str) -> Option<SocketAddr> {
    let line = banner.lines().find_map(|line| line.strip_prefix("REST:"))?;
    let address = line.trim().strip_prefix("http://").unwrap();
    Some(address.split(',').next().unwrap().parse().unwrap())
}

/// One request over one connection: the status, and the body.
fn ask(at: SocketAddr, head: &str, token: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(at).unwrap();
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
    (status, serde_json::from_str(body).unwrap())
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
async fn there_is_no_gateway_if_none_is_wanted() {
    let embedded = Embedded::new();
    let keyward = embedded.start(&["--no-gateway"]).up().await;
    assert_eq!(rest(&keyward.out()), None);
    assert!(!keyward.out().contains("  curl "));
    keyward.stop().await;
}
