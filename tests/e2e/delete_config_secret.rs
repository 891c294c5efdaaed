//! DeleteConfigSecret: what is gone is shown to nobody.

use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server, Tenant};

const SECRET: &str = "sk-a-secret-of-a-providerXyZ";

async fn key_with(tenant: &Tenant, fields: &[&str]) -> String {
    let key_id = tenant.create_key("key").await.api_key.unwrap().key_id;
    for field in fields {
        let request = tenant.put_secret(&key_id, field, SECRET);
        tenant.client.clone().keys.put_config_secret(request).await.unwrap();
    }
    key_id
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_secret_that_was_deleted_is_gone_and_the_others_are_not() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("gone").await;
        let fields = ["email.api_key", "webhook.auth_token", "ai_models.openai", "ai_models.other"];
        let key_id = key_with(&tenant, &fields).await;
        let service = server.service(&[wire::Permission::Reveal], &[&tenant]).await;
        let mut revealing = server.bearer(&service).keys;
        for (at, field) in fields.iter().enumerate() {
            let deleted = tenant.delete_secret(&key_id, field);
            let answer = tenant.client.keys.delete_config_secret(deleted).await.unwrap();
            let config = answer.into_inner().config.unwrap();
            assert_eq!(tenant.read_config(&key_id).await, config);
            for (other, field) in fields.iter().enumerate() {
                let shown = revealing.reveal_config_secret(tenant.reveal(&key_id, field)).await;
                assert_eq!(shown.is_ok(), other > at, "{field} after {at}");
            }
        }
        let config = tenant.read_config(&key_id).await;
        assert!(config.ai_models.is_empty());
        assert_eq!((config.email, config.webhook), (None, None), "as if it was never set");
    }

    #[tokio::test]
    async fn deleting_what_is_not_there_changes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("nothing").await;
        let key_id = key_with(&tenant, &["ai_models.openai"]).await;
        let before = tenant.read_config(&key_id).await;
        for field in ["email.api_key", "webhook.auth_token", "ai_models.other"] {
            let deleted = tenant.delete_secret(&key_id, field);
            let answer = tenant.client.keys.delete_config_secret(deleted).await.unwrap();
            assert_eq!(answer.into_inner().config.unwrap(), before);
        }
        assert_eq!(tenant.kinds_of(&key_id).await.len(), 3);
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn the_key_of_a_provider_that_sends_stays_until_it_is_switched_off() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("in use").await;
        let key_id = key_with(&tenant, &["email.api_key"]).await;
        let email = |enabled| wire::Config {
            email: Some(wire::EmailService {
                enabled,
                r#type: wire::EmailServiceType::Sendgrid.into(),
                from_email: "post@acme.example".to_owned(),
                ..wire::EmailService::default()
            }),
            ..wire::Config::default()
        };
        let on = tenant.update_config(&key_id, &["email"], email(true));
        tenant.client.keys.update_config(on).await.unwrap();
        let delete = tenant.delete_secret(&key_id, "email.api_key");
        let refused = tenant.client.keys.delete_config_secret(delete.clone()).await.refused();
        assert!(refused.is_field("field"), "{refused:?}");
        let off = tenant.update_config(&key_id, &["email.enabled"], email(false));
        tenant.client.keys.update_config(off).await.unwrap();
        tenant.client.keys.delete_config_secret(delete).await.unwrap();
        let email = tenant.read_config(&key_id).await.email.unwrap();
        assert_eq!(
            (email.api_key_mask.as_str(), email.from_email.as_str()),
            ("", "post@acme.example")
        );
    }

    #[tokio::test]
    async fn a_stale_etag_deletes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let key_id = key_with(&tenant, &["ai_models.openai"]).await;
        let request = wire::DeleteConfigSecretRequest {
            etag: "\"1\"".to_owned(),
            ..tenant.delete_secret(&key_id, "ai_models.openai")
        };
        let refused = tenant.client.keys.delete_config_secret(request).await.refused();
        assert_eq!(refused.reason, ErrorReason::EtagMismatch);
        assert_eq!(tenant.read_config(&key_id).await.ai_models.len(), 1);
    }
}
