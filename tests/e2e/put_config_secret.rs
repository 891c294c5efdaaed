//! PutConfigSecret: a secret of somebody else's is kept, and nobody who manages keys sees it again.

use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server, Site, Tenant};
use keyward::config::Settings;

const SECRET: &str = "sk-a-secret-of-a-providerXyZ";

async fn put(tenant: &Tenant, request: wire::PutConfigSecretRequest) -> wire::Config {
    let put = tenant.client.clone().keys.put_config_secret(request).await.unwrap();
    put.into_inner().config.unwrap()
}

async fn new_key(tenant: &Tenant) -> String {
    tenant.create_key("key").await.api_key.unwrap().key_id
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn each_secret_is_shown_as_its_mask_and_others_stay() {
        let server = Server::shared().await;
        let tenant = server.workspace("masks").await;
        let key_id = new_key(&tenant).await;
        for field in ["email.api_key", "webhook.auth_token", "ai_models.openai", "ai_models.x_1-"] {
            put(&tenant, tenant.put_secret(&key_id, field, SECRET)).await;
        }
        // Nothing of a short one is shown.
        let last = put(&tenant, tenant.put_secret(&key_id, "ai_models.mini", "12345678")).await;
        assert_eq!(last.email.as_ref().unwrap().api_key_mask, "sk-...XyZ");
        assert_eq!(last.webhook.as_ref().unwrap().auth_token_mask, "sk-...XyZ");
        let shown: Vec<_> = last
            .ai_models
            .iter()
            .map(|(provider, model)| (provider.as_str(), model.display_text.as_str()))
            .collect();
        assert_eq!(shown, [("mini", "..."), ("openai", "sk-...XyZ"), ("x_1-", "sk-...XyZ")]);
        assert_eq!(tenant.read_config(&key_id).await, last);
    }

    #[tokio::test]
    async fn the_longest_secret_is_kept_whole() {
        let server = Server::shared().await;
        let tenant = server.workspace("long").await;
        let key_id = new_key(&tenant).await;
        let secret = format!("sk-{}", "x!~".repeat(1_364)) + "z";
        assert_eq!(secret.len(), 4_096);
        put(&tenant, tenant.put_secret(&key_id, "ai_models.openai", &secret)).await;
        let service = server.service(&[wire::Permission::Reveal], &[&tenant]).await;
        let mut keys = server.bearer(&service).keys;
        let asked = tenant.reveal(&key_id, "ai_models.openai");
        assert_eq!(keys.reveal_config_secret(asked).await.unwrap().into_inner().secret, secret);
    }

    #[tokio::test]
    async fn the_same_secret_again_is_another_event_so_that_nobody_can_try_which_it_is() {
        let server = Server::shared().await;
        let tenant = server.workspace("same").await;
        let key_id = new_key(&tenant).await;
        let request = tenant.put_secret(&key_id, "ai_models.openai", SECRET);
        let first = put(&tenant, request.clone()).await;
        let second = put(&tenant, request.clone()).await;
        assert_ne!(first.etag, second.etag);
        let other = tenant.put_secret(&key_id, "ai_models.openai", "sk-not-a-secret-of-any-XyZ");
        assert_ne!(put(&tenant, other).await.etag, second.etag);
    }

    #[tokio::test]
    async fn auditors_see_that_it_was_put_and_its_mask() {
        let server = Server::shared().await;
        let tenant = server.workspace("audit").await;
        let key_id = new_key(&tenant).await;
        put(&tenant, tenant.put_secret(&key_id, "ai_models.openai", SECRET)).await;
        let kinds = vec!["config.secret_put".to_owned()];
        let request = wire::ListEventsRequest { kinds, ..tenant.events() };
        let [event] = tenant.all_events(request).await.try_into().unwrap();
        assert_eq!((&event.key_id, event.stream), (&key_id, format!("{key_id}/config")));
        let text = |value: &prost_types::Value| match &value.kind {
            Some(prost_types::value::Kind::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        let fields = event.payload.unwrap().fields;
        assert_eq!(text(&fields["field"]), "ai_models.openai");
        let Some(prost_types::value::Kind::StructValue(value)) = &fields["value"].kind else {
            panic!("{fields:?}");
        };
        assert_eq!(text(&value.fields["mask"]), "sk-...XyZ");
        assert_eq!(text(&value.fields["sealed"]), "[sealed]");
    }

    #[tokio::test]
    async fn a_repeated_request_puts_once() {
        let server = Server::shared().await;
        let tenant = server.workspace("once").await;
        let key_id = new_key(&tenant).await;
        let request = wire::PutConfigSecretRequest {
            request_id: "put-a-secret-only-once".to_owned(),
            ..tenant.put_secret(&key_id, "ai_models.openai", SECRET)
        };
        let first = put(&tenant, request.clone()).await;
        assert_eq!(put(&tenant, request.clone()).await, first);
        assert_eq!(tenant.kinds_of(&key_id).await.len(), 3);
        let other = wire::PutConfigSecretRequest { secret: "another-secret".into(), ..request };
        let refused = tenant.client.clone().keys.put_config_secret(other).await.refused();
        assert_eq!(refused.reason, ErrorReason::RequestIdReused);
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_mask_that_was_answered_is_no_secret() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("mask").await;
        let key_id = new_key(&tenant).await;
        for secret in
            [SECRET, "SG.34567890123456789", "12345678", "....................", "........a"]
        {
            let request = tenant.put_secret(&key_id, "ai_models.openai", secret);
            let Ok(kept) = tenant.client.keys.put_config_secret(request).await else {
                continue;
            };
            let kept = kept.into_inner().config.unwrap();
            let mask = &kept.ai_models["openai"].display_text;
            let back = tenant.put_secret(&key_id, "ai_models.openai", mask);
            let refused = tenant.client.keys.put_config_secret(back).await.refused();
            assert!(refused.is_field("secret"), "{mask}: {refused:?}");
            assert_eq!(tenant.read_config(&key_id).await, kept);
        }
    }

    #[tokio::test]
    async fn a_refused_secret_is_not_repeated() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("echo").await;
        let key_id = new_key(&tenant).await;
        for secret in ["PLANTED VALUE", "PLANTED\0VALUE", &"PLANTED".repeat(600)] {
            for field in ["email.api_key", "ai_models.PLANTED"] {
                let request = tenant.put_secret(&key_id, field, secret);
                let status = tenant.client.keys.put_config_secret(request).await.unwrap_err();
                assert!(!String::from_utf8_lossy(status.details()).contains("PLANTED"));
                assert!(!status.message().contains("PLANTED"));
            }
        }
    }

    #[tokio::test]
    async fn a_key_has_sixty_four_providers_at_most() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("many").await;
        let key_id = new_key(&tenant).await;
        let field = |n: usize| format!("ai_models.provider-{n}");
        for n in 0..64 {
            put(&tenant, tenant.put_secret(&key_id, &field(n), SECRET)).await;
        }
        let more = tenant.put_secret(&key_id, &field(64), SECRET);
        let refused = tenant.client.keys.put_config_secret(more).await.refused();
        assert!(refused.is_field("field"), "{refused:?}");
        let replaced = put(&tenant, tenant.put_secret(&key_id, &field(63), "12345678")).await;
        assert_eq!(replaced.ai_models.len(), 64);
    }

    #[tokio::test]
    async fn a_provider_that_is_not_in_the_list_is_refused_where_there_is_one() {
        let site = Site::new().await;
        let ai_providers = Some("openai, anthropic".to_owned());
        let settings = Settings { ai_providers, ..Settings::default() };
        let config = site.config_with(site.url(), settings);
        let server = Server::start_with(config, site.operator_token()).await;
        let mut tenant = server.workspace("listed").await;
        let key_id = new_key(&tenant).await;
        for field in ["ai_models.openai", "ai_models.anthropic", "email.api_key"] {
            put(&tenant, tenant.put_secret(&key_id, field, SECRET)).await;
        }
        let unknown = tenant.put_secret(&key_id, "ai_models.other", SECRET);
        let refused = tenant.client.keys.put_config_secret(unknown).await.refused();
        assert!(refused.is_field("field"), "{refused:?}");
        assert!(refused.rule.contains("openai, anthropic"), "{refused:?}");
        // What was kept before the list became shorter can be taken away.
        let gone = tenant.delete_secret(&key_id, "ai_models.other");
        tenant.client.keys.delete_config_secret(gone).await.unwrap();
        server.stop().await;
    }

    #[tokio::test]
    async fn a_stale_etag_puts_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let key_id = new_key(&tenant).await;
        let etag = tenant.read_config(&key_id).await.etag;
        let request = wire::PutConfigSecretRequest {
            etag,
            ..tenant.put_secret(&key_id, "ai_models.openai", SECRET)
        };
        let kept = put(&tenant, request.clone()).await;
        let refused = tenant.client.keys.put_config_secret(request).await.refused();
        assert_eq!(refused.reason, ErrorReason::EtagMismatch);
        assert_eq!(refused.metadata.get("etag"), Some(&kept.etag));
    }
}
