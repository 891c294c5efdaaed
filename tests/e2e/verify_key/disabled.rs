//! Keys that are switched off.

use super::*;

#[tokio::test]
async fn a_disabled_key_is_denied_until_it_is_enabled_again() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let key_id = made.api_key.unwrap().key_id;
    let mut keys = tenant.client.clone().keys;
    for _ in 0..5 {
        keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
        let response = ask(&tenant, plain(&made.secret)).await;
        assert_eq!(response.denial(), Denial::Disabled);
        let detail = response.denial_detail.unwrap();
        assert_eq!((detail.since, detail.revocation), (None, None));
        keys.enable_api_key(tenant.enable(&key_id)).await.unwrap();
        assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Unspecified);
    }
}

#[tokio::test]
async fn disabling_one_key_leaves_the_others_alone() {
    let tenant = tenant().await;
    let (one, other) = (tenant.create_key("one").await, tenant.create_key("other").await);
    let request = tenant.disable(&one.api_key.unwrap().key_id);
    tenant.client.clone().keys.disable_api_key(request).await.unwrap();
    assert_eq!(denial(&tenant, plain(&one.secret)).await, Denial::Disabled);
    assert_eq!(denial(&tenant, plain(&other.secret)).await, Denial::Unspecified);
}
