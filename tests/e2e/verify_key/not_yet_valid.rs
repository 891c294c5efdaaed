//! Keys before their beginning.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_key_passes_from_its_beginning_on_and_not_before() {
    let server = Server::start().await;
    let tenant = server.workspace("a workspace").await;
    let not_before = Some(seconds_ahead(&server, 3_600));
    let made = tenant.create(CreateApiKeyRequest { not_before, ..tenant.key("later") }).await;
    let response = ask(&tenant, plain(&made.secret)).await;
    assert_eq!(response.denial(), Denial::NotYetValid);
    assert_eq!(response.denial_detail.unwrap().since, not_before);
    server.clock.turn(Duration::from_secs(3_500));
    assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::NotYetValid);
    server.clock.turn(Duration::from_secs(100));
    assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Unspecified);
}
