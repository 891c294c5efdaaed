//! The fields of the RPCs on configurations.

use api::v1 as wire;
use api::v1::get_config_request::AsOf;
use harness::Server;

use super::{Rows, custom, each, moment, written};

fn config(request: &mut wire::UpdateConfigRequest) -> &mut wire::Config {
    request.config.get_or_insert_default()
}

/// Names this path beside the good one.
fn name(request: &mut wire::UpdateConfigRequest, path: &str) {
    request.update_mask.get_or_insert_default().paths.push(path.to_owned());
}

fn email<'a>(request: &'a mut wire::UpdateConfigRequest, path: &str) -> &'a mut wire::EmailService {
    name(request, path);
    config(request).email.get_or_insert_default()
}

fn webhook(request: &mut wire::UpdateConfigRequest) -> &mut wire::WebhookService {
    name(request, "webhook");
    config(request).webhook.get_or_insert_default()
}

fn plan(request: &mut wire::UpdateConfigRequest) -> &mut wire::Plan {
    name(request, "plan");
    config(request).plan.get_or_insert_default()
}

const UPDATE: Rows<wire::UpdateConfigRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("key_id", |r| r.key_id = "key_".to_owned()),
    ("config", |r| r.config = None),
    ("update_mask", |r| r.update_mask = None),
    ("update_mask", |r| r.update_mask = Some(prost_types::FieldMask::default())),
    ("update_mask.paths[1]", |r| name(r, "")),
    ("update_mask.paths[1]", |r| name(r, "*")),
    ("update_mask.paths[1]", |r| name(r, "key_id")),
    ("update_mask.paths[1]", |r| name(r, "etag")),
    ("update_mask.paths[1]", |r| name(r, "ai_models")),
    ("update_mask.paths[1]", |r| name(r, "ai_models.openai")),
    ("update_mask.paths[1]", |r| name(r, "plan.type")),
    ("update_mask.paths[1]", |r| name(r, "email.api_key")),
    ("update_mask.paths[1]", |r| name(r, "email.api_key_mask")),
    ("update_mask.paths[1]", |r| name(r, "email.")),
    ("update_mask.paths[1]", |r| name(r, "webhook.auth_token")),
    ("update_mask.paths[1]", |r| name(r, "webhook.enabled.x")),
    ("update_mask.paths[1]", |r| name(r, "Plan")),
    ("config.owner_email", |r| {
        name(r, "owner_email");
        config(r).owner_email = "nobody".to_owned();
    }),
    ("config.plan.type", |r| plan(r).r#type = "x".repeat(129)),
    ("config.plan.type", |r| plan(r).r#type = " ".to_owned()),
    ("config.plan.custom_data", |r| plan(r).custom = true),
    ("config.plan.custom_data", |r| plan(r).custom_data = custom(None, "x")),
    ("config.default_document_access", |r| {
        name(r, "default_document_access");
        config(r).default_document_access = 4;
    }),
    ("config.allowed_domains[1]", |r| {
        name(r, "allowed_domains");
        config(r).allowed_domains = vec!["example.com".to_owned(), "com".to_owned()];
    }),
    ("config.allowed_domains", |r| {
        name(r, "allowed_domains");
        config(r).allowed_domains = vec!["example.com".to_owned(); 101];
    }),
    ("config.email.type", |r| email(r, "email").r#type = 3),
    ("config.email.type", |r| email(r, "email.type").r#type = -1),
    ("config.email.from_email", |r| email(r, "email").from_email = "a@b@".to_owned()),
    ("config.email.from_company", |r| email(r, "email.from_company").from_company = "\0".into()),
    ("config.email.comment_template_id", |r| {
        email(r, "email").comment_template_id = "a b".to_owned();
    }),
    ("config.email.tag_template_id", |r| {
        email(r, "email.tag_template_id").tag_template_id = "x".repeat(129);
    }),
    ("config.email.api_key", |r| {
        let email = email(r, "email");
        (email.enabled, email.r#type) = (true, wire::EmailServiceType::Sendgrid.into());
        email.from_email = "a@example.com".to_owned();
    }),
    ("config.webhook.raw_notification_url", |r| {
        webhook(r).raw_notification_url = "http://hooks.example.com".to_owned();
    }),
    ("config.webhook.raw_notification_url", |r| {
        webhook(r).raw_notification_url = "https://user@hooks.example.com".to_owned();
    }),
    ("config.webhook.processed_notification_url", |r| {
        webhook(r).processed_notification_url = "https://[::1]/".to_owned();
    }),
    ("config.webhook.processed_notification_url", |r| {
        webhook(r).processed_notification_url = "https://127.0.0.1/".to_owned();
    }),
    ("config.webhook.raw_notification_url", |r| {
        let long = "x".repeat(2_049 - "https://a.example/".len());
        webhook(r).raw_notification_url = format!("https://a.example/{long}");
    }),
    ("etag", |r| r.etag = "1".to_owned()),
    ("request_id", |r| r.request_id = "short".to_owned()),
    ("wait", |r| r.wait = 9),
];

const PUT: Rows<wire::PutConfigSecretRequest> = &[
    ("workspace_id", |r| r.workspace_id = "x".to_owned()),
    ("key_id", |r| r.key_id.clear()),
    ("field", |r| r.field.clear()),
    ("field", |r| r.field = "email".to_owned()),
    ("field", |r| r.field = "email.from_email".to_owned()),
    ("field", |r| r.field = "ai_models".to_owned()),
    ("field", |r| r.field = "ai_models.".to_owned()),
    ("field", |r| r.field = "ai_models.OpenAI".to_owned()),
    ("field", |r| r.field = "ai_models.open.ai".to_owned()),
    ("field", |r| r.field = "ai_models.../../x".to_owned()),
    ("field", |r| r.field = format!("ai_models.{}", "x".repeat(65))),
    ("secret", |r| r.secret.clear()),
    ("secret", |r| r.secret = "1234567".to_owned()),
    ("secret", |r| r.secret = "x".repeat(4_097)),
    ("secret", |r| r.secret = "sk-a\0secret-of-a-provider".to_owned()),
    ("secret", |r| r.secret = "sk-a secret of a provider".to_owned()),
    ("secret", |r| r.secret = "sk-é-secret-of-a-provider".to_owned()),
    ("secret", |r| r.secret = "sk-a-secret-of-a-provider\n".to_owned()),
    ("secret", |r| r.secret = "sk-...der".to_owned()),
    ("secret", |r| r.secret = "********".to_owned()),
    ("secret", |r| r.secret = "sk-*****ider".to_owned()),
    ("secret", |r| r.secret = "........".to_owned()),
    ("etag", |r| r.etag = "\"x\"".to_owned()),
    ("request_id", |r| r.request_id = "x".repeat(256)),
];

const DELETE: Rows<wire::DeleteConfigSecretRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("key_id", |r| r.key_id = "x".to_owned()),
    ("field", |r| r.field.clear()),
    ("field", |r| r.field = "webhook".to_owned()),
    ("etag", |r| r.etag = "x".to_owned()),
    ("request_id", |r| r.request_id = "x".to_owned()),
];

const REVEAL: Rows<wire::RevealConfigSecretRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("key_id", |r| r.key_id.clear()),
    ("field", |r| r.field.clear()),
    ("field", |r| r.field = "owner_email".to_owned()),
    ("field", |r| r.field = "email.*".to_owned()),
    ("reason_text", |r| r.reason_text = "x".repeat(257)),
    ("reason_text", |r| r.reason_text = "a\u{202e}b".to_owned()),
];

const AS_OF: Rows<wire::GetConfigRequest> = &[
    ("as_of_time", |r| r.as_of = moment(253_402_300_800, 0).map(AsOf::AsOfTime)),
    ("as_of_time", |r| r.as_of = moment(1, -1).map(AsOf::AsOfTime)),
    // Year 9999.
    ("as_of_time", |r| r.as_of = moment(253_402_300_799, 0).map(AsOf::AsOfTime)),
    ("as_of_position", |r| r.as_of = Some(AsOf::AsOfPosition(0))),
    ("as_of_position", |r| r.as_of = Some(AsOf::AsOfPosition(u64::MAX))),
    ("at_least", |r| (r.as_of, r.at_least) = (Some(AsOf::AsOfPosition(1)), "x".to_owned())),
];

#[tokio::test]
async fn every_field_of_the_rpcs_on_configurations_is_refused_by_its_path_and_rule() {
    let server = Server::start().await;
    let tenant = server.workspace("bad").await;
    let id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let service = server.bearer(&server.service(&[wire::Permission::Reveal], &[]).await);
    let before = written(&server).await;
    let keys = || tenant.client.keys.clone();
    let jwt = wire::Config { require_jwt_token: true, ..wire::Config::default() };
    let good = tenant.update_config(&id, &["require_jwt_token"], jwt);
    each(UPDATE, good, async |r| keys().update_config(r).await.map(drop)).await;
    let good = tenant.put_secret(&id, "ai_models.openai", "sk-a-secret-of-a-provider");
    each(PUT, good, async |r| keys().put_config_secret(r).await.map(drop)).await;
    let good = tenant.delete_secret(&id, "ai_models.openai");
    each(DELETE, good, async |r| keys().delete_config_secret(r).await.map(drop)).await;
    // Bound to no workspace: one that is bound to a single one need not name it.
    let good = tenant.reveal(&id, "ai_models.openai");
    each(REVEAL, good, async |r| service.keys.clone().reveal_config_secret(r).await.map(drop))
        .await;
    each(AS_OF, tenant.config(&id), async |r| keys().get_config(r).await.map(drop)).await;
    assert_eq!(written(&server).await, before, "nothing was written");
}
