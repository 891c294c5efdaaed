//! GetApiKey: one key, dead or alive.

use api::v1::{self as wire, ApiKeyStatus, ErrorReason};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_revoked_key_is_still_read_with_how_it_ended() {
        let server = Server::shared().await;
        let tenant = server.workspace("dead").await;
        let id = tenant.create_key("dead").await.api_key.unwrap().key_id;
        let revoked = tenant.revoke_key(&id).await;
        let read = tenant.read_key(&id).await;
        assert_eq!(read, revoked);
        assert_eq!(read.status(), ApiKeyStatus::Revoked);
        let revocation = read.revocation.unwrap();
        assert_eq!(revocation.reason(), wire::RevocationReason::Unused);
        assert_eq!(revocation.revoked_by, format!("workspace:{}", tenant.id));
    }

    #[tokio::test]
    async fn the_status_follows_the_clock() {
        let server = Server::start().await;
        let tenant = server.workspace("time").await;
        let now = server.clock.now().as_second();
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let request = wire::CreateApiKeyRequest {
            not_before: at(now + 100),
            expires_at: at(now + 200),
            ..tenant.key("timed")
        };
        let id = tenant.create(request).await.api_key.unwrap().key_id;
        for status in [ApiKeyStatus::NotYetValid, ApiKeyStatus::Active, ApiKeyStatus::Expired] {
            assert_eq!(tenant.read_key(&id).await.status(), status);
            server.clock.turn(std::time::Duration::from_secs(100));
        }
    }

    #[tokio::test]
    async fn a_service_with_the_right_to_read_reads() {
        let server = Server::shared().await;
        let tenant = server.workspace("read").await;
        let id = tenant.create_key("read").await.api_key.unwrap().key_id;
        let secret = server.service(&[wire::Permission::OrgRead], &[&tenant]).await;
        let read = server.bearer(&secret).keys.get_api_key(tenant.get(&id)).await.unwrap();
        assert_eq!(read.into_inner().api_key.unwrap().name, "read");
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_is_not_found() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let missing = crate::asks::missing(&id);
        let refusal = tenant.client.keys.get_api_key(tenant.get(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.ApiKey".to_owned(), missing)));
    }
}

mod denied {
    use super::*;

    #[tokio::test]
    async fn the_operator_reads_no_tenants_keys() {
        let server = Server::shared().await;
        let tenant = server.workspace("private").await;
        let id = tenant.create_key("private").await.api_key.unwrap().key_id;
        let refusal = server.operator.keys.clone().get_api_key(tenant.get(&id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
