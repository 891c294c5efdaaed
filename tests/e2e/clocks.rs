//! A machine whose clock is wrong lets no key begin early or end late: the database's clock counts too.

use std::time::Duration;

use api::v1::{CreateApiKeyRequest, Denial};
use harness::{Server, Tenant};
use testkit::eventually;

const SOON: Duration = Duration::from_secs(20);
const WRONG: Duration = Duration::from_secs(3_600);

fn ahead(server: &Server, seconds: i64) -> Option<prost_types::Timestamp> {
    let now = server.clock.now().as_second();
    Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 })
}

/// What the clocks of a node are apart, in seconds.
async fn compared(server: &Server, apart: i64) {
    eventually("the clocks were compared", SOON, async || {
        let now = server.clock.bounds();
        let seconds = (now.latest.0 - now.earliest.0) / 1_000_000;
        (apart - 60..apart + 60).contains(&seconds)
    })
    .await;
}

async fn denial(tenant: &Tenant, secret: &str) -> Denial {
    tenant.verify(secret).await.denial()
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_denies_a_key_whose_end_has_come() {
    let server = Server::start().await;
    let tenant = server.workspace("behind").await;
    let expires_at = ahead(&server, 4);
    let key = CreateApiKeyRequest { expires_at, ..tenant.key("ends") };
    let secret = tenant.create(key).await.secret;
    assert_eq!(denial(&tenant, &secret).await, Denial::Unspecified);
    server.clock.set_wrong(false, WRONG);
    compared(&server, 3_600).await;
    eventually("the key has ended", SOON, async || {
        denial(&tenant, &secret).await == Denial::Expired
    })
    .await;
    let end = expires_at.unwrap().seconds;
    assert!(server.clock.now().as_second() < end, "by its own clock it would pass for an hour");
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_denies_a_key_that_has_not_begun() {
    let server = Server::start().await;
    let tenant = server.workspace("ahead").await;
    let not_before = ahead(&server, 1_800);
    let key = CreateApiKeyRequest { not_before, ..tenant.key("begins") };
    let secret = tenant.create(key).await.secret;
    server.clock.set_wrong(true, WRONG);
    compared(&server, 3_600).await;
    assert_eq!(denial(&tenant, &secret).await, Denial::NotYetValid);
    let begin = not_before.unwrap().seconds;
    assert!(server.clock.now().as_second() > begin, "by its own clock it would pass");
    server.clock.set_wrong(true, Duration::ZERO);
    compared(&server, 0).await;
    assert_eq!(denial(&tenant, &secret).await, Denial::NotYetValid);
}

#[tokio::test]
async fn a_grace_that_was_ended_by_a_node_whose_clock_is_ahead_is_over_at_once_everywhere() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("rotated").await;
    let made = tenant.create_key("rotated").await;
    let there = replica.tenant(&tenant);
    eventually("the replica knows the key", SOON, async || {
        let asked = there.client.clone().keys.verify_key(there.question(&made.secret)).await;
        asked.is_ok_and(|answer| answer.get_ref().denial() == Denial::Unspecified)
    })
    .await;
    let key_id = made.api_key.unwrap().key_id;
    server.clock.set_wrong(true, WRONG);
    tenant.client.clone().keys.rotate_api_key(tenant.rotate(&key_id)).await.unwrap();
    tenant.client.clone().keys.end_rotation_grace(tenant.end_grace(&key_id)).await.unwrap();
    assert_eq!(denial(&there, &made.secret).await, Denial::RotatedOut);
}
