//! EnableApiKey: the reversible switch, on again.

use api::v1::{self as wire, ApiKeyStatus, ErrorReason};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn an_enabled_key_passes_again() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("on").await;
        let made = tenant.create_key("on").await;
        let id = made.api_key.unwrap().key_id;
        tenant.client.keys.disable_api_key(tenant.disable(&id)).await.unwrap();
        let answer = tenant.client.keys.enable_api_key(tenant.enable(&id)).await.unwrap();
        let key = answer.into_inner().api_key.unwrap();
        assert_eq!((key.status(), key.disable_time), (ApiKeyStatus::Active, None));
        assert_eq!(tenant.verify(&made.secret).await.decision(), wire::Decision::Accepted);
    }

    #[tokio::test]
    async fn enabling_an_enabled_key_changes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("twice").await;
        let before = tenant.create_key("twice").await.api_key.unwrap();
        let answer = tenant.client.keys.enable_api_key(tenant.enable(&before.key_id)).await;
        assert_eq!(answer.unwrap().into_inner().api_key.unwrap(), before);
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_cannot_be_enabled() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let asked = tenant.enable(&crate::asks::missing(&id));
        let refusal = tenant.client.keys.enable_api_key(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_revoked_key_stays_revoked() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("dead").await;
        let made = tenant.create_key("dead").await;
        let id = made.api_key.unwrap().key_id;
        tenant.revoke_key(&id).await;
        let refusal = tenant.client.keys.enable_api_key(tenant.enable(&id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyRevoked);
        assert_eq!(tenant.verify(&made.secret).await.denial(), wire::Denial::Revoked);
    }

    #[tokio::test]
    async fn a_stale_etag_is_refused() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let stale = tenant.create_key("etags").await.api_key.unwrap();
        tenant.client.keys.disable_api_key(tenant.disable(&stale.key_id)).await.unwrap();
        let asked = wire::EnableApiKeyRequest { etag: stale.etag, ..tenant.enable(&stale.key_id) };
        let refusal = tenant.client.keys.enable_api_key(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
    }
}
