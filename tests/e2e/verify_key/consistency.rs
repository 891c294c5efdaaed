//! What a verdict says of its own freshness, and what may be asked of it.

use api::v1::consistency::Requirement;
use api::v1::{Consistency, ErrorReason};
use harness::Refused;

use super::*;

fn at_least(secret: &str, token: &str) -> VerifyKeyRequest {
    let requirement = Some(Requirement::AtLeast(token.to_owned()));
    VerifyKeyRequest { consistency: Some(Consistency { requirement }), ..plain(secret) }
}

#[tokio::test]
async fn every_verdict_says_what_it_was_computed_from_and_how_old_that_may_be() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let mut last = 0;
    for secret in [&made.secret, "nonsense", &tenant.token, &made.secret] {
        let freshness = ask(&tenant, plain(secret)).await.freshness.unwrap();
        assert!(freshness.position >= last.max(1));
        last = freshness.position;
        let staleness = freshness.staleness.unwrap();
        assert!((0..5).contains(&staleness.seconds), "{staleness:?}");
        // The token names that state: whoever hands it in gets an answer at least as new.
        let again = ask(&tenant, at_least(secret, &freshness.token)).await.freshness.unwrap();
        assert!(again.position >= freshness.position);
    }
}

#[tokio::test]
async fn the_token_of_a_write_is_reached_by_the_verdicts_that_ask_for_it() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let key_id = made.api_key.unwrap().key_id;
    let created = ask(&tenant, at_least(&made.secret, &made.consistency_token)).await;
    assert_eq!(created.denial(), Denial::Unspecified);
    let revoked = tenant.client.clone().keys.revoke_api_key(tenant.revoke(&key_id)).await.unwrap();
    let token = revoked.into_inner().consistency_token;
    assert_eq!(denial(&tenant, at_least(&made.secret, &token)).await, Denial::Revoked);
}

#[tokio::test]
async fn a_token_of_another_log_is_refused_for_what_it_is() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let other = Server::start().await;
    let foreign = other.workspace("elsewhere").await.create_key("a key").await.consistency_token;
    let mut keys = tenant.client.clone().keys;
    let refusal = keys.verify_key(at_least(&made.secret, &foreign)).await.refused();
    assert_eq!(refusal.reason, ErrorReason::ConsistencyTokenForeignLog);
}

#[tokio::test]
async fn a_token_that_is_ahead_of_the_log_is_waited_for_a_tenth_of_a_second() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let (log, _) = made.consistency_token.split_once('.').unwrap();
    let ahead = format!("{log}.{}", u64::MAX / 4);
    let began = std::time::Instant::now();
    let refusal = tenant.client.clone().keys.verify_key(at_least(&made.secret, &ahead)).await;
    let refusal = refusal.refused();
    assert_eq!(refusal.reason, ErrorReason::ConsistencyTokenNotReached);
    let took = began.elapsed().as_millis();
    assert!((100..2_000).contains(&took), "{took} ms");
}
