//! DeleteApiKey and UndeleteApiKey: hidden, switched off, and brought back within 30 days.

use std::time::Duration;

use api::v1::{self as wire, ApiKeyStatus, Denial, ErrorReason};
use harness::{Refused, Server};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_deleted_key_is_denied_and_hidden_and_can_still_be_read_by_its_id() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("gone").await;
    tenant.create_key("stays").await;
    let made = tenant.create_key("goes").await;
    let before = made.api_key.unwrap();
    let answer = tenant.client.keys.delete_api_key(tenant.delete(&before.key_id)).await;
    assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Disabled);
    let answer = answer.unwrap().into_inner();
    assert!(answer.barrier.unwrap().confirmed >= 1);
    let key = answer.api_key.unwrap();
    assert_eq!(key.status(), ApiKeyStatus::Disabled);
    assert!(key.delete_time.is_some() && key.delete_time == key.update_time);
    assert_eq!(tenant.read_key(&key.key_id).await, key);

    assert_eq!(tenant.names(tenant.list()).await, ["stays"]);
    let dead = wire::ListApiKeysRequest { show_dead: true, ..tenant.list() };
    assert_eq!(tenant.names(dead).await, ["stays"]);
    let by_id = wire::ListApiKeysRequest { key_ids: vec![key.key_id.clone()], ..tenant.list() };
    assert_eq!(tenant.names(by_id).await, [""; 0]);
    let deleted = wire::ListApiKeysRequest { show_deleted: true, ..tenant.list() };
    assert_eq!(tenant.names(deleted).await, ["goes", "stays"]);

    let again = tenant.client.keys.delete_api_key(tenant.delete(&key.key_id)).await.unwrap();
    assert_eq!(again.into_inner().api_key, Some(key), "it was so already");
}

#[tokio::test]
async fn an_undeleted_key_comes_back_switched_off_and_passes_once_it_is_enabled() {
    let server = Server::start().await;
    let mut tenant = server.workspace("back").await;
    let made = tenant.create_key("back").await;
    let key_id = made.api_key.unwrap().key_id;
    tenant.client.keys.delete_api_key(tenant.delete(&key_id)).await.unwrap();
    server.clock.turn(29 * DAY);
    let back = tenant.client.keys.undelete_api_key(tenant.undelete(&key_id)).await.unwrap();
    let back = back.into_inner().api_key.unwrap();
    assert_eq!((back.status(), back.delete_time), (ApiKeyStatus::Disabled, None));
    assert_eq!(tenant.names(tenant.list()).await, ["back"]);
    assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Disabled);
    tenant.client.keys.enable_api_key(tenant.enable(&key_id)).await.unwrap();
    assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Unspecified);
    let again = tenant.client.keys.undelete_api_key(tenant.undelete(&key_id)).await.unwrap();
    assert_eq!(again.into_inner().api_key.unwrap().status(), ApiKeyStatus::Active);
}

#[tokio::test]
async fn after_thirty_days_there_is_no_way_back() {
    let server = Server::start().await;
    let mut tenant = server.workspace("too late").await;
    let key_id = tenant.create_key("too late").await.api_key.unwrap().key_id;
    tenant.client.keys.delete_api_key(tenant.delete(&key_id)).await.unwrap();
    server.clock.turn(30 * DAY + Duration::from_secs(1));
    let refusal = tenant.client.keys.undelete_api_key(tenant.undelete(&key_id)).await.refused();
    assert_eq!(refusal.reason, ErrorReason::UndeleteWindowOver);
    assert!(tenant.read_key(&key_id).await.delete_time.is_some());
}

#[tokio::test]
async fn a_deleted_key_takes_no_other_change() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("still").await;
    let key_id = tenant.create_key("still").await.api_key.unwrap().key_id;
    tenant.client.keys.delete_api_key(tenant.delete(&key_id)).await.unwrap();
    let keys = &mut tenant.client.keys.clone();
    let named = wire::ApiKey { name: "other".to_owned(), ..wire::ApiKey::default() };
    let refusals = [
        keys.enable_api_key(tenant.enable(&key_id)).await.refused(),
        keys.disable_api_key(tenant.disable(&key_id)).await.refused(),
        keys.end_rotation_grace(tenant.end_grace(&key_id)).await.refused(),
        keys.update_api_key(tenant.update(&key_id, &["name"], named)).await.refused(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.reason, ErrorReason::ApiKeyDeleted);
    }
    assert_eq!(tenant.revoke_key(&key_id).await.status(), ApiKeyStatus::Revoked);
}
