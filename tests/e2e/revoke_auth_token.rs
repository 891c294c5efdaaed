//! RevokeAuthToken: the end of an auth token, for good.

use api::v1::{ErrorReason, GetConfigRequest, RevokeAuthTokenRequest};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn the_token_is_dead_when_the_call_returns_and_others_are_not() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("revoked").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let other = tenant.issue_token(tenant.issue(&pair.key_id, "other")).await.secret;
        let mut app = server.client(&pair.credentials()).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
        let asked = tenant.revoke_token(&pair.key_id, &pair.token_id);
        let revoked = tenant.client.keys.revoke_auth_token(asked).await.unwrap().into_inner();
        let refusal = app.get_config(GetConfigRequest::default()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        let token = revoked.auth_token.unwrap();
        assert_eq!(token.auth_token_id, pair.token_id);
        assert!(token.revoke_time.is_some());
        let mut app = server.auth_token(&pair.key_id, &other).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }

    #[tokio::test]
    async fn revoking_twice_changes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("twice").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let asked = tenant.revoke_token(&pair.key_id, &pair.token_id);
        let first = tenant.client.keys.revoke_auth_token(asked.clone()).await.unwrap();
        let events = server.tables().events_of(&tenant.id).await;
        let again = tenant.client.keys.revoke_auth_token(asked).await.unwrap();
        assert_eq!(again.into_inner().auth_token, first.into_inner().auth_token);
        assert_eq!(server.tables().events_of(&tenant.id).await, events);
    }

    #[tokio::test]
    async fn a_token_of_a_dead_key_can_be_revoked() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("dead").await;
        let pair = tenant.pair(tenant.key("key")).await;
        tenant.client.keys.delete_api_key(tenant.delete(&pair.key_id)).await.unwrap();
        let asked = tenant.revoke_token(&pair.key_id, &pair.token_id);
        tenant.client.keys.revoke_auth_token(asked).await.unwrap();
        tenant.client.keys.undelete_api_key(tenant.undelete(&pair.key_id)).await.unwrap();
        tenant.client.keys.enable_api_key(tenant.enable(&pair.key_id)).await.unwrap();
        let mut app = server.client(&pair.credentials()).keys;
        let refusal = app.get_config(GetConfigRequest::default()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
    }

    #[tokio::test]
    async fn a_repeated_request_is_answered_as_before() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("repeated").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let asked = RevokeAuthTokenRequest {
            request_id: "the-same-end-again".to_owned(),
            etag: tenant.tokens(&pair.key_id, false).await.remove(0).etag,
            ..tenant.revoke_token(&pair.key_id, &pair.token_id)
        };
        let first = tenant.client.keys.revoke_auth_token(asked.clone()).await.unwrap();
        let again = tenant.client.keys.revoke_auth_token(asked).await.unwrap();
        assert_eq!(again.into_inner(), first.into_inner());
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_token_that_is_not_of_this_key_cannot_be_revoked() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("others").await;
        let (pair, other) =
            (tenant.pair(tenant.key("key")).await, tenant.pair(tenant.key("other")).await);
        for id in [other.token_id.clone(), crate::asks::missing(&other.token_id)] {
            let asked = tenant.revoke_token(&pair.key_id, &id);
            let refusal = tenant.client.keys.revoke_auth_token(asked).await.refused();
            assert_eq!(refusal.reason, ErrorReason::AuthTokenNotFound);
            assert_eq!(refusal.resource, Some(("keyward.v1.AuthToken".to_owned(), id)));
        }
        for id in ["", "at_", &other.key_id] {
            let asked = tenant.revoke_token(&pair.key_id, id);
            let refusal = tenant.client.keys.revoke_auth_token(asked).await.refused();
            assert!(refusal.is_field("auth_token_id"), "{refusal:?}");
        }
        let mut app = server.client(&other.credentials()).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_stale_etag_leaves_the_token_alive() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let etag = "\"9\"".to_owned();
        let asked =
            RevokeAuthTokenRequest { etag, ..tenant.revoke_token(&pair.key_id, &pair.token_id) };
        let refusal = tenant.client.keys.revoke_auth_token(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        let mut app = server.client(&pair.credentials()).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }
}
