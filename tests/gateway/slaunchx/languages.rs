//! Errors are told in five languages; success is not.

use std::time::Duration;

use gateway::config::Settings;
use http::Method;
use testkit::eventually;

use super::{Product, error, success};
use crate::echo::Echo;
use crate::rest::{Asking, Rest, settings};

/// The texts, by their language.
const TEXTS: [(&str, &str); 5] = [
    ("en", include_str!("../../../services/gateway/src/slaunchx/messages/en.ftl")),
    ("zh", include_str!("../../../services/gateway/src/slaunchx/messages/zh.ftl")),
    ("zh-Hant", include_str!("../../../services/gateway/src/slaunchx/messages/zh-Hant.ftl")),
    ("ja", include_str!("../../../services/gateway/src/slaunchx/messages/ja.ftl")),
    ("vi", include_str!("../../../services/gateway/src/slaunchx/messages/vi.ftl")),
];

/// Asks for the same in every language, and is told the same in each.
async fn told(status: u16, id: &str, field: &str, ask: impl Fn() -> Asking) {
    for (language, texts) in TEXTS {
        let answer = ask().header("Accept-Language", language).send().await;
        let line = texts.lines().find_map(|line| line.strip_prefix(&format!("{id} = ")));
        let expected = line.unwrap().replace("{ $field }", field);
        assert_eq!(error(&answer), (status, expected), "{id} in {language}");
        assert_eq!(answer.header("content-language"), language, "{id}");
    }
}

#[tokio::test]
async fn every_error_of_the_client_is_told_in_five_languages() {
    let product = Product::new("all languages").await;
    let (keys, owner) = (product.keys(), product.owner.as_str());
    let made = success(&product.create(r#"{"name":"a"}"#).await, 201);
    let one = format!("{keys}/{}", made["apiKeyId"].as_str().unwrap());
    let none = format!("{keys}/key_01kaxkgbw8f1xtw2y1c6qpf6cm");
    let member = product.server.user_token(&product.tenant, "member");
    let but = |asking: Asking, token: &str| product.but_for(asking, token, "Accept-Language");
    let create = |body: &str| product.rest.post(&keys, body.to_owned());
    let good = r#"{"name":"a"}"#;

    told(400, "required", "name", || but(create("{}"), owner)).await;
    told(400, "mode-rule", "mode", || but(create(r#"{"name":"a","mode":9}"#), owner)).await;
    told(400, "must-be-list", "scopes", || but(create(r#"{"name":"a","scopes":1}"#), owner)).await;
    told(400, "unknown-member", "x", || but(create(r#"{"name":"a","x":1}"#), owner)).await;
    told(400, "repeated-member", "name", || but(create(r#"{"name":"a","name":"a"}"#), owner)).await;
    told(400, "page-size-rule", "pageSize", || {
        but(product.rest.get(&format!("{keys}?pageSize=x")), owner)
    })
    .await;
    told(400, "page-token-invalid", "", || {
        but(product.rest.get(&format!("{keys}?pageToken=x")), owner)
    })
    .await;
    told(400, "body-unexpected", "", || {
        but(product.rest.post(&format!("{one}/disable"), "[]"), owner)
    })
    .await;
    told(401, "token-invalid", "", || but(create(good), "a.b.c")).await;
    told(403, "owner-only", "", || but(create(good), &member)).await;
    told(403, "partner-only", "", || but(create(r#"{"name":"a","mode":2}"#), owner)).await;
    told(404, "key-not-found", "", || but(product.rest.get(&none), owner)).await;
    told(404, "no-route", "", || but(product.rest.get("/web/v1/nothing"), owner)).await;
    told(405, "method-not-allowed", "", || but(product.rest.request(Method::PUT, &keys), owner))
        .await;
    told(406, "not-acceptable", "", || create(good).bearer(owner).header("Accept", "text/html"))
        .await;
    let large = format!("{{\"name\":\"a\"{}}}", " ".repeat(65 * 1024));
    told(413, "body-too-large", "", || but(create(&large), owner)).await;
    told(415, "media-type", "", || create(good).bearer(owner).header("Content-Type", "text/plain"))
        .await;
    let twice = |body: &str| but(create(body), owner).header("Idempotency-Key", "0123456789abcdef");
    success(&twice(good).send().await, 201);
    told(409, "request-id-reused", "", || twice(r#"{"name":"b"}"#)).await;
    product.tenant.revoke_key(made["apiKeyId"].as_str().unwrap()).await;
    told(400, "key-revoked", "", || but(product.rest.post(&format!("{one}/enable"), ""), owner))
        .await;
}

#[tokio::test]
async fn every_error_of_the_service_is_told_in_five_languages() {
    let echo = Echo::start().await;
    let product = Product::new("failing").await;
    let rest = Rest::start(Settings {
        trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        requests_per_second: Some(1),
        ..settings(echo.address)
    });
    let rest = rest.await;
    let keys = product.keys();
    let ask = || product.but_for(rest.get(&keys), &product.owner, "Accept-Language");
    for (code, status, id) in [
        (2, 500, "internal"),
        (4, 504, "late"),
        (8, 429, "too-many"),
        (10, 409, "conflict"),
        (13, 500, "internal"),
        (14, 503, "unavailable"),
    ] {
        echo.say(code);
        told(status, id, "", ask).await;
    }
    // Of the gateway's own.
    let busy = || ask().header("x-forwarded-for", "198.51.100.9");
    for (language, _) in TEXTS {
        let within = Duration::from_secs(20);
        eventually("the address is limited", within, async || {
            let answer = busy().header("Accept-Language", language).send().await;
            let limited = answer.status == 429;
            assert!(!limited || error(&answer).0 == 429);
            assert_eq!(answer.header("content-language"), language);
            limited
        })
        .await;
    }
    rest.stop().await;
}

#[tokio::test]
async fn errors_are_in_the_language_that_the_client_wants() {
    let product = Product::new("languages").await;
    let mut texts = Vec::new();
    for (accept, language, message) in [
        ("en", "en", "name is required"),
        ("fr", "en", "name is required"),
        ("zh", "zh", "缺少 name"),
        ("zh-Hans-CN", "zh", "缺少 name"),
        ("zh-Hant", "zh-Hant", "缺少 name"),
        ("zh-TW, en;q=0.5", "zh-Hant", "缺少 name"),
        ("zh-HK", "zh-Hant", "缺少 name"),
        ("ja-JP", "ja", "name は必須です"),
        ("fr, vi;q=0.2", "vi", "Thiếu name"),
    ] {
        let asking = product.rest.post(&product.keys(), "{}");
        let asking = product.but_for(asking, &product.owner, "Accept-Language");
        let answer = asking.header("Accept-Language", accept).send().await;
        assert_eq!(error(&answer), (400, message.to_owned()), "{accept}");
        assert_eq!(answer.header("content-language"), language, "{accept}");

        let asking = product.rest.post(&product.keys(), "{}");
        let asking = product.but_for(asking, "a.b.c", "Accept-Language");
        let answer = asking.header("Accept-Language", accept).send().await;
        let (status, message) = error(&answer);
        assert_eq!(status, 401);
        texts.push((language, message));
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 5, "{texts:?}");
}

#[tokio::test]
async fn success_is_a_word_of_the_protocol_and_is_not_translated() {
    let product = Product::new("success").await;
    let asking = product.rest.post(&product.keys(), r#"{"name":"a"}"#);
    let asking = product.but_for(asking, &product.owner, "Accept-Language");
    let answer = asking.header("Accept-Language", "ja").send().await;
    success(&answer, 201);
    assert_eq!(answer.header("content-language"), "ja");
    assert_eq!(answer.header("vary"), "accept-language");
}
