//! How e-mail is sent and where notifications go: read and changed with the key's token, or by its
//! workspace.

use serde_json::{Value, json};

use super::{CREATE, Velt, error, text};
use crate::rest::Answer;

const EMAIL: &str = "/v2/workspace/emailconfig/get";
const EMAIL_UPDATE: &str = "/v2/workspace/emailconfig/update";
const WEBHOOK: &str = "/v2/workspace/webhookconfig/get";
const WEBHOOK_UPDATE: &str = "/v2/workspace/webhookconfig/update";
const ALL: [&str; 4] = [EMAIL, EMAIL_UPDATE, WEBHOOK, WEBHOOK_UPDATE];

const NOTHING: &str = "At least one field must be provided for update.";

const API_KEY: &str = "SG.0123456789abcdefghij";
const AUTH_TOKEN: &str = "webhook-0123456789abcdef";

/// A new key, of the workspace, and a token of it.
struct Keyed {
    velt: Velt,
    key: String,
    token: String,
}

impl Keyed {
    async fn new(name: &str) -> Self {
        let velt = Velt::new(name).await;
        let body = json!({"data": {
            "ownerEmail": "owner@example.com", "type": "testing", "createAuthToken": true,
        }});
        let made = velt.send(CREATE, &body).await;
        let key = made.ok()["result"]["data"]["apiKey"].as_str().unwrap().to_owned();
        Self { velt, key, token: made.header("x-velt-auth-token").to_owned() }
    }

    async fn ask(&self, path: &str, body: &str) -> Answer {
        let ask = self.velt.rest.post(path, body.to_owned()).header("x-velt-api-key", &self.key);
        ask.header("x-velt-auth-token", &self.token).send().await
    }

    async fn update(&self, path: &str, data: Value) -> Answer {
        self.ask(path, &json!({"data": data}).to_string()).await
    }

    async fn refused(&self, path: &str, data: Value) -> String {
        let (status, name, message) = error(&self.update(path, data.clone()).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{data}: {message}");
        message
    }
}

fn answered(message: &str, data: &str) -> String {
    format!("{{\"result\":{{\"status\":\"success\",\"message\":\"{message}\",\"data\":{data}}}}}")
}

#[tokio::test]
async fn email_is_read_and_changed_as_documented_but_for_the_mask_of_the_secret() {
    let keyed = Keyed::new("velt email").await;
    for body in ["{\"data\": {}}", "", "{{ x"] {
        assert_eq!(
            text(&keyed.ask(EMAIL, body).await),
            answered(
                "Email configuration retrieved successfully.",
                "{\"useEmailService\":false,\"emailServiceConfig\":{\"type\":\"default\",\
                 \"apiKey\":\"\",\"fromEmail\":\"\",\"fromCompany\":\"\",\"commentTemplateId\":\"\",\
                 \"tagTemplateId\":\"\"}}"
            )
        );
    }
    let documented = json!({"useEmailService": true, "emailServiceConfig": {
        "type": "sendgrid", "apiKey": API_KEY, "fromEmail": "noreply@example.com",
        "fromCompany": "Example Corp",
    }});
    let answer = keyed.update(EMAIL_UPDATE, documented).await;
    let shown = "{\"useEmailService\":true,\"emailServiceConfig\":{\"type\":\"sendgrid\",\
                 \"apiKey\":\"SG....hij\",\"fromEmail\":\"noreply@example.com\",\
                 \"fromCompany\":\"Example Corp\",\"commentTemplateId\":\"\",\"tagTemplateId\":\"\"}}";
    assert_eq!(text(&answer), answered("Email configuration updated successfully.", shown));
    let answer = keyed.ask(EMAIL, "").await;
    assert_eq!(text(&answer), answered("Email configuration retrieved successfully.", shown));

    // What is not there stays as it is; what is empty is none from then on.
    let templates = json!({"emailServiceConfig": {
        "commentTemplateId": "d-1", "tagTemplateId": "d-2", "fromCompany": "",
    }});
    let now = keyed.update(EMAIL_UPDATE, templates).await.ok()["result"]["data"].clone();
    assert_eq!(
        now,
        json!({"useEmailService": true, "emailServiceConfig": {
            "type": "sendgrid", "apiKey": "SG....hij", "fromEmail": "noreply@example.com",
            "fromCompany": "", "commentTemplateId": "d-1", "tagTemplateId": "d-2",
        }})
    );
    let kept = keyed.refused(EMAIL_UPDATE, json!({"emailServiceConfig": {"apiKey": ""}})).await;
    assert!(kept.starts_with("emailServiceConfig.apiKey is required"), "{kept}");
    let off = json!({"useEmailService": false, "emailServiceConfig": {"apiKey": ""}});
    let now = keyed.update(EMAIL_UPDATE, off).await.ok()["result"]["data"].clone();
    assert_eq!(
        (&now["useEmailService"], &now["emailServiceConfig"]["apiKey"]),
        (&json!(false), &json!(""))
    );
}

#[tokio::test]
async fn the_webhook_is_read_and_changed_as_documented_but_for_the_mask_of_the_secret() {
    let keyed = Keyed::new("velt webhook").await;
    assert_eq!(
        text(&keyed.ask(WEBHOOK, "{\"data\": {}}").await),
        answered(
            "Webhook configuration retrieved successfully.",
            "{\"useWebhookService\":false,\"webhookServiceConfig\":{\"authToken\":\"\",\
             \"rawNotificationUrl\":\"\",\"processedNotificationUrl\":\"\"}}"
        )
    );
    let documented = json!({"useWebhookService": true, "webhookServiceConfig": {
        "authToken": AUTH_TOKEN,
        "rawNotificationUrl": "https://example.com/webhooks/raw",
        "processedNotificationUrl": "https://example.com/webhooks/processed",
    }});
    let answer = keyed.update(WEBHOOK_UPDATE, documented).await;
    let shown = "{\"useWebhookService\":true,\"webhookServiceConfig\":{\
                 \"authToken\":\"web...def\",\
                 \"rawNotificationUrl\":\"https://example.com/webhooks/raw\",\
                 \"processedNotificationUrl\":\"https://example.com/webhooks/processed\"}}";
    assert_eq!(text(&answer), answered("Webhook configuration updated successfully.", shown));
    let answer = keyed.ask(WEBHOOK, "").await;
    assert_eq!(text(&answer), answered("Webhook configuration retrieved successfully.", shown));
    let less = json!({"webhookServiceConfig": {"authToken": "", "rawNotificationUrl": ""}});
    let now = keyed.update(WEBHOOK_UPDATE, less).await.ok()["result"]["data"].clone();
    assert_eq!(
        now,
        json!({"useWebhookService": true, "webhookServiceConfig": {
            "authToken": "", "rawNotificationUrl": "",
            "processedNotificationUrl": "https://example.com/webhooks/processed",
        }})
    );
}

#[tokio::test]
async fn every_member_of_email_that_breaks_its_rule_is_named_and_nothing_is_changed() {
    let keyed = Keyed::new("velt email rules").await;
    let email = "emailServiceConfig";
    for (data, begins) in [
        (json!({}), NOTHING),
        (json!({email: {}}), NOTHING),
        (json!({"useEmailService": null, email: null}), NOTHING),
        (json!({"useEmailService": "yes"}), "useEmailService must be true or false."),
        (json!({email: []}), "emailServiceConfig must be an object."),
        (
            json!({email: {"type": "custom"}}),
            "emailServiceConfig.type must be \"default\" or \"sendgrid\".",
        ),
        (json!({email: {"triggers": {}}}), "emailServiceConfig.triggers is not a known field."),
        (json!({email: {"fromEmail": "x"}}), "emailServiceConfig.fromEmail must be"),
        (json!({email: {"fromEmail": 1}}), "emailServiceConfig.fromEmail must be a"),
        (
            json!({email: {"fromCompany": "x".repeat(129)}}),
            "emailServiceConfig.fromCompany must have",
        ),
        (
            json!({email: {"commentTemplateId": "x".repeat(129)}}),
            "emailServiceConfig.commentTemplateId must",
        ),
        (
            json!({email: {"tagTemplateId": "x".repeat(129)}}),
            "emailServiceConfig.tagTemplateId must",
        ),
        (json!({email: {"apiKey": "x"}}), "emailServiceConfig.apiKey must have 8"),
        // A mask that was shown is no secret.
        (
            json!({email: {"apiKey": "SG....hij"}}),
            "emailServiceConfig.apiKey must be the secret itself, not its mask.",
        ),
        // A good secret is not put if something else is wrong.
        (
            json!({email: {"apiKey": API_KEY, "fromEmail": "x"}}),
            "emailServiceConfig.fromEmail must be",
        ),
        (
            json!({"useEmailService": true, email: {"type": "sendgrid"}}),
            "emailServiceConfig.apiKey is required when the service is enabled.",
        ),
    ] {
        let message = keyed.refused(EMAIL_UPDATE, data.clone()).await;
        assert!(message.starts_with(begins) && message.ends_with('.'), "{data}: {message}");
    }
    assert_eq!(error(&keyed.ask(EMAIL_UPDATE, "").await).2, "data is required.");
    let config = keyed.velt.tenant.read_config(&keyed.velt.key_id(&keyed.key).await).await;
    let email = config.email.unwrap_or_default();
    assert!(!email.enabled && email.api_key_mask.is_empty() && email.from_email.is_empty());
}

#[tokio::test]
async fn every_member_of_the_webhook_that_breaks_its_rule_is_named_and_nothing_is_changed() {
    let keyed = Keyed::new("velt webhook rules").await;
    let webhook = "webhookServiceConfig";
    for (data, begins) in [
        (json!({}), NOTHING),
        (json!({webhook: {"encodeData": true}}), "webhookServiceConfig.encodeData is"),
        (
            json!({webhook: {"rawNotificationUrl": "http://example.com"}}),
            "webhookServiceConfig.rawNotificationUrl must be an https",
        ),
        (
            json!({webhook: {"authToken": AUTH_TOKEN, "processedNotificationUrl": "x"}}),
            "webhookServiceConfig.processedNotificationUrl must be an https",
        ),
        (
            json!({webhook: {"authToken": "web...def"}}),
            "webhookServiceConfig.authToken must be the secret itself, not its mask.",
        ),
        (json!({"useWebhookService": 1}), "useWebhookService must be true or false."),
    ] {
        let message = keyed.refused(WEBHOOK_UPDATE, data.clone()).await;
        assert!(message.starts_with(begins) && message.ends_with('.'), "{data}: {message}");
    }
    assert_eq!(error(&keyed.ask(WEBHOOK_UPDATE, "").await).2, "data is required.");
    let config = keyed.velt.tenant.read_config(&keyed.velt.key_id(&keyed.key).await).await;
    let webhook = config.webhook.unwrap_or_default();
    assert!(!webhook.enabled && webhook.auth_token_mask.is_empty());
}

#[tokio::test]
async fn an_update_is_done_once_by_its_idempotency_key() {
    let keyed = Keyed::new("velt update once").await;
    let send = async |company: &str| {
        let config = json!({"apiKey": API_KEY, "fromCompany": company});
        let body = json!({"data": {"emailServiceConfig": config}});
        let ask = keyed.velt.rest.post(EMAIL_UPDATE, body.to_string());
        let ask = ask.header("x-velt-api-key", &keyed.key);
        let ask = ask.header("idempotency-key", "0123456789abcdef");
        ask.header("x-velt-auth-token", &keyed.token).send().await
    };
    assert_eq!(send("One").await.ok(), send("One").await.ok());
    let (status, name, _) = error(&send("Two").await);
    assert_eq!((status, name.as_str()), (409, "ALREADY_EXISTS"));
}

#[tokio::test]
async fn the_workspace_of_a_key_may_read_and_change_both_and_whoever_may_not_is_told_one_thing() {
    let keyed = Keyed::new("velt services whose").await;
    let other = Keyed::new("velt services foreign").await;
    let (id, token) = (&*keyed.velt.tenant.id, &*keyed.velt.tenant.token);
    let (ids, key, auth) = ("x-velt-workspace-id", "x-velt-api-key", "x-velt-auth-token");
    let body = json!({"data": {"useEmailService": true}}).to_string();
    let webhook = json!({"data": {"useWebhookService": true}}).to_string();
    let exact = "{\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"Invalid API key.\"}}";
    for path in ALL {
        let body = if path == WEBHOOK_UPDATE { &webhook } else { &body };
        let send = async |headers: &[(&str, &str)]| {
            let ask = keyed.velt.rest.post(path, body.clone());
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            ask.send().await
        };
        let answer = send(&[(ids, id), (key, &keyed.key), (auth, token)]).await;
        assert_eq!(answer.status, 200, "{path}");
        for headers in [
            vec![],
            vec![(key, &*keyed.key)],
            vec![(auth, &*keyed.token)],
            vec![(key, &other.key), (auth, &keyed.token)],
            vec![(key, &keyed.key), (auth, &other.token)],
            vec![(key, &keyed.key), (auth, token)],
            vec![(ids, id), (auth, token)],
            vec![(ids, id), (key, &keyed.key), (auth, &keyed.token)],
            vec![(ids, id), (key, &other.key), (auth, token)],
            vec![(ids, &other.velt.tenant.id), (key, &keyed.key), (auth, token)],
        ] {
            let answer = send(&headers).await;
            assert_eq!((answer.status.as_u16(), text(&answer)), (403, exact), "{headers:?}");
        }
    }
}
