//! ResetAuthToken: another secret for an auth token; the one before is dead when the call returns.

use std::time::Duration;

use api::v1::{self as wire, ErrorReason, GetConfigRequest, ResetAuthTokenRequest};
use harness::{Pair, Refused, Server, Tenant};

async fn reset(tenant: &Tenant, pair: &Pair) -> wire::ResetAuthTokenResponse {
    let asked = tenant.reset(&pair.key_id, &pair.token_id);
    tenant.client.clone().keys.reset_auth_token(asked).await.unwrap().into_inner()
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn the_old_secret_is_dead_and_the_new_one_is_of_the_same_token() {
        let server = Server::shared().await;
        let tenant = server.workspace("reset").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let before = tenant.tokens(&pair.key_id, false).await.remove(0);
        let answer = reset(&tenant, &pair).await;
        let mut old = server.client(&pair.credentials()).keys;
        let refusal = old.get_config(GetConfigRequest::default()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        let mut new = server.auth_token(&pair.key_id, &answer.secret).keys;
        new.get_config(GetConfigRequest::default()).await.unwrap();
        let after = answer.auth_token.unwrap();
        assert_eq!(after.display, answer.secret.rsplit_once('_').unwrap().0);
        assert!(after.reset_time.is_some());
        let as_before = wire::AuthToken {
            display: before.display.clone(),
            reset_time: None,
            etag: before.etag.clone(),
            ..after.clone()
        };
        assert_eq!(as_before, before);
        assert_ne!((&after.display, &after.etag), (&before.display, &before.etag));
        assert_eq!(tenant.tokens(&pair.key_id, false).await, [after]);
    }

    #[tokio::test]
    async fn a_token_resets_itself_and_needs_to_name_nothing() {
        let server = Server::shared().await;
        let tenant = server.workspace("itself").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let mut app = server.client(&pair.credentials()).keys;
        let named = app.reset_auth_token(tenant.reset(&pair.key_id, &pair.token_id)).await;
        let named = named.unwrap().into_inner().secret;
        let mut app = server.auth_token(&pair.key_id, &named).keys;
        let unnamed = app.reset_auth_token(ResetAuthTokenRequest::default()).await.unwrap();
        let unnamed = unnamed.into_inner();
        assert_eq!(unnamed.auth_token.unwrap().auth_token_id, pair.token_id);
        let refusal = app.reset_auth_token(ResetAuthTokenRequest::default()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid);
        let mut app = server.auth_token(&pair.key_id, &unnamed.secret).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_repeated_request_is_answered_with_the_same_secret() {
        let server = Server::shared().await;
        let tenant = server.workspace("repeated").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let request_id = "the-same-reset-again".to_owned();
        let etag = tenant.tokens(&pair.key_id, false).await.remove(0).etag;
        let asked = ResetAuthTokenRequest {
            request_id,
            etag,
            ..tenant.reset(&pair.key_id, &pair.token_id)
        };
        let mut keys = tenant.client.keys.clone();
        let first = keys.reset_auth_token(asked.clone()).await.unwrap().into_inner();
        let again = keys.reset_auth_token(asked.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        // Who has reset himself presents the new secret to ask again.
        let mut app = server.auth_token(&pair.key_id, &first.secret).keys;
        let asked = ResetAuthTokenRequest { etag: String::new(), ..asked };
        let own = app.reset_auth_token(asked.clone()).await.unwrap().into_inner();
        assert_ne!(own.secret, first.secret, "another caller's request ids are others");
        let mut app = server.auth_token(&pair.key_id, &own.secret).keys;
        assert_eq!(app.reset_auth_token(asked).await.unwrap().into_inner(), own);
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_leaves_the_secret_as_it_was() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let stale = tenant.tokens(&pair.key_id, false).await.remove(0).etag;
        tenant.issue_token(tenant.issue(&pair.key_id, "another")).await;
        for (etag, reason) in
            [(stale, ErrorReason::EtagMismatch), ("1".to_owned(), ErrorReason::FieldInvalid)]
        {
            let asked =
                ResetAuthTokenRequest { etag, ..tenant.reset(&pair.key_id, &pair.token_id) };
            let refusal = tenant.client.keys.reset_auth_token(asked).await.refused();
            assert_eq!(refusal.reason, reason);
        }
        let mut app = server.client(&pair.credentials()).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_token_that_is_over_or_not_of_this_key_is_not_found() {
        let server = Server::start().await;
        let mut tenant = server.workspace("over").await;
        let (pair, other) =
            (tenant.pair(tenant.key("key")).await, tenant.pair(tenant.key("other")).await);
        let seconds = server.clock.now().as_second() + 60;
        let ends = wire::IssueAuthTokenRequest {
            expires_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..tenant.issue(&pair.key_id, "ends")
        };
        let ends = tenant.issue_token(ends).await.auth_token.unwrap().auth_token_id;
        let revoke = tenant.revoke_token(&pair.key_id, &pair.token_id);
        tenant.client.keys.revoke_auth_token(revoke).await.unwrap();
        server.clock.turn(Duration::from_secs(61));
        let missing = crate::asks::missing(&ends);
        for id in [pair.token_id, ends, other.token_id, missing] {
            let asked = tenant.reset(&pair.key_id, &id);
            let refusal = tenant.client.keys.reset_auth_token(asked).await.refused();
            assert_eq!(refusal.reason, ErrorReason::AuthTokenNotFound);
            assert_eq!(refusal.resource, Some(("keyward.v1.AuthToken".to_owned(), id)));
        }
    }

    #[tokio::test]
    async fn a_token_of_a_dead_key_gets_no_other_secret() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("dead").await;
        let pair = tenant.pair(tenant.key("key")).await;
        tenant.client.keys.delete_api_key(tenant.delete(&pair.key_id)).await.unwrap();
        let asked = tenant.reset(&pair.key_id, &pair.token_id);
        let refusal = tenant.client.keys.reset_auth_token(asked.clone()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyDeleted);
        tenant.revoke_key(&pair.key_id).await;
        let refusal = tenant.client.keys.reset_auth_token(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyRevoked);
    }

    #[tokio::test]
    async fn a_token_may_not_reset_another_and_is_not_told_which_there_are() {
        let server = Server::shared().await;
        let tenant = server.workspace("siblings").await;
        let pair = tenant.pair(tenant.key("key")).await;
        let sibling = tenant.issue_token(tenant.issue(&pair.key_id, "sibling")).await;
        let real = sibling.auth_token.unwrap().auth_token_id;
        let mut app = server.client(&pair.credentials()).keys;
        let mut said = Vec::new();
        for id in [real.clone(), crate::asks::missing(&real)] {
            let status = app.reset_auth_token(tenant.reset(&pair.key_id, &id)).await.unwrap_err();
            let refusal = harness::Refusal::of(&status);
            assert_eq!(refusal.reason, ErrorReason::AuthTokenNotFound);
            assert_eq!(refusal.resource, Some(("keyward.v1.AuthToken".to_owned(), id)));
            said.push((status.message().to_owned(), status.details().len()));
        }
        assert_eq!(said[0], said[1]);
        let mut app = server.auth_token(&pair.key_id, &sibling.secret).keys;
        app.get_config(GetConfigRequest::default()).await.unwrap();
    }
}
