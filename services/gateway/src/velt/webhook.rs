//! `POST /v2/workspace/webhookconfig/get` and `POST /v2/workspace/webhookconfig/update`

use api::v1::{Config, WebhookService};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::needed_data;
use super::create::WebhookServiceConfig;
use super::credentials::Level;
use super::envelope::{Outcome, told};
use super::holder::{Holder, unknown_is_invalid};
use super::services::{Changes, Secret};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

const AUTH_TOKEN: Secret =
    Secret { field: "webhook.auth_token", member: "webhookServiceConfig.authToken" };

/// What is to change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltUpdateWebhookConfig)]
pub(super) struct Asked {
    use_webhook_service: Option<bool>,
    webhook_service_config: Option<WebhookServiceConfig>,
}

/// Where notifications go. What is not set is empty.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltWebhookConfig)]
pub(super) struct Shown {
    use_webhook_service: bool,
    webhook_service_config: ShownService,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltShownWebhookService)]
struct ShownService {
    /// Its mask.
    auth_token: String,
    raw_notification_url: String,
    processed_notification_url: String,
}

/// Answers where notifications go. Whatever the body is, it is not read.
pub(super) fn get(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, got(&call).await.map_err(unknown_is_invalid)) })
}

/// Changes what is there, and answers all of it.
pub(super) fn update(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, updated(&call).await.map_err(unknown_is_invalid)) })
}

async fn got(call: &Call) -> Result<Reply, Refusal> {
    let config = Holder::of(call).await?.config(call).await?;
    Outcome::new("Webhook configuration retrieved successfully.", Shown::from(config)).reply()
}

async fn updated(call: &Call) -> Result<Reply, Refusal> {
    let holder = Holder::of(call).await?;
    let changes = needed_data::<Asked>(call)?.changes();
    let config = changes.make(call, &holder, &AUTH_TOKEN).await?;
    Outcome::new("Webhook configuration updated successfully.", Shown::from(config)).reply()
}

impl Asked {
    fn changes(self) -> Changes {
        let (mut changes, mut webhook) = (Changes::default(), WebhookService::default());
        if let Some(enabled) = self.use_webhook_service {
            webhook.enabled = enabled;
            changes.set("webhook.enabled");
        }
        let asked = self.webhook_service_config.unwrap_or_default();
        if let Some(url) = asked.raw_notification_url {
            webhook.raw_notification_url = url;
            changes.set("webhook.raw_notification_url");
        }
        if let Some(url) = asked.processed_notification_url {
            webhook.processed_notification_url = url;
            changes.set("webhook.processed_notification_url");
        }
        changes.config.webhook = Some(webhook);
        changes.secret = asked.auth_token;
        changes
    }
}

impl From<Config> for Shown {
    fn from(config: Config) -> Self {
        let webhook = config.webhook.unwrap_or_default();
        Self {
            use_webhook_service: webhook.enabled,
            webhook_service_config: ShownService {
                auth_token: webhook.auth_token_mask,
                raw_notification_url: webhook.raw_notification_url,
                processed_notification_url: webhook.processed_notification_url,
            },
        }
    }
}
