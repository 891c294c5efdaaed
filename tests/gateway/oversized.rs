//! Headers that are larger than the service takes: a client must not make an outage for itself, which
//! `--verify-fail-mode open` would let on, nor a failure that looks like the service's.

use gateway::config::{Settings, VerifyFailMode};
use harness::Server;
use http::HeaderValue;

use crate::rest::Rest;
use crate::verify::Verifying;

const LARGE: usize = 30_000;

#[tokio::test]
async fn no_client_makes_an_outage_for_itself_that_lets_it_on() {
    let open = Settings { verify_fail_mode: Some(VerifyFailMode::Open), ..Settings::default() };
    let verifying = Verifying::before(Server::shared().await, "oversized", open).await;
    let key = verifying.tenant.create(verifying.key()).await.secret;
    let odd = HeaderValue::from_bytes(&[0xff; LARGE]).unwrap();
    let values = [HeaderValue::try_from("a".repeat(LARGE)).unwrap(), odd];
    let names = [
        "accept-language",
        "traceparent",
        "tracestate",
        "cookie",
        "origin",
        "referer",
        "user-agent",
        "x-request-id",
        "x-keyward-client-address",
        "x-keyward-gateway-secret",
        "idempotency-key",
        "grpc-timeout",
    ];
    for (name, value) in names.iter().flat_map(|name| values.iter().map(move |it| (name, it))) {
        let asking = verifying.rest.get("/verify").bearer("kwk_live_x").value(name, value.clone());
        let wrong = asking.header("x-forwarded-for", "127.0.0.2").send().await;
        assert_eq!(wrong.status, 401, "{name}: {wrong:?}");
        let asking = verifying.rest.get("/verify").bearer(&key).value(name, value.clone());
        let good = asking.header("x-forwarded-for", "127.0.0.2").send().await;
        assert_eq!(good.status, 200, "{name}: {good:?}");
        assert_eq!(good.header("x-keyward-verdict"), "accepted", "{name}");
    }
    for value in &values {
        let asking = verifying.rest.get("/verify").value("x-api-key", value.clone());
        assert_eq!(asking.send().await.status, 401, "a key as large is malformed");
    }
    verifying.rest.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_the_client_s_mistake_on_every_surface() {
    let rest = Rest::shared().await;
    for (path, name) in [
        ("/v1/log/head", "authorization"),
        ("/v1/log/head", "x-keyward-api-key"),
        ("/v1/log/head", "traceparent"),
        ("/v1/api-keys", "authorization"),
        ("/web/v1/workspaces/ws_01m7zgecg0ft2atg9wagfnr46f/api-keys", "authorization"),
        ("/v2/workspace/domains/get", "x-velt-auth-token"),
        ("/nothing", "cookie"),
    ] {
        let large = HeaderValue::try_from(format!("kwa_{}", "a".repeat(LARGE))).unwrap();
        let answer = rest.get(path).value(name, large).send().await;
        assert_eq!(answer.status, 400, "{path}, {name}: {answer:?}");
        assert!(String::from_utf8_lossy(&answer.body).contains("12 KiB"), "{path}: {answer:?}");
    }
}
