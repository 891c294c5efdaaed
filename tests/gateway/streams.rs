//! Streams over HTTP: a line a message, or an event.

use std::time::Duration;

use harness::{Server, Tenant};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use crate::rest::Rest;

/// The next message that has this many events.
async fn next(body: &mut Incoming, begins: &str, read: &mut String) -> Value {
    loop {
        while let Some(end) = read.find('\n') {
            let line: String = read.drain(..=end).collect();
            if line.trim().is_empty() {
                continue;
            }
            let json = line.strip_prefix(begins).unwrap_or_else(|| panic!("{line:?}"));
            let message: Value = serde_json::from_str(json).unwrap();
            if message["events"].is_array() {
                return message;
            }
        }
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await.unwrap();
        let part = frame.unwrap().unwrap().into_data().unwrap();
        read.push_str(std::str::from_utf8(&part).unwrap());
    }
}

async fn watched(accept: &str, kind: &str, begins: &str) {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant: Tenant = server.workspace("streams").await;
    let path = format!("/v1/workspaces/{}/events:watch", tenant.id);
    let asking = rest.get(&path).bearer(&tenant.token).header("accept", accept);
    let answer = asking.begin().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], kind);
    let mut body = answer.into_body();
    tenant.create_key("seen").await;
    let mut read = String::new();
    let message = next(&mut body, begins, &mut read).await;
    assert_eq!(message["events"][0]["kind"], "api_key.created", "{message}");
}

#[tokio::test]
async fn events_come_as_lines_while_they_happen() {
    watched("*/*", "application/x-ndjson", "").await;
}

#[tokio::test]
async fn events_come_as_server_sent_events_on_request() {
    watched("text/event-stream", "text/event-stream", "data: ").await;
}

#[tokio::test]
async fn a_stream_that_is_refused_is_refused_like_any_other_call() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let (one, other) = (server.workspace("one").await, server.workspace("other").await);
    let path = format!("/v1/workspaces/{}/events:watch", other.id);
    let answer = rest.get(&path).bearer(&one.token).send().await;
    assert_eq!(answer.refused(), (404, "WORKSPACE_NOT_FOUND".to_owned()));
}
