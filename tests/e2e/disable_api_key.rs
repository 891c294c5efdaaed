//! DisableApiKey: the reversible switch, off.

use api::v1::{self as wire, ApiKeyStatus, ErrorReason};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_disabled_key_is_denied_at_once_and_says_so() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("off").await;
        let made = tenant.create_key("off").await;
        let before = made.api_key.unwrap();
        let answer = tenant.client.keys.disable_api_key(tenant.disable(&before.key_id)).await;
        let key = answer.unwrap().into_inner().api_key.unwrap();
        assert_eq!(key.status(), ApiKeyStatus::Disabled);
        assert_eq!(key.disable_time, key.update_time);
        assert_ne!(key.etag, before.etag);
        assert_eq!(tenant.verify(&made.secret).await.denial(), wire::Denial::Disabled);
        assert_eq!(tenant.read_key(&key.key_id).await, key);
    }

    #[tokio::test]
    async fn disabling_again_changes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("twice").await;
        let id = tenant.create_key("twice").await.api_key.unwrap().key_id;
        let first = tenant.client.keys.disable_api_key(tenant.disable(&id)).await.unwrap();
        let events = server.tables().events_of(&tenant.id).await;
        let again = tenant.client.keys.disable_api_key(tenant.disable(&id)).await.unwrap();
        assert_eq!(again.into_inner().api_key, first.into_inner().api_key);
        assert_eq!(server.tables().events_of(&tenant.id).await, events);
    }

    #[tokio::test]
    async fn the_answer_has_the_owner_even_right_after_the_key_was_made() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("owned").await;
        for _ in 0..5 {
            let owner = Some(wire::Owner {
                owner_email: "ada@analytical.example".to_owned(),
                principal: None,
            });
            let request = wire::CreateApiKeyRequest { owner: owner.clone(), ..tenant.key("owned") };
            let id = tenant.create(request).await.api_key.unwrap().key_id;
            let answer = tenant.client.keys.disable_api_key(tenant.disable(&id)).await.unwrap();
            assert_eq!(answer.into_inner().api_key.unwrap().owner, owner);
        }
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_cannot_be_disabled() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let asked = tenant.disable(&crate::asks::missing(&id));
        let refusal = tenant.client.keys.disable_api_key(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_changes_nothing_and_the_fresh_one_does() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let stale = tenant.create_key("etags").await.api_key.unwrap();
        tenant.client.keys.disable_api_key(tenant.disable(&stale.key_id)).await.unwrap();
        let enable = tenant.enable(&stale.key_id);
        let fresh = tenant.client.keys.enable_api_key(enable).await.unwrap().into_inner();
        let events = server.tables().events_of(&tenant.id).await;
        let asked = |etag: &str| wire::DisableApiKeyRequest {
            etag: etag.to_owned(),
            ..tenant.disable(&stale.key_id)
        };
        let mut keys = tenant.client.keys.clone();
        let refusal = keys.disable_api_key(asked(&stale.etag)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        assert_eq!(server.tables().events_of(&tenant.id).await, events);
        let fresh = fresh.api_key.unwrap().etag;
        keys.disable_api_key(asked(&fresh)).await.unwrap();
    }

    #[tokio::test]
    async fn a_revoked_key_cannot_be_disabled() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("dead").await;
        let id = tenant.create_key("dead").await.api_key.unwrap().key_id;
        tenant.revoke_key(&id).await;
        let refusal = tenant.client.keys.disable_api_key(tenant.disable(&id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyRevoked);
    }

    #[tokio::test]
    async fn of_many_with_one_etag_exactly_one_wins() {
        let server = Server::shared().await;
        let tenant = server.workspace("race").await;
        let key = tenant.create_key("race").await.api_key.unwrap();
        let each = || async {
            let mut keys = tenant.client.keys.clone();
            let asked = wire::DisableApiKeyRequest {
                etag: key.etag.clone(),
                ..tenant.disable(&key.key_id)
            };
            keys.disable_api_key(asked).await
        };
        let answers = futures_util::future::join_all((0..8).map(|_| each())).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        for lost in lost {
            assert_eq!(lost.refused().reason, ErrorReason::EtagMismatch);
        }
    }
}
