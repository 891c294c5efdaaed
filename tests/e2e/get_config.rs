//! GetConfig: a key's configuration, other people's secrets as masks.

use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server};

mod accepted {
    use super::*;

    #[tokio::test]
    async fn every_field_comes_back_and_secrets_only_as_masks() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("configured").await;
        let request = crate::create_api_key::everything(&tenant, server.clock.now().as_second());
        let (email, webhook) = (request.email.clone().unwrap(), request.webhook.clone().unwrap());
        let id = tenant.create(request.clone()).await.api_key.unwrap().key_id;
        let answer = tenant.client.keys.get_config(tenant.config(&id)).await.unwrap();
        let config = answer.into_inner().config.unwrap();
        assert_eq!((config.key_id, config.workspace_id), (id, tenant.id.clone()));
        assert_eq!(config.owner_email, "grace.hopper@navy.example");
        assert_eq!(config.plan, request.plan);
        assert_eq!(config.allowed_domains, ["example.com", "*.example.org"]);
        assert!(config.allow_localhost);
        let sent = config.email.unwrap();
        assert_eq!(sent.api_key_mask, "SG....XyZ");
        assert_eq!((sent.enabled, sent.r#type), (email.enabled, email.r#type));
        assert_eq!((sent.from_email, sent.from_company), (email.from_email, email.from_company));
        assert_eq!(sent.comment_template_id, email.comment_template_id);
        assert_eq!(sent.tag_template_id, email.tag_template_id);
        let posted = config.webhook.unwrap();
        assert_eq!(posted.auth_token_mask, "whs...cks");
        assert!(posted.enabled);
        assert_eq!(posted.raw_notification_url, webhook.raw_notification_url);
        assert_eq!(posted.processed_notification_url, webhook.processed_notification_url);
    }

    #[tokio::test]
    async fn a_key_with_nothing_set_has_the_defaults() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("default").await;
        let id = tenant.create_key("default").await.api_key.unwrap().key_id;
        let answer = tenant.client.keys.get_config(tenant.config(&id)).await.unwrap();
        let config = answer.into_inner().config.unwrap();
        assert_eq!(config.default_document_access(), wire::DocumentAccess::Public);
        assert_eq!(config.owner_email, "");
        assert!(!config.private_comments_enabled && !config.require_jwt_token);
        assert!(!config.require_auto_org_user && config.ai_models.is_empty());
        assert_eq!(config.plan, None, "absent if none was named");
        assert_eq!(config.email, None, "absent if it was never set");
        assert_eq!(config.webhook, None, "absent if it was never set");
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_has_no_configuration() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let missing = crate::asks::missing(&id);
        let refusal = tenant.client.keys.get_config(tenant.config(&missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ConfigNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.Config".to_owned(), missing)));
    }
}
