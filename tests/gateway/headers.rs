//! Which headers go on to the service, which are made of the message, and which come back.

use std::collections::BTreeSet;

use gateway::config::Settings;
use harness::Server;
use http::Method;
use serde_json::{Value, json};

use crate::echo::Echo;
use crate::rest::{Rest, settings};

#[tokio::test]
async fn only_an_allow_list_of_headers_goes_on_and_none_that_is_the_gateways_own() {
    let echo = Echo::start().await;
    let rest = Rest::start(settings(echo.address)).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = rest
        .get("/v1/log/head")
        .bearer("a-token")
        .header("x-keyward-api-key", "a-key")
        .header("traceparent", trace)
        .header("tracestate", "a=b")
        .header("accept-language", "vi")
        .header("x-request-id", "a-name")
        .header("x-keyward-client-address", "6.6.6.6")
        .header("x-keyward-gateway-secret", "6")
        .header("x-keyward-anything", "6")
        .header("x-forwarded-for", "6.6.6.6")
        .header("grpc-timeout", "1S")
        .header("grpc-metadata-authorization", "6")
        .header("cookie", "6")
        .header("x-other", "6")
        .send()
        .await;
    assert_eq!(answer.status, 404, "{:?}", answer.body);
    let asked = echo.only();
    for (name, value) in [
        ("authorization", "Bearer a-token"),
        ("x-keyward-api-key", "a-key"),
        ("traceparent", trace),
        ("tracestate", "a=b"),
        ("accept-language", "vi"),
        ("x-request-id", "a-name"),
        ("x-keyward-client-address", "127.0.0.1"),
        ("grpc-timeout", "5000m"),
    ] {
        let found: Vec<_> = asked.get_all(name).iter().collect();
        assert_eq!(found, [value], "{name}");
    }
    let found: BTreeSet<_> = asked.keys().map(http::HeaderName::as_str).collect();
    for name in [
        "x-keyward-gateway-secret",
        "x-keyward-anything",
        "x-forwarded-for",
        "grpc-metadata-authorization",
        "cookie",
        "x-other",
    ] {
        assert!(!found.contains(name), "{name} goes on");
    }
    rest.stop().await;
}

#[tokio::test]
async fn the_clients_address_is_what_trusted_proxies_say() {
    let echo = Echo::start().await;
    let trusted = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    let rest =
        Rest::start(Settings { trusted_proxy: Some(trusted), ..settings(echo.address) }).await;
    let forwarded = "6.6.6.6, 198.51.100.7, 10.1.1.1";
    rest.get("/v1/log/head").header("x-forwarded-for", forwarded).send().await;
    assert_eq!(echo.only()["x-keyward-client-address"], "198.51.100.7");
    rest.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_is_the_request_id() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("idempotent").await;
    let path = format!("/v1/workspaces/{}/keys", tenant.id);
    let create = async |body: Value, keys: &[&str]| {
        let mut asking = rest.post(&path, body.to_string()).bearer(&tenant.token);
        for key in keys {
            asking = asking.header("idempotency-key", key);
        }
        asking.send().await
    };
    let (body, key) = (json!({"name": "once"}), "8e03978e-40d5-43dd-bc93-6894a57f9324");
    let first = create(body.clone(), &[key]).await.ok();
    for spelt in [key.to_owned(), format!("\"{key}\"")] {
        assert_eq!(create(body.clone(), &[&spelt]).await.ok()["secret"], first["secret"]);
    }
    let same = json!({"name": "once", "requestId": key});
    assert_eq!(create(same.clone(), &[key]).await.ok()["secret"], first["secret"]);
    assert_eq!(create(json!({"name": "other"}), &[key]).await.refused().0, 409);
    assert_eq!(create(same, &["another-name-of-it"]).await.field().0, "request_id");
    assert_eq!(create(body.clone(), &[key, key]).await.field().0, "idempotency-key");
    assert_eq!(create(body, &["too-short"]).await.field().0, "request_id");
}

#[tokio::test]
async fn an_etag_comes_in_a_header_and_goes_in_one() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("etags").await;
    let id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    let path = format!("/v1/workspaces/{}/keys/{id}", tenant.id);
    let got = rest.get(&path).bearer(&tenant.token).send().await;
    let etag = got.header("etag").to_owned();
    assert_eq!(got.ok()["apiKey"]["etag"], etag.as_str());

    let rename = async |name: &str, matched: &str| {
        let body = json!({"apiKey": {"name": name}, "updateMask": "name"}).to_string();
        let asking = rest.request(Method::PATCH, &path).body(body).bearer(&tenant.token);
        asking.header("if-match", matched).send().await
    };
    assert_eq!(rename("renamed", &etag).await.ok()["apiKey"]["name"], "renamed");
    assert_eq!(rename("again", &etag).await.refused(), (409, "ETAG_MISMATCH".to_owned()));
    assert_eq!(rename("again", "*").await.status, 200);
    for wrong in ["W/\"1\"", "1", "\"1\", \"2\""] {
        assert_eq!(rename("again", wrong).await.field().0, "if-match", "{wrong}");
    }
    let both = rest.request(Method::DELETE, &format!("{path}?etag=%221%22"));
    let both = both.bearer(&tenant.token).header("if-match", "\"2\"").send().await;
    assert_eq!(both.field().0, "etag");
    let stale = rest.request(Method::DELETE, &path).bearer(&tenant.token);
    let stale = stale.header("if-match", &etag).send().await;
    assert_eq!(stale.refused(), (409, "ETAG_MISMATCH".to_owned()));
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("head").await;
    let keys = format!("/v1/workspaces/{}/keys", tenant.id);
    for path in ["/healthz", "/openapi/keyward.json", &keys, "/v1/nothing"] {
        for http2 in [false, true] {
            let asked = rest.request(Method::HEAD, path).bearer(&tenant.token);
            let asked = if http2 { asked.send_by_http2().await } else { asked.send().await };
            let whole = rest.get(path).bearer(&tenant.token).send().await;
            assert_eq!(asked.status, whole.status, "{path}");
            assert_eq!(asked.header("content-type"), whole.header("content-type"), "{path}");
            assert_eq!(asked.header("content-length"), whole.body.len().to_string(), "{path}");
            assert!(asked.body.is_empty(), "{path} {http2}");
        }
    }
    let none = rest.request(Method::HEAD, "/v1/keys:verify").send().await;
    assert_eq!((none.status.as_u16(), none.header("allow")), (405, "POST"));
}
