//! Liveness and readiness, the service there or not; and the end of a gateway.

use std::time::Duration;

use harness::Server;
use testkit::eventually;

use crate::rest::{Rest, settings};

#[tokio::test]
async fn a_gateway_lives_without_its_service_and_is_ready_only_with_it() {
    let server = Server::start().await;
    let rest = Rest::before(&server).await;
    assert_eq!(rest.get("/healthz").send().await.ok()["status"], "ok");
    eventually("ready", Duration::from_secs(20), async || {
        rest.get("/readyz").send().await.status == 200
    })
    .await;
    assert_eq!(rest.get("/readyz").send().await.ok()["status"], "ready");
    server.stop().await;
    eventually("not ready", Duration::from_secs(20), async || {
        rest.get("/readyz").send().await.status == 503
    })
    .await;
    assert_eq!(rest.get("/healthz").send().await.status, 200);
    let asked = rest.get("/v1/log/head").send().await;
    assert_eq!(asked.refused(), (503, "SERVICE_UNREACHABLE".to_owned()));
    assert_eq!(asked.header("retry-after"), "1");
    rest.stop().await;
}

#[tokio::test]
async fn a_service_that_was_never_there_is_503() {
    let rest = Rest::start(settings(([127, 0, 0, 1], 1).into())).await;
    assert_eq!(rest.get("/readyz").send().await.status, 503);
    let asked = rest.post("/v1/keys:verify", "{}").send().await;
    assert_eq!(asked.refused(), (503, "SERVICE_UNREACHABLE".to_owned()));
}
