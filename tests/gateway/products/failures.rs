//! What a service that refuses, is not there, or says nothing comes to in each product's envelope.

use std::time::Duration;

use gateway::config::Settings;
use testkit::eventually;

use super::{By, Caller, Operation, Product, operations};
use crate::echo::Echo;
use crate::rest::{Rest, settings};

/// The documented sentence of Velt on credentials.
fn sentence(by: By) -> &'static str {
    match by {
        By::Workspace => "Invalid workspace credentials.",
        By::WorkspaceOnKey | By::Key | By::User => "Invalid API key.",
    }
}

/// HTTP and Velt's name for each gRPC status that the service can answer, by its number.
const TABLE: [(u32, u16, &str); 18] = [
    // OK, but without an answer.
    (0, 500, "INTERNAL"),
    (1, 504, "DEADLINE_EXCEEDED"),
    (2, 500, "INTERNAL"),
    (3, 400, "INVALID_ARGUMENT"),
    (4, 504, "DEADLINE_EXCEEDED"),
    (5, 404, "NOT_FOUND"),
    (6, 409, "ALREADY_EXISTS"),
    (7, 403, "PERMISSION_DENIED"),
    (8, 429, "RESOURCE_EXHAUSTED"),
    (9, 400, "FAILED_PRECONDITION"),
    (10, 409, "ABORTED"),
    (11, 400, "INVALID_ARGUMENT"),
    (12, 500, "INTERNAL"),
    (13, 500, "INTERNAL"),
    (14, 503, "UNAVAILABLE"),
    (15, 500, "INTERNAL"),
    (16, 401, "PERMISSION_DENIED"),
    (99, 500, "INTERNAL"),
];

#[tokio::test]
async fn every_status_of_the_service_is_told_by_the_table_on_every_path() {
    let echo = Echo::start().await;
    let rest = Rest::start(settings(echo.address)).await;
    let caller = Caller::nobody();
    for (code, http, name) in TABLE {
        echo.say(code);
        echo.gate.add_permits(1_000);
        for operation in operations(&caller.workspace_id) {
            let Operation { product, by, .. } = &operation;
            let answer = operation.good(&rest, &caller).await;
            let told = product.told(&answer);
            let shown = format!("{code} {} {}: {told:?}", operation.method, operation.path);
            let of_velt = *product == Product::Velt && code == 16;
            assert_eq!(told.http, if of_velt { 403 } else { http }, "{shown}");
            assert_eq!(told.status, product.named(name), "{shown}");
            if of_velt {
                assert_eq!(told.message, sentence(*by), "{shown}");
            }
            if http == 500 {
                assert!(told.message.starts_with("Internal error"), "{shown}");
            }
            let retry = matches!(http, 429 | 503);
            assert_eq!(answer.header("retry-after"), if retry { "1" } else { "" }, "{shown}");
            let challenge = answer.header("www-authenticate");
            assert_eq!(!challenge.is_empty(), told.http == 401, "{shown}");
        }
    }
    rest.stop().await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_503_on_every_path_and_says_when_to_ask_again() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rest = Rest::start(settings(gone)).await;
    let caller = Caller::nobody();
    for operation in operations(&caller.workspace_id) {
        let answer = operation.good(&rest, &caller).await;
        let told = operation.product.told(&answer);
        let expected = (503, operation.product.named("UNAVAILABLE"));
        assert_eq!((told.http, told.status), expected, "{}", operation.path);
        assert_eq!(answer.header("retry-after"), "1", "{}", operation.path);
    }
    rest.stop().await;
}

#[tokio::test]
async fn a_service_that_says_nothing_in_time_is_504_on_every_path() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Echo::closed().await;
    // One that takes no connection up, and one that takes a call up and does not answer it.
    for service in [silent.local_addr().unwrap(), slow.address] {
        let rest = Rest::start(Settings { timeout_ms: Some(20), ..settings(service) }).await;
        let caller = Caller::nobody();
        for operation in operations(&caller.workspace_id) {
            let told = operation.product.told(&operation.good(&rest, &caller).await);
            let expected = (504, operation.product.named("DEADLINE_EXCEEDED"));
            assert_eq!((told.http, told.status), expected, "{service} {}", operation.path);
        }
        rest.stop().await;
    }
}

#[tokio::test]
async fn an_address_that_asks_too_much_is_429_on_every_path_and_told_when_to_ask_again() {
    let echo = Echo::start().await;
    let rest = Rest::start(Settings {
        trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        requests_per_second: Some(1),
        ..settings(echo.address)
    });
    let (rest, caller) = (rest.await, Caller::nobody());
    let from = |operation: &Operation| {
        let ask = operation.ask(&rest, &caller, operation.good.clone());
        ask.header("x-forwarded-for", "198.51.100.7").send()
    };
    for operation in operations(&caller.workspace_id) {
        eventually("the address is limited", Duration::from_secs(20), async || {
            let answer = from(&operation).await;
            if answer.status != 429 {
                return false;
            }
            let told = operation.product.told(&answer);
            assert_eq!(told.status, operation.product.named("RESOURCE_EXHAUSTED"));
            assert_eq!(answer.header("retry-after"), "1", "{}", operation.path);
            true
        })
        .await;
    }
    rest.stop().await;
}
