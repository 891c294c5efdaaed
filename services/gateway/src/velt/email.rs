//! `POST /v2/workspace/emailconfig/get` and `POST /v2/workspace/emailconfig/update`

use api::v1::{Config, EmailService, EmailServiceType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::needed_data;
use super::create::{EmailServiceConfig, email_type};
use super::credentials::Level;
use super::envelope::{Outcome, told};
use super::holder::{Holder, unknown_is_invalid};
use super::services::{Changes, Secret};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

const API_KEY: Secret = Secret { field: "email.api_key", member: "emailServiceConfig.apiKey" };

/// What is to change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltUpdateEmailConfig)]
pub(super) struct Asked {
    use_email_service: Option<bool>,
    email_service_config: Option<EmailServiceConfig>,
}

/// How e-mail is sent. What is not set is empty.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltEmailConfig)]
pub(super) struct Shown {
    use_email_service: bool,
    email_service_config: ShownService,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltShownEmailService)]
struct ShownService {
    r#type: &'static str,
    /// Its mask.
    api_key: String,
    from_email: String,
    from_company: String,
    comment_template_id: String,
    tag_template_id: String,
}

/// Answers how e-mail is sent. Whatever the body is, it is not read.
pub(super) fn get(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, got(&call).await.map_err(unknown_is_invalid)) })
}

/// Changes what is there, and answers all of it.
pub(super) fn update(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, updated(&call).await.map_err(unknown_is_invalid)) })
}

async fn got(call: &Call) -> Result<Reply, Refusal> {
    let config = Holder::of(call).await?.config(call).await?;
    Outcome::new("Email configuration retrieved successfully.", Shown::from(config)).reply()
}

async fn updated(call: &Call) -> Result<Reply, Refusal> {
    let holder = Holder::of(call).await?;
    let changes = needed_data::<Asked>(call)?.changes()?;
    let config = changes.make(call, &holder, &API_KEY).await?;
    Outcome::new("Email configuration updated successfully.", Shown::from(config)).reply()
}

impl Asked {
    fn changes(self) -> Result<Changes, Refusal> {
        let (mut changes, mut email) = (Changes::default(), EmailService::default());
        if let Some(enabled) = self.use_email_service {
            email.enabled = enabled;
            changes.set("email.enabled");
        }
        let asked = self.email_service_config.unwrap_or_default();
        if asked.r#type.is_some() {
            email.r#type = email_type(asked.r#type.as_deref())?.into();
            changes.set("email.type");
        }
        for (path, asked, field) in [
            ("email.from_email", asked.from_email, &mut email.from_email),
            ("email.from_company", asked.from_company, &mut email.from_company),
            (
                "email.comment_template_id",
                asked.comment_template_id,
                &mut email.comment_template_id,
            ),
            ("email.tag_template_id", asked.tag_template_id, &mut email.tag_template_id),
        ] {
            if let Some(text) = asked {
                *field = text;
                changes.set(path);
            }
        }
        changes.config.email = Some(email);
        changes.secret = asked.api_key;
        Ok(changes)
    }
}

impl From<Config> for Shown {
    fn from(config: Config) -> Self {
        let email = config.email.unwrap_or_default();
        let kind = match email.r#type() {
            EmailServiceType::Unspecified | EmailServiceType::Default => "default",
            EmailServiceType::Sendgrid => "sendgrid",
        };
        Self {
            use_email_service: email.enabled,
            email_service_config: ShownService {
                r#type: kind,
                api_key: email.api_key_mask,
                from_email: email.from_email,
                from_company: email.from_company,
                comment_template_id: email.comment_template_id,
                tag_template_id: email.tag_template_id,
            },
        }
    }
}
