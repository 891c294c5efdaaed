//! What one address may ask.

use gateway::config::Settings;

use crate::echo::Echo;
use crate::rest::{Rest, settings};

#[tokio::test]
async fn an_address_that_asks_too_much_is_told_when_to_ask_again_and_others_are_not() {
    let echo = Echo::start().await;
    let rest = Rest::start(Settings {
        trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        requests_per_second: Some(1),
        ..settings(echo.address)
    })
    .await;
    let ask = async |path: &str, client: &str| {
        rest.get(path).header("x-forwarded-for", client).send().await
    };
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(ask("/v1/log/head", "198.51.100.7").await.status.as_u16());
    }
    assert_eq!(statuses[..2], [404, 404], "a burst is let through");
    assert!(statuses.contains(&429), "{statuses:?}");
    let limited = async |path: &str| loop {
        let answer = ask(path, "198.51.100.7").await;
        if answer.status == 429 {
            return answer;
        }
    };
    let canonical = limited("/v1/log/head").await;
    assert_eq!(canonical.refused(), (429, "ADDRESS_LIMITED".to_owned()));
    assert_eq!(canonical.header("retry-after"), "1");
    assert_eq!(limited("/nothing").await.header("content-type"), "application/problem+json");
    assert_eq!(ask("/v1/log/head", "198.51.100.8").await.status, 404);
    assert_eq!(rest.get("/v1/log/head").send().await.status, 404, "loopback is not counted");
    rest.stop().await;
}

#[tokio::test]
async fn the_operator_s_own_proxies_ask_verify_as_often_as_they_like() {
    let echo = Echo::start().await;
    let rest = Rest::start(Settings {
        trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        requests_per_second: Some(1),
        ..settings(echo.address)
    })
    .await;
    for _ in 0..8 {
        let asking = rest.get("/verify").header("x-forwarded-for", "198.51.100.7");
        assert_eq!(asking.send().await.status, 503, "no credential to ask with, and no limit");
    }
    rest.stop().await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_504() {
    let echo = Echo::closed().await;
    let rest = Rest::start(Settings { timeout_ms: Some(50), ..settings(echo.address) }).await;
    let late = rest.get("/v1/log/head").send().await;
    assert_eq!(late.refused(), (504, "DEADLINE_EXCEEDED".to_owned()));
    assert_eq!(echo.only()["grpc-timeout"], "50m");
    rest.stop().await;
}
