//! The configuration fields of a request: checked first, sealed only once all of them are right.

use api::v1 as wire;
use domain::config::{
    ConfigSettings, EmailLacks, EmailProvider, EmailService, Plan, SecretField, TemplateId,
    WebhookService, WebhookUrl,
};
use domain::{EmailAddress, Name};
use zeroize::Zeroizing;

use super::status::{InField, Refusal};
use super::{fields, json};
use crate::data_keys::Sealer;

/// The fields as they came in.
pub(super) struct ConfigFields {
    pub(super) plan: Option<wire::Plan>,
    pub(super) email: Option<wire::EmailServiceSettings>,
    pub(super) webhook: Option<wire::WebhookServiceSettings>,
}

/// Fields that were checked, with their secrets still in clear.
pub(super) struct PlainConfig {
    plan: Plan,
    email: EmailService,
    email_api_key: Option<Zeroizing<String>>,
    from_email: Option<EmailAddress>,
    webhook: WebhookService,
    webhook_auth_token: Option<Zeroizing<String>>,
}

impl ConfigFields {
    /// # Errors
    /// The first field that breaks its rule.
    pub(super) fn read(self) -> Result<PlainConfig, Refusal> {
        let plan = plan(self.plan.unwrap_or_default())?;
        let email = self.email.unwrap_or_default();
        let webhook = self.webhook.unwrap_or_default();
        let provider = email_provider("email.type", email.r#type)?;
        let api_key = fields::optional("email.api_key", email.api_key, fields::foreign_secret)?;
        let from_email = fields::optional("email.from_email", email.from_email, EmailAddress::new)?;
        EmailService { enabled: email.enabled, provider, ..EmailService::default() }
            .check(api_key.is_some(), from_email.is_some())
            .map_err(|lacks| {
                Refusal::field(format!("email.{}", lacks.field()), EmailLacks::RULE)
            })?;
        Ok(PlainConfig {
            plan,
            email: EmailService {
                enabled: email.enabled,
                provider,
                api_key: None,
                from_email: None,
                from_company: fields::optional(
                    "email.from_company",
                    email.from_company,
                    Name::new,
                )?,
                comment_template_id: fields::optional(
                    "email.comment_template_id",
                    email.comment_template_id,
                    TemplateId::new,
                )?,
                tag_template_id: fields::optional(
                    "email.tag_template_id",
                    email.tag_template_id,
                    TemplateId::new,
                )?,
            },
            email_api_key: api_key.map(Zeroizing::new),
            from_email,
            webhook: WebhookService {
                enabled: webhook.enabled,
                auth_token: None,
                raw_notification_url: fields::optional(
                    "webhook.raw_notification_url",
                    webhook.raw_notification_url,
                    WebhookUrl::new,
                )?,
                processed_notification_url: fields::optional(
                    "webhook.processed_notification_url",
                    webhook.processed_notification_url,
                    WebhookUrl::new,
                )?,
            },
            webhook_auth_token: fields::optional(
                "webhook.auth_token",
                webhook.auth_token,
                fields::foreign_secret,
            )?
            .map(Zeroizing::new),
        })
    }
}

/// By whose service e-mail is sent.
///
/// # Errors
/// A number that the enum does not have.
pub(super) fn email_provider(path: &str, number: i32) -> Result<EmailProvider, Refusal> {
    Ok(match fields::variant(path, number)? {
        wire::EmailServiceType::Unspecified | wire::EmailServiceType::Default => {
            EmailProvider::Default
        }
        wire::EmailServiceType::Sendgrid => EmailProvider::Sendgrid,
    })
}

/// A plan.
///
/// # Errors
/// The first field that breaks its rule.
pub(super) fn plan(plan: wire::Plan) -> Result<Plan, Refusal> {
    let kind = fields::optional("plan.type", plan.r#type, Name::new)?;
    match (plan.custom, plan.custom_data) {
        (false, None) => Ok(Plan { kind, custom: None }),
        (true, Some(members)) => Ok(Plan {
            kind,
            custom: Some(json::from_struct(members).in_field("plan.custom_data")?),
        }),
        (true, None) => Err(Refusal::field("plan.custom_data", "is required with plan.custom")),
        (false, Some(_)) => Err(Refusal::field("plan.custom_data", "must come with plan.custom")),
    }
}

impl PlainConfig {
    /// Whether there is anything to seal.
    pub(super) const fn holds_secrets(&self) -> bool {
        self.email_api_key.is_some()
            || self.from_email.is_some()
            || self.webhook_auth_token.is_some()
    }

    /// The configuration as it is stored; without a sealer only if nothing is to be sealed.
    ///
    /// # Errors
    /// No random bytes, or no sealer where one is needed.
    pub(super) fn seal(self, sealer: Option<&Sealer<'_>>) -> Result<ConfigSettings, Refusal> {
        let Self { plan, mut email, email_api_key, from_email, mut webhook, webhook_auth_token } =
            self;
        if let Some(sealer) = sealer {
            let secret = |field: &SecretField, text: &Option<Zeroizing<String>>| {
                text.as_ref().map(|text| sealer.secret(field, text)).transpose()
            };
            email.api_key = secret(&SecretField::EmailApiKey, &email_api_key)?;
            webhook.auth_token = secret(&SecretField::WebhookAuthToken, &webhook_auth_token)?;
            email.from_email = from_email
                .map(|address| sealer.personal("email.from_email", address.as_str()))
                .transpose()?;
        }
        Ok(ConfigSettings { plan, email, webhook, ..ConfigSettings::default() })
    }
}
