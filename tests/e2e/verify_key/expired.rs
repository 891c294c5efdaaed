//! Keys past their natural end.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_key_passes_until_its_end_and_not_from_then_on() {
    let server = Server::start().await;
    let tenant = server.workspace("a workspace").await;
    let expires_at = Some(seconds_ahead(&server, 3_600));
    let made = tenant.create(CreateApiKeyRequest { expires_at, ..tenant.key("ending") }).await;
    server.clock.turn(Duration::from_secs(3_500));
    assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Unspecified);
    server.clock.turn(Duration::from_secs(100));
    let response = ask(&tenant, plain(&made.secret)).await;
    assert_eq!(response.denial(), Denial::Expired);
    assert_eq!(response.denial_detail.unwrap().since, expires_at);
    assert_eq!(response.key.unwrap().expires_at, expires_at);
}

#[tokio::test]
async fn a_key_without_an_end_never_expires() {
    let server = Server::start().await;
    let tenant = server.workspace("a workspace").await;
    let made = tenant.create_key("for ever").await;
    server.clock.turn(Duration::from_secs(100 * 365 * 86_400));
    let response = ask(&tenant, plain(&made.secret)).await;
    assert_eq!(response.denial(), Denial::Unspecified);
    assert_eq!(response.key.unwrap().expires_at, None);
}
