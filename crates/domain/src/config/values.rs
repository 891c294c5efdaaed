//! The values of a configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::secrets::Provider;
use crate::{InvalidValue, JsonObject, Name, Rejection, Sealed, SealedSecret};

/// Which plan a key is on: a named one, or a custom object instead of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The plan's name, such as `sdk test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name>,
    /// A custom plan, which wins over the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<JsonObject>,
}

/// Who may open a document when nothing else is said about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentAccess {
    /// Everyone.
    #[default]
    Public,
    /// Those who were invited.
    Restricted,
    /// Members of the organisation.
    OrganizationPrivate,
}

/// Whose service sends e-mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailProvider {
    /// The product's own.
    #[default]
    Default,
    /// SendGrid, with the customer's key.
    Sendgrid,
}

/// The id of an e-mail template at the provider: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateId(String);

impl TemplateId {
    /// The id, if it has the shape of one.
    ///
    /// # Errors
    /// Empty, over 128 characters, or not visible ASCII.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidValue> {
        let id = id.into();
        if (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(id));
        }
        Err(InvalidValue::new("must have 1 to 128 visible ASCII characters"))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How e-mail is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailService {
    /// Whether it is sent at all.
    pub enabled: bool,
    /// By whose service.
    pub provider: EmailProvider,
    /// The provider's key, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SealedSecret>,
    /// The sender's address, sealed: it may be a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_email: Option<Sealed>,
    /// The sender's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_company: Option<Name>,
    /// Template of comment mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_template_id: Option<TemplateId>,
    /// Template of mention mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_template_id: Option<TemplateId>,
}

/// An `https` URL with a host name, no user information and no IP literal, at most 2,048 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// The URL, if a webhook may go there.
    ///
    /// # Errors
    /// Another scheme, user information, an IP literal, a single-label host or one under `localhost`, a bad port, blanks or
    /// a fragment, over 2,048 bytes.
    pub fn new(url: impl Into<String>) -> Result<Self, InvalidValue> {
        let url = url.into();
        let refuse = || {
            InvalidValue::new(
                "must be an https URL of at most 2048 bytes with a host name, without user information, fragment or IP literal",
            )
        };
        let rest = url.strip_prefix("https://").ok_or_else(refuse)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (host, port_ok) = match authority.split_once(':') {
            Some((host, port)) => (host, is_port(port)),
            None => (authority, true),
        };
        let host_ok = crate::domains::ascii_host(host)
            .is_some_and(|host| !crate::domains::is_localhost(&host));
        let path_ok = rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if url.len() > 2048 || authority.contains('@') || !port_ok || !host_ok || !path_ok {
            return Err(refuse());
        }
        Ok(Self(url))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 1 to 65535 without sign or leading zeros.
fn is_port(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() && first != '0')
        && text.parse::<u16>().is_ok()
}

/// Where events are posted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookService {
    /// Whether they are posted at all.
    pub enabled: bool,
    /// What proves us to the receiver, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<SealedSecret>,
    /// For events as they happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_notification_url: Option<WebhookUrl>,
    /// For digested events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processed_notification_url: Option<WebhookUrl>,
}

/// The keys of AI providers, by provider; masks only can be shown.
pub type AiModels = BTreeMap<Provider, SealedSecret>;

/// All that can be configured for a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigSettings {
    /// The plan.
    pub plan: Plan,
    /// Access to documents by default.
    pub default_document_access: DocumentAccess,
    /// Whether private comments can be written.
    pub private_comments_enabled: bool,
    /// Whether end users must present a JWT.
    pub require_jwt_token: bool,
    /// Whether users are put into their organisation by themselves.
    pub require_auto_org_user: bool,
    /// How e-mail is sent.
    pub email: EmailService,
    /// Where events are posted.
    pub webhook: WebhookService,
    /// Keys of AI providers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ai_models: AiModels,
}

/// What is missing for e-mail to be sent as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailLacks {
    /// The provider's key.
    ApiKey,
    /// The sender's address.
    FromEmail,
}

impl EmailLacks {
    /// The name of the missing field.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::FromEmail => "from_email",
        }
    }

    /// The rule.
    pub const RULE: &str = "is required when SendGrid is enabled";
}

impl From<EmailLacks> for Rejection {
    fn from(lacks: EmailLacks) -> Self {
        match lacks {
            EmailLacks::ApiKey => Self::EmailKeyMissing,
            EmailLacks::FromEmail => Self::EmailSenderMissing,
        }
    }
}

impl EmailService {
    /// Whether a foreign provider sends.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        match self.provider {
            EmailProvider::Default => false,
            EmailProvider::Sendgrid => self.enabled,
        }
    }

    /// Whether what is set is enough to send.
    ///
    /// # Errors
    /// What is missing.
    pub const fn complete(&self) -> Result<(), EmailLacks> {
        self.check(self.api_key.is_some(), self.from_email.is_some())
    }

    /// As [`EmailService::complete`], of what is yet to be sealed: a foreign provider needs its key and a
    /// sender.
    ///
    /// # Errors
    /// What is missing.
    pub const fn check(&self, has_api_key: bool, has_sender: bool) -> Result<(), EmailLacks> {
        if !self.is_foreign() {
            return Ok(());
        }
        if !has_api_key {
            return Err(EmailLacks::ApiKey);
        }
        if !has_sender {
            return Err(EmailLacks::FromEmail);
        }
        Ok(())
    }
}
