//! UpdateConfig: what a mask names is changed, and nothing else.

use api::v1::{self as wire, Config, Denial, EmailService, ErrorReason, WebhookService};
use harness::{Refusal, Refused, Server, Tenant};

async fn update(tenant: &Tenant, request: wire::UpdateConfigRequest) -> wire::UpdateConfigResponse {
    tenant.client.clone().keys.update_config(request).await.unwrap().into_inner()
}

async fn put(tenant: &Tenant, key_id: &str, field: &str) -> Config {
    let request = tenant.put_secret(key_id, field, "SG.a-secret-of-a-providerXyZ");
    let put = tenant.client.clone().keys.put_config_secret(request).await.unwrap();
    put.into_inner().config.unwrap()
}

async fn new_key(tenant: &Tenant) -> String {
    tenant.create_key("key").await.api_key.unwrap().key_id
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}

fn sendgrid() -> EmailService {
    EmailService {
        enabled: true,
        r#type: wire::EmailServiceType::Sendgrid.into(),
        from_email: "post@acme.example".to_owned(),
        ..EmailService::default()
    }
}

/// Everything, other than by default.
fn everything() -> Config {
    Config {
        owner_email: "ada@analytical.example".to_owned(),
        plan: Some(wire::Plan { r#type: "production".to_owned(), ..wire::Plan::default() }),
        default_document_access: wire::DocumentAccess::Restricted.into(),
        private_comments_enabled: true,
        require_jwt_token: true,
        require_auto_org_user: true,
        allowed_domains: texts(&["example.com"]),
        allow_localhost: true,
        email: Some(EmailService {
            from_company: "Acme".to_owned(),
            comment_template_id: "d-1".to_owned(),
            tag_template_id: "d-2".to_owned(),
            ..sendgrid()
        }),
        webhook: Some(WebhookService {
            enabled: true,
            raw_notification_url: "https://hooks.acme.example/raw".to_owned(),
            processed_notification_url: "https://hooks.acme.example/processed".to_owned(),
            ..WebhookService::default()
        }),
        ..Config::default()
    }
}

const PATHS: [&str; 10] = [
    "owner_email",
    "plan",
    "default_document_access",
    "private_comments_enabled",
    "require_jwt_token",
    "require_auto_org_user",
    "allowed_domains",
    "allow_localhost",
    "email",
    "webhook",
];

mod accepted {
    use super::*;

    #[tokio::test]
    async fn every_field_can_be_changed_at_once_each_as_an_event_and_back_to_nothing() {
        let server = Server::shared().await;
        let tenant = server.workspace("all").await;
        let key_id = new_key(&tenant).await;
        put(&tenant, &key_id, "webhook.auth_token").await;
        let before = put(&tenant, &key_id, "email.api_key").await;
        for path in PATHS {
            let nothing = tenant.update_config(&key_id, &[path], before.clone());
            let same = update(&tenant, nothing).await.config.unwrap();
            assert_eq!(same, before, "{path}: what is so already changes nothing");
        }
        let answer = update(&tenant, tenant.update_config(&key_id, &PATHS, everything())).await;
        let after = answer.config.unwrap();
        let mut expected = everything();
        expected.email.as_mut().unwrap().api_key_mask = "SG....XyZ".to_owned();
        expected.webhook.as_mut().unwrap().auth_token_mask = "SG....XyZ".to_owned();
        let expected = Config {
            key_id: key_id.clone(),
            workspace_id: tenant.id.clone(),
            update_time: after.update_time,
            etag: after.etag.clone(),
            ..expected
        };
        assert_eq!(after, expected);
        assert_ne!(after.etag, before.etag);
        assert_eq!(tenant.read_config(&key_id).await, after);
        let key = tenant.read_key(&key_id).await;
        assert_eq!(key.owner.unwrap().owner_email, "ada@analytical.example");
        assert_eq!((key.allowed_domains, key.allow_localhost), (texts(&["example.com"]), true));
        let kinds = tenant.kinds_of(&key_id).await;
        let put = ["config.secret_put"; 2];
        let changed = [
            "api_key.owner_changed",
            "api_key.domains_changed",
            "config.plan_changed",
            "config.document_access_changed",
            "config.private_comments_switched",
            "config.jwt_requirement_changed",
            "config.auto_org_user_changed",
            "config.email_service_changed",
            "config.webhook_service_changed",
        ];
        assert_eq!(kinds[..2], ["api_key.created", "config.created"]);
        assert_eq!(kinds[2..4], put);
        assert_eq!(kinds[4..], changed);
        let again = update(&tenant, tenant.update_config(&key_id, &PATHS, everything())).await;
        assert_eq!(again.config.unwrap(), after, "sealed anew, it would be another fact");
        assert_eq!(tenant.kinds_of(&key_id).await.len(), kinds.len());
        let cleared = tenant.update_config(&key_id, &PATHS, Config::default());
        let cleared = update(&tenant, cleared).await.config.unwrap();
        assert_eq!(
            Config { etag: String::new(), update_time: None, ..cleared.clone() },
            Config { etag: String::new(), update_time: None, ..before }
        );
        assert_eq!(tenant.read_config(&key_id).await, cleared);
    }

    #[tokio::test]
    async fn a_nested_path_changes_its_field_and_leaves_the_others() {
        let server = Server::shared().await;
        let tenant = server.workspace("nested").await;
        let key_id = new_key(&tenant).await;
        put(&tenant, &key_id, "email.api_key").await;
        let whole = tenant.update_config(&key_id, &["email", "webhook"], everything());
        let before = update(&tenant, whole).await.config.unwrap();
        let email = EmailService { from_company: "New".to_owned(), ..EmailService::default() };
        let webhook = WebhookService { enabled: false, ..WebhookService::default() };
        let asked = Config { email: Some(email), webhook: Some(webhook), ..Config::default() };
        let paths = ["email.from_company", "email.tag_template_id", "webhook.enabled"];
        let after = update(&tenant, tenant.update_config(&key_id, &paths, asked)).await;
        let after = after.config.unwrap();
        let expected = EmailService {
            from_company: "New".to_owned(),
            tag_template_id: String::new(),
            ..before.email.unwrap()
        };
        assert_eq!(after.email, Some(expected));
        let expected = WebhookService { enabled: false, ..before.webhook.unwrap() };
        assert_eq!(after.webhook, Some(expected));
    }

    #[tokio::test]
    async fn an_origin_that_was_taken_away_is_denied_when_the_call_returns() {
        let server = Server::shared().await;
        let tenant = server.workspace("origins").await;
        let made = tenant.create_key("origins").await;
        let key_id = made.api_key.unwrap().key_id;
        let denial = async |origin: &str| {
            let origin = origin.to_owned();
            let asked = wire::VerifyKeyRequest { origin, ..tenant.question(&made.secret) };
            let verdict = tenant.client.clone().keys.verify_key(asked).await.unwrap();
            verdict.into_inner().denial()
        };
        let set = async |paths: &[&str], domains: &[&str], wait: wire::BarrierWait| {
            let config = Config { allowed_domains: texts(domains), ..everything() };
            let request = tenant.update_config(&key_id, paths, config);
            let wait = wait.into();
            update(&tenant, wire::UpdateConfigRequest { wait, ..request }).await.barrier
        };
        let all = wire::BarrierWait::AllVerifiers;
        let origin = "https://b.example.com";
        let paths = ["allowed_domains", "plan"];
        let narrowed = set(&paths, &["a.example.com"], all).await;
        assert!(narrowed.unwrap().confirmed >= 1);
        assert_eq!(denial(origin).await, Denial::OriginNotAllowed);
        let widened = set(&paths, &["a.example.com", "b.example.com"], all).await;
        assert_eq!((widened, denial(origin).await), (None, Denial::Unspecified));
        let unwaited = set(&paths, &["a.example.com"], wire::BarrierWait::None).await;
        assert_eq!(unwaited, None);
        let nothing_lost = set(&["require_jwt_token", "owner_email"], &[], all).await;
        assert_eq!(nothing_lost, None, "no verdict rests on these");
    }

    #[tokio::test]
    async fn a_repeated_request_is_answered_as_before_and_changes_nothing_again() {
        let server = Server::shared().await;
        let tenant = server.workspace("again").await;
        let key_id = new_key(&tenant).await;
        let request = wire::UpdateConfigRequest {
            request_id: "update-a-configuration".to_owned(),
            ..tenant.update_config(&key_id, &["plan"], everything())
        };
        let first = update(&tenant, request.clone()).await;
        let jwt = tenant.update_config(&key_id, &["require_jwt_token"], everything());
        update(&tenant, jwt).await;
        assert_eq!(update(&tenant, request).await, first);
        assert_eq!(tenant.kinds_of(&key_id).await.len(), 4);
    }

    #[tokio::test]
    async fn two_changes_at_once_of_different_things_both_happen() {
        let server = Server::shared().await;
        let tenant = server.workspace("both").await;
        let key_id = new_key(&tenant).await;
        let paths = ["plan", "require_jwt_token", "private_comments_enabled", "webhook"];
        let changes =
            paths.map(|path| update(&tenant, tenant.update_config(&key_id, &[path], everything())));
        futures_util::future::join_all(changes).await;
        let config = tenant.read_config(&key_id).await;
        assert_eq!((config.plan, config.webhook), (everything().plan, everything().webhook));
        assert!(config.require_jwt_token && config.private_comments_enabled);
        assert_eq!(config.etag, "\"5\"");
    }
}

mod refused {
    use super::*;

    async fn refusal(tenant: &Tenant, request: wire::UpdateConfigRequest) -> Refusal {
        tenant.client.clone().keys.update_config(request).await.refused()
    }

    #[tokio::test]
    async fn sendgrid_is_judged_with_what_is_there_already() {
        let server = Server::shared().await;
        let tenant = server.workspace("sendgrid").await;
        let key_id = new_key(&tenant).await;
        let on = |paths: &[&str]| {
            let config = Config { email: Some(sendgrid()), ..Config::default() };
            tenant.update_config(&key_id, paths, config)
        };
        let no_key = refusal(&tenant, on(&["email"])).await;
        assert!(no_key.is_field("config.email.api_key"), "{no_key:?}");
        let off = tenant.read_config(&key_id).await;
        assert_eq!(off.email, None, "nothing was written");
        put(&tenant, &key_id, "email.api_key").await;
        let no_sender = refusal(&tenant, on(&["email.enabled", "email.type"])).await;
        assert!(no_sender.is_field("config.email.from_email"), "{no_sender:?}");
        update(&tenant, on(&["email.from_email"])).await;
        let config = update(&tenant, on(&["email.enabled", "email.type"])).await.config.unwrap();
        assert_eq!(config.email.unwrap().from_email, "post@acme.example");
        let cleared = tenant.update_config(&key_id, &["email.from_email"], Config::default());
        assert!(refusal(&tenant, cleared).await.is_field("config.email.from_email"));
    }

    #[tokio::test]
    async fn a_bad_part_leaves_the_key_and_the_configuration_as_they_were() {
        let server = Server::shared().await;
        let tenant = server.workspace("atomic").await;
        let key_id = new_key(&tenant).await;
        let (key, config) = (tenant.read_key(&key_id).await, tenant.read_config(&key_id).await);
        let refused = refusal(&tenant, tenant.update_config(&key_id, &PATHS, everything())).await;
        assert!(refused.is_field("config.email.api_key"));
        assert_eq!(tenant.read_key(&key_id).await, key);
        assert_eq!(tenant.read_config(&key_id).await, config);
    }

    #[tokio::test]
    async fn a_stale_etag_changes_nothing_and_the_current_one_is_named() {
        let server = Server::shared().await;
        let tenant = server.workspace("etags").await;
        let key_id = new_key(&tenant).await;
        let stale = tenant.read_config(&key_id).await.etag;
        let plan = |etag: &str| wire::UpdateConfigRequest {
            etag: etag.to_owned(),
            ..tenant.update_config(&key_id, &["plan", "allowed_domains"], everything())
        };
        let jwt = tenant.update_config(&key_id, &["require_jwt_token"], everything());
        let current = update(&tenant, jwt).await.config.unwrap();
        let refused = refusal(&tenant, plan(&stale)).await;
        assert_eq!(refused.reason, ErrorReason::EtagMismatch);
        assert_eq!(refused.metadata.get("etag"), Some(&current.etag));
        assert_eq!(tenant.read_config(&key_id).await, current, "not even the key was changed");
        update(&tenant, plan(&current.etag)).await;
    }

    #[tokio::test]
    async fn a_change_of_the_key_leaves_the_etag_of_its_configuration() {
        let server = Server::shared().await;
        let tenant = server.workspace("etags").await;
        let key_id = new_key(&tenant).await;
        let etag = tenant.read_config(&key_id).await.etag;
        let mut keys = tenant.client.clone().keys;
        keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
        let request = tenant.update_config(&key_id, &["plan"], everything());
        update(&tenant, wire::UpdateConfigRequest { etag, ..request }).await;
    }

    #[tokio::test]
    async fn a_revoked_or_deleted_key_takes_no_change_of_its_configuration() {
        let server = Server::shared().await;
        let tenant = server.workspace("dead").await;
        let (revoked, deleted) = (new_key(&tenant).await, new_key(&tenant).await);
        let mut keys = tenant.client.clone().keys;
        tenant.revoke_key(&revoked).await;
        keys.delete_api_key(tenant.delete(&deleted)).await.unwrap();
        for (id, reason) in
            [(revoked, ErrorReason::ApiKeyRevoked), (deleted, ErrorReason::ApiKeyDeleted)]
        {
            let plan = tenant.update_config(&id, &["plan"], everything());
            assert_eq!(refusal(&tenant, plan).await.reason, reason);
            let put = tenant.put_secret(&id, "ai_models.openai", "sk-a-secret-of-a-provider");
            assert_eq!(keys.put_config_secret(put).await.refused().reason, reason);
            let delete = tenant.delete_secret(&id, "ai_models.openai");
            assert_eq!(keys.delete_config_secret(delete).await.refused().reason, reason);
        }
    }

    #[tokio::test]
    async fn a_key_that_was_never_made_has_no_configuration_to_change() {
        let server = Server::shared().await;
        let tenant = server.workspace("none").await;
        let missing = crate::asks::missing(&new_key(&tenant).await);
        let asked = tenant.update_config(&missing, &["plan"], everything());
        let refused = refusal(&tenant, asked).await;
        assert_eq!(refused.reason, ErrorReason::ConfigNotFound);
        assert_eq!(refused.resource, Some(("keyward.v1.Config".to_owned(), missing)));
    }
}
