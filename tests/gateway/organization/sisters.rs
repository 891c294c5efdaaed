//! What the organization's users need next, as text: list, get, change, rotate, revoke.

use http::Method;
use serde_json::{Value, json};

use super::{KEYS, Organization, text};
use crate::rest::Answer;

/// The text of a success around `data`.
fn exactly(answer: &Answer, data: &str) {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let name = answer.header("x-request-id");
    let exact = format!(
        "{{\"code\":200,\"data\":{data},\"message\":\"success\",\"requestId\":\"{name}\"}}"
    );
    assert_eq!(text(answer), exact);
}

/// A key of the user as text, with `more` members by the one that they stand behind.
fn shown(key: &Value, more: &[(&str, &str)]) -> String {
    let member = |name: &str| {
        let own = key.get(name).map(|value| format!("\"{name}\":{value},")).unwrap_or_default();
        let next = more.iter().filter(|(behind, _)| *behind == name);
        own + &next.map(|(_, text)| format!("{text},")).collect::<String>()
    };
    let names =
        ["createdAt", "createdBy", "id", "keyPrefix", "name", "organizationId", "scope", "userId"];
    let members: String = names.iter().map(|name| member(name)).collect();
    format!("{{{}}}", members.trim_end_matches(','))
}

#[tokio::test]
async fn every_sister_operation_answers_the_documented_members_in_their_order() {
    let org = Organization::new("org sisters").await;
    let ask = async |method: Method, path: &str, body: &str| {
        let ask = org.rest.request(method, path).body(body.to_owned());
        ask.bearer(&org.user).send().await
    };
    let made = org.create(&json!({"name": "a"})).await.ok()["data"].clone();
    let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let key = shown(&made, &[]);
    exactly(&ask(Method::GET, &path, "").await, &key);
    let list = ask(Method::GET, KEYS, "").await;
    exactly(&list, &format!("{{\"apiKeys\":[{key}]}}"));

    let second = org.create(&json!({"name": "b"})).await.ok()["data"].clone();
    let first = ask(Method::GET, &format!("{KEYS}?pageSize=1"), "").await;
    let token = first.json()["data"]["nextPageToken"].clone();
    let page = format!("{{\"apiKeys\":[{}],\"nextPageToken\":{token}}}", shown(&second, &[]));
    exactly(&first, &page);

    let mut renamed = made.clone();
    renamed["name"] = "c".into();
    renamed["scope"] = "read-write".into();
    let changes = r#"{"name":"c","description":"d","scope":"read-write",
        "expiresAt":"2099-01-01T00:00:00Z"}"#;
    let texts = [("createdBy", "\"description\":\"d\",\"expiresAt\":\"2099-01-01T00:00:00Z\"")];
    exactly(&ask(Method::PATCH, &path, changes).await, &shown(&renamed, &texts));

    let rotated = ask(Method::POST, &format!("{path}/rotate"), "").await;
    let data = rotated.json()["data"].clone();
    assert_ne!((&data["key"], &data["keyPrefix"]), (&made["key"], &made["keyPrefix"]));
    renamed["keyPrefix"] = data["keyPrefix"].clone();
    let secret = format!("\"key\":{}", data["key"]);
    exactly(&rotated, &shown(&renamed, &[texts[0], ("id", &secret)]));

    let revoked = ask(Method::DELETE, &path, "").await;
    let at = format!("\"revokedAt\":{}", revoked.json()["data"]["revokedAt"]);
    exactly(&revoked, &shown(&renamed, &[texts[0], ("organizationId", &at)]));
    // Revoking a revoked one changes nothing.
    let again = ask(Method::DELETE, &path, "").await;
    exactly(&again, &shown(&renamed, &[texts[0], ("organizationId", &at)]));
    let refused = super::error(&ask(Method::PATCH, &path, "{\"name\":\"d\"}").await);
    assert_eq!(refused.0, 400, "{}", refused.1);
}
