//! Keys that were ended for good.

use api::v1::{RevocationReason, RevokeApiKeyRequest};

use super::*;

#[tokio::test]
async fn a_revoked_key_is_denied_from_the_moment_the_call_returned_on_this_node() {
    let tenant = tenant().await;
    for _ in 0..20 {
        let made = tenant.create_key("a key").await;
        assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Unspecified);
        tenant.revoke_key(&made.api_key.unwrap().key_id).await;
        assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Revoked);
    }
}

#[tokio::test]
async fn the_denial_says_when_and_why_but_not_who_or_in_which_words() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let request = RevokeApiKeyRequest {
        reason: RevocationReason::Other.into(),
        reason_text: "found in a public repository".to_owned(),
        ..tenant.revoke(&made.api_key.unwrap().key_id)
    };
    let revoked = tenant.client.clone().keys.revoke_api_key(request).await.unwrap().into_inner();
    let expected = revoked.api_key.unwrap().revocation.unwrap();
    let detail = ask(&tenant, plain(&made.secret)).await.denial_detail.unwrap();
    let told = detail.revocation.unwrap();
    assert_eq!(told.reason(), RevocationReason::Other);
    assert_eq!(told.revoke_time, expected.revoke_time);
    assert_eq!((told.reason_text, told.revoked_by), (String::new(), String::new()));
    assert!(!detail.message.is_empty());
    assert_eq!(detail.since, None);
}

#[tokio::test]
async fn enabling_does_not_bring_a_revoked_key_back() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let key_id = made.api_key.unwrap().key_id;
    tenant.revoke_key(&key_id).await;
    tenant.client.clone().keys.enable_api_key(tenant.enable(&key_id)).await.unwrap_err();
    assert_eq!(denial(&tenant, plain(&made.secret)).await, Denial::Revoked);
}
