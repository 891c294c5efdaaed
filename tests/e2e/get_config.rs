//! GetConfig: a key's configuration, other people's secrets as masks.

use api::v1::get_config_request::AsOf;
use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server, Tenant};

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

mod as_of {
    use super::*;

    /// The configuration as it was.
    async fn then(tenant: &Tenant, id: &str, as_of: AsOf) -> Result<wire::Config, tonic::Status> {
        let request = wire::GetConfigRequest { as_of: Some(as_of), ..tenant.config(id) };
        let got = tenant.client.clone().keys.get_config(request).await?;
        Ok(got.into_inner().config.unwrap())
    }

    /// Changes of configuration and key, one after another; what was answered after each.
    async fn life(tenant: &Tenant, id: &str) -> Vec<wire::Config> {
        let mut keys = tenant.client.clone().keys;
        let mut answers = vec![tenant.read_config(id).await];
        let email = wire::EmailService {
            from_email: "post@acme.example".to_owned(),
            ..wire::EmailService::default()
        };
        let config = wire::Config {
            owner_email: "second@acme.example".to_owned(),
            allowed_domains: vec!["example.com".to_owned()],
            require_jwt_token: true,
            email: Some(email),
            ..wire::Config::default()
        };
        for paths in [&["require_jwt_token"][..], &["owner_email"], &["allowed_domains", "email"]] {
            let request = tenant.update_config(id, paths, config.clone());
            let updated = keys.update_config(request).await.unwrap();
            answers.push(updated.into_inner().config.unwrap());
        }
        let put = tenant.put_secret(id, "ai_models.openai", "sk-a-secret-of-a-providerXyZ");
        let put = keys.put_config_secret(put).await.unwrap();
        answers.push(put.into_inner().config.unwrap());
        let deleted = keys.delete_config_secret(tenant.delete_secret(id, "ai_models.openai")).await;
        answers.push(deleted.unwrap().into_inner().config.unwrap());
        answers
    }

    /// The events that end each step of [`life`], with the key's beginning as the first.
    async fn ends(tenant: &Tenant, id: &str) -> Vec<wire::AuditEvent> {
        let request = wire::ListEventsRequest { key_id: id.to_owned(), ..tenant.events() };
        let mut events = tenant.all_events(request).await;
        events.sort_by_key(|event| event.position);
        let ends = [
            "config.created",
            "config.jwt_requirement_changed",
            "api_key.owner_changed",
            "config.email_service_changed",
            "config.secret_put",
            "config.secret_deleted",
        ];
        events.retain(|event| ends.contains(&event.kind.as_str()));
        assert_eq!(events.len(), ends.len());
        events
    }

    #[tokio::test]
    async fn every_answer_of_the_past_comes_back_by_position_and_by_time() {
        let server = Server::shared().await;
        let tenant = server.workspace("past").await;
        let owner_email = "first@acme.example".to_owned();
        let owner = Some(wire::Owner { owner_email, principal: None });
        let made = tenant.create(wire::CreateApiKeyRequest { owner, ..tenant.key("past") }).await;
        let id = made.api_key.unwrap().key_id;
        let answers = life(&tenant, &id).await;
        for (event, answer) in ends(&tenant, &id).await.iter().zip(&answers) {
            let by_position = then(&tenant, &id, AsOf::AsOfPosition(event.position)).await.unwrap();
            assert_eq!(&by_position, answer, "after {}", event.kind);
            let by_time = then(&tenant, &id, AsOf::AsOfTime(event.record_time.unwrap())).await;
            assert_eq!(&by_time.unwrap(), answer, "at the time of {}", event.kind);
        }
        assert_eq!(answers[0].owner_email, "first@acme.example");
        assert_eq!(answers[2].owner_email, "second@acme.example");
    }

    #[tokio::test]
    async fn before_the_key_was_there_nothing_is_and_the_future_is_refused() {
        let server = Server::shared().await;
        let tenant = server.workspace("before").await;
        let earlier = tenant.create_key("earlier").await.api_key.unwrap().key_id;
        let id = tenant.create_key("later").await.api_key.unwrap().key_id;
        let first = ends_of_first(&tenant, &earlier).await;
        let time = first.record_time.unwrap();
        let year_ago = prost_types::Timestamp { seconds: time.seconds - 31_536_000, nanos: 0 };
        for as_of in [AsOf::AsOfPosition(first.position), AsOf::AsOfTime(year_ago)] {
            let refused = then(&tenant, &id, as_of).await.map(tonic::Response::new).refused();
            assert_eq!(refused.reason, ErrorReason::ConfigNotFound);
        }
        let seconds = server.clock.now().as_second() + 60;
        let ahead = AsOf::AsOfTime(prost_types::Timestamp { seconds, nanos: 0 });
        let refused = then(&tenant, &id, ahead).await.map(tonic::Response::new).refused();
        assert!(refused.is_field("as_of_time"), "{refused:?}");
        let beyond = AsOf::AsOfPosition(first.position + 1_000_000_000);
        let refused = then(&tenant, &id, beyond).await.map(tonic::Response::new).refused();
        assert!(refused.is_field("as_of_position"), "{refused:?}");
    }

    async fn ends_of_first(tenant: &Tenant, id: &str) -> wire::AuditEvent {
        let request = wire::ListEventsRequest { key_id: id.to_owned(), ..tenant.events() };
        tenant.all_events(request).await.into_iter().next().unwrap()
    }

    #[tokio::test]
    async fn a_position_of_another_workspace_is_refused_as_one_that_is_not_there() {
        let server = Server::shared().await;
        let (a, b) = (server.workspace("A").await, server.workspace("B").await);
        let theirs = a.create_key("A's").await.api_key.unwrap().key_id;
        let id = b.create_key("B's").await.api_key.unwrap().key_id;
        let theirs = ends_of_first(&a, &theirs).await.position;
        let refused = async |position| {
            let asked = then(&b, &id, AsOf::AsOfPosition(position)).await;
            asked.map(tonic::Response::new).refused()
        };
        assert_eq!(refused(theirs).await, refused(u64::MAX).await);
    }

    #[tokio::test]
    async fn a_foreign_key_of_the_past_is_answered_as_a_missing_one() {
        let server = Server::shared().await;
        let (a, b) = (server.workspace("A").await, server.workspace("B").await);
        let theirs = a.create_key("A's").await.api_key.unwrap().key_id;
        let mine = b.create_key("B's").await.api_key.unwrap().key_id;
        let position = ends_of_first(&b, &mine).await.position;
        for id in [theirs.clone(), crate::asks::missing(&theirs)] {
            let asked = then(&b, &id, AsOf::AsOfPosition(position)).await;
            let refused = asked.map(tonic::Response::new).refused();
            assert_eq!(refused.reason, ErrorReason::ConfigNotFound);
        }
    }
}
