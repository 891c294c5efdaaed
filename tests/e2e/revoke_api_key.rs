//! RevokeApiKey: the end of a key, for good.

use api::v1::{self as wire, ApiKeyStatus, ErrorReason, RevocationReason};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_revoked_key_is_denied_and_says_why() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("over").await;
        let made = tenant.create_key("over").await;
        let id = made.api_key.unwrap().key_id;
        let asked = wire::RevokeApiKeyRequest {
            reason: RevocationReason::Other.into(),
            reason_text: "found in a ticket".to_owned(),
            ..tenant.revoke(&id)
        };
        let answer = tenant.client.keys.revoke_api_key(asked).await.unwrap().into_inner();
        let barrier = answer.barrier.expect("it waits unless told otherwise");
        assert!(barrier.confirmed >= 1 && barrier.fenced == 0, "{barrier:?}");
        assert!(barrier.elapsed.is_some());
        let key = answer.api_key.unwrap();
        assert_eq!(key.status(), ApiKeyStatus::Revoked);
        let revocation = key.revocation.unwrap();
        assert_eq!(revocation.reason(), RevocationReason::Other);
        assert_eq!(revocation.reason_text, "found in a ticket");
        assert_eq!(revocation.revoke_time, key.update_time);
        assert_eq!(tenant.verify(&made.secret).await.denial(), wire::Denial::Revoked);
    }

    #[tokio::test]
    async fn revoking_again_changes_nothing_and_the_first_reason_stays() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("twice").await;
        let id = tenant.create_key("twice").await.api_key.unwrap().key_id;
        let first = tenant.revoke_key(&id).await;
        let compromised = RevocationReason::Compromised.into();
        let asked = wire::RevokeApiKeyRequest { reason: compromised, ..tenant.revoke(&id) };
        let again = tenant.client.keys.revoke_api_key(asked).await.unwrap().into_inner();
        assert_eq!(again.api_key.unwrap(), first);
    }

    #[tokio::test]
    async fn a_disabled_key_can_be_revoked() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("off").await;
        let id = tenant.create_key("off").await.api_key.unwrap().key_id;
        tenant.client.keys.disable_api_key(tenant.disable(&id)).await.unwrap();
        assert_eq!(tenant.revoke_key(&id).await.status(), ApiKeyStatus::Revoked);
    }

    #[tokio::test]
    async fn keys_of_a_suspended_workspace_can_be_revoked() {
        let server = Server::shared().await;
        let tenant = server.workspace("suspended").await;
        let id = tenant.create_key("leaked").await.api_key.unwrap().key_id;
        let suspend =
            wire::SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
        server.operator.workspaces.clone().suspend_workspace(suspend).await.unwrap();
        assert_eq!(tenant.revoke_key(&id).await.status(), ApiKeyStatus::Revoked);
    }
}

mod invalid {
    use super::*;

    #[tokio::test]
    async fn a_reason_is_required_and_other_needs_words() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("why").await;
        let id = tenant.create_key("why").await.api_key.unwrap().key_id;
        for (reason, field) in [(0, "reason"), (99, "reason"), (5, "reason_text")] {
            let asked = wire::RevokeApiKeyRequest { reason, ..tenant.revoke(&id) };
            let refusal = tenant.client.keys.revoke_api_key(asked).await.refused();
            assert!(refusal.is_field(field), "{refusal:?}");
        }
        assert_eq!(tenant.read_key(&id).await.status(), ApiKeyStatus::Active);
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_cannot_be_revoked() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let asked = tenant.revoke(&crate::asks::missing(&id));
        let refusal = tenant.client.keys.revoke_api_key(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
}

mod conflict {
    use super::*;

    #[tokio::test]
    async fn a_stale_etag_leaves_the_key_alive() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let made = tenant.create_key("etags").await;
        let stale = made.api_key.unwrap();
        tenant.client.keys.disable_api_key(tenant.disable(&stale.key_id)).await.unwrap();
        let asked = wire::RevokeApiKeyRequest { etag: stale.etag, ..tenant.revoke(&stale.key_id) };
        let refusal = tenant.client.keys.revoke_api_key(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        assert_eq!(tenant.read_key(&stale.key_id).await.status(), ApiKeyStatus::Disabled);
    }
}
