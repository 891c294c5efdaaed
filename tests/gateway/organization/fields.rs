//! Every documented member of what the organization's paths take and answer: there, not there, null, of each
//! wrong kind, and at the edges of its rule.

use std::time::Duration;

use api::v1::Permission;
use http::Method;
use serde_json::{Value, json};
use testkit::eventually;

use super::{KEYS, Organization, error, text};
use crate::rest::Answer;

const MEMBERS: [&str; 5] = ["name", "description", "expiresAt", "scope", "serviceAccountId"];

impl Organization {
    async fn with(&self, more: &Value) -> Result<Value, String> {
        let mut body = json!({"name": "a"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.create(&body).await;
        if answer.status == 200 {
            return Ok(answer.ok()["data"].clone());
        }
        let (code, message) = error(&answer);
        assert_eq!(code, 400, "{more}: {message}");
        Err(message)
    }

    async fn ask(&self, method: &Method, path: &str, body: &str) -> Answer {
        let ask = self.rest.request(method.clone(), path).body(body.to_owned());
        ask.bearer(&self.user).send().await
    }
}

#[tokio::test]
async fn a_member_of_another_kind_is_refused_and_null_is_as_if_it_were_not_there() {
    let org = Organization::new("org kinds").await;
    let id = org.with(&json!({})).await.unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("{KEYS}/{id}");
    for member in MEMBERS {
        for value in [json!(1), json!(true), json!([]), json!({}), json!(1.5)] {
            let refused = org.with(&json!({member: value})).await.unwrap_err();
            assert_eq!(refused, format!("{member} must be a string"), "{value}");
            let changed = org.ask(&Method::PATCH, &path, &json!({member: value}).to_string()).await;
            let (code, message) = error(&changed);
            assert_eq!(code, 400, "{member}");
            let unknown = member == "serviceAccountId";
            let rule = if unknown { "is not a known field" } else { "must be a string" };
            assert_eq!(message, format!("{member} {rule}"), "{value}");
        }
        match member {
            "name" => {
                let refused = org.with(&json!({"name": null})).await.unwrap_err();
                assert_eq!(refused, "name is required");
            }
            _ => drop(org.with(&json!({member: null})).await.unwrap()),
        }
    }
    for name in ["x", "Name", "expires_at", "scopes", "key", "userId", ""] {
        let refused = org.with(&json!({name: "a"})).await.unwrap_err();
        let shown = if name.is_empty() { "\"\"" } else { name };
        assert_eq!(refused, format!("{shown} is not a known field"));
    }
}

#[tokio::test]
async fn members_may_be_as_large_as_their_rule_says_and_no_larger() {
    let org = Organization::new("org edges").await;
    for (member, fits, exceeds) in [
        ("name", "鍵".repeat(128), "鍵".repeat(129)),
        ("name", "a".to_owned(), "  ".to_owned()),
        ("description", "述".repeat(1_024), "述".repeat(1_025)),
        ("serviceAccountId", "s".repeat(128), "s".repeat(129)),
        ("serviceAccountId", "s".to_owned(), "a b".to_owned()),
        ("scope", "read".to_owned(), "READ".to_owned()),
        ("scope", "read-write".to_owned(), "read_write".to_owned()),
        ("scope", "read".to_owned(), String::new()),
        ("expiresAt", "2099-12-31T23:59:59Z".to_owned(), "2099-12-31T23:59:59".to_owned()),
        ("expiresAt", "2099-12-31T23:59:59-12:00".to_owned(), "2099-02-30T00:00:00Z".to_owned()),
        ("expiresAt", "2099-01-01T00:00:00.123456789Z".to_owned(), "4102444800".to_owned()),
        ("expiresAt", "2099-01-01T00:00:00Z".to_owned(), "2001-01-01T00:00:00Z".to_owned()),
        ("expiresAt", "2099-01-01T00:00:00Z".to_owned(), "2099-01-01t00:00:00z".to_owned()),
        ("expiresAt", "9999-12-30T00:00:00Z".to_owned(), String::new()),
    ] {
        let made = org.with(&json!({member: fits})).await;
        assert!(made.is_ok(), "{member} {fits}: {made:?}");
        let refused = org.with(&json!({member: exceeds})).await.unwrap_err();
        assert!(refused.starts_with(&format!("{member} must ")), "{exceeds}: {refused}");
    }
}

#[tokio::test]
async fn a_moment_is_answered_in_utc_to_the_microsecond_without_zeros_at_its_end() {
    let org = Organization::new("org moments").await;
    for (sent, shown) in [
        ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
        ("2099-01-01T02:00:00+02:00", "2099-01-01T00:00:00Z"),
        ("2099-01-01T00:00:00.500Z", "2099-01-01T00:00:00.5Z"),
        ("2099-01-01T00:00:00.123456789Z", "2099-01-01T00:00:00.123456Z"),
    ] {
        let made = org.with(&json!({"expiresAt": sent})).await.unwrap();
        assert_eq!(made["expiresAt"], shown, "{sent}");
    }
}

#[tokio::test]
async fn what_was_done_with_a_key_appears_in_the_answer_and_not_before() {
    let org = Organization::new("org used").await;
    let made = org.with(&json!({})).await.unwrap();
    let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let unset = ["description", "expiresAt", "lastUsedAt", "lastUsedIp", "lastUsedUserAgent"];
    for member in unset.into_iter().chain(["revokedAt", "serviceAccountId"]) {
        assert_eq!(made.get(member), None, "{member}");
    }
    let mut question = org.tenant.question(made["key"].as_str().unwrap());
    question.client_ip = "192.0.2.7".to_owned();
    question.user_agent = "curl/8".to_owned();
    eventually("the use is told", Duration::from_secs(20), async || {
        org.tenant.client.clone().keys.verify_key(question.clone()).await.unwrap();
        org.ask(&Method::GET, &path, "").await.ok()["data"].get("lastUsedAt").is_some()
    })
    .await;
    let used = org.ask(&Method::GET, &path, "").await;
    let shown = used.ok()["data"].clone();
    assert_eq!(
        (&shown["lastUsedIp"], &shown["lastUsedUserAgent"]),
        (&json!("192.0.2.7"), &json!("curl/8"))
    );
    assert_eq!(shown.get("key"), None, "a secret is shown once");
    org.ask(&Method::DELETE, &path, "").await.ok();
    let revoked = org.ask(&Method::GET, &path, "").await;
    assert!(revoked.ok()["data"]["revokedAt"].as_str().unwrap().ends_with('Z'));
    let order = [
        "createdAt",
        "createdBy",
        "id",
        "keyPrefix",
        "lastUsedAt",
        "lastUsedIp",
        "lastUsedUserAgent",
        "name",
        "organizationId",
        "revokedAt",
        "scope",
        "userId",
    ];
    let told = text(&revoked);
    let places: Vec<_> =
        order.iter().map(|name| told.find(&format!("\"{name}\":")).expect(name)).collect();
    assert!(places.is_sorted(), "{told}");
}

#[tokio::test]
async fn every_documented_error_is_told_in_the_products_words() {
    let org = Organization::new("org errors").await;
    let made = org.with(&json!({})).await.unwrap();
    let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let nobody = error(&org.rest.get(KEYS).send().await);
    assert_eq!(nobody, (401, "the header Authorization: Bearer is missing".to_owned()));
    let two = org.rest.get(KEYS).bearer(&org.user).bearer(&org.tenant.token);
    let two = error(&two.send().await);
    assert_eq!(two, (400, "there must be one credential only".to_owned()));
    let token = "pageToken must be the nextPageToken of the same list";
    let page = error(&org.ask(&Method::GET, &format!("{KEYS}?pageToken=x"), "").await);
    assert_eq!(page, (400, token.to_owned()));
    let rotate = format!("{path}/rotate");
    org.ask(&Method::POST, &rotate, "").await.ok();
    let early = error(&org.ask(&Method::POST, &rotate, "").await);
    assert_eq!(early, (400, "the secret before the last rotation is still good".to_owned()));
    let twice = async |body: &str| {
        let ask = org.rest.post(KEYS, body.to_owned()).bearer(&org.user);
        ask.header("idempotency-key", "0123456789abcdef").send().await
    };
    twice("{\"name\":\"a\"}").await.ok();
    let reused = error(&twice("{\"name\":\"b\"}").await);
    assert_eq!(reused, (409, "the Idempotency-Key was used for another request".to_owned()));
    let short = org.rest.post(KEYS, "{\"name\":\"a\"}").bearer(&org.user);
    let (code, message) = error(&short.header("idempotency-key", "x").send().await);
    assert!(code == 400 && message.starts_with("Idempotency-Key must have 16"), "{message}");
    let reader = org.server.service(&[Permission::OrgRead], &[&org.tenant]).await;
    for (method, path) in [
        (Method::POST, KEYS),
        (Method::PATCH, &path),
        (Method::DELETE, &path),
        (Method::POST, &rotate),
    ] {
        let body = if method == Method::PATCH || path == KEYS { "{\"name\":\"a\"}" } else { "" };
        let ask = org.rest.request(method.clone(), path).body(body).bearer(&reader);
        assert_eq!(error(&ask.send().await).0, 403, "{method} {path}");
    }
    let other = Organization::new("org errors other").await;
    for (method, path, body) in [
        (Method::GET, path.clone(), ""),
        (Method::PATCH, path.clone(), "{\"name\":\"b\"}"),
        (Method::DELETE, path.clone(), ""),
        (Method::POST, rotate.clone(), ""),
    ] {
        // Somebody else's key is none, byte for byte but for the name of the request.
        let none = path.replace(made["id"].as_str().unwrap(), "key_01kaxkgbw8f1xtw2y1c6qpf6cm");
        let foreign = error(&other.ask(&method, &path, body).await);
        assert_eq!(foreign.0, 404, "{method} {path}");
        assert_eq!(foreign, error(&other.ask(&method, &none, body).await), "{method} {path}");
    }
}
