//! Where a configuration keeps secrets of others: each place by one name, as requests, events and seals
//! spell it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::values::ConfigSettings;
use crate::{InvalidValue, SealedSecret};

/// The name of an AI provider, such as `openai`: `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provider(String);

impl Provider {
    /// So many providers a key may have at most.
    pub const MOST: usize = 64;

    /// The name, if it has the shape of one.
    ///
    /// # Errors
    /// Another shape.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidValue> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| plain(byte) || byte == b'_' || byte == b'-';
        let begins = name.bytes().next().is_some_and(plain);
        if begins && name.len() <= 64 && name.bytes().all(inner) {
            return Ok(Self(name));
        }
        Err(InvalidValue::new("must be a provider's name of the shape [a-z0-9][a-z0-9_-]{0,63}"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A place for one secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretField {
    /// `email.api_key`: the key of the e-mail provider.
    EmailApiKey,
    /// `webhook.auth_token`: what proves us to the receiver of events.
    WebhookAuthToken,
    /// `ai_models.<provider>`: the key of an AI provider.
    AiModel(Provider),
}

const AI_MODELS: &str = "ai_models";

impl SecretField {
    /// The field without its provider: what the seal is bound to, beside the provider.
    #[must_use]
    pub const fn base(&self) -> &'static str {
        match self {
            Self::EmailApiKey => "email.api_key",
            Self::WebhookAuthToken => "webhook.auth_token",
            Self::AiModel(_) => AI_MODELS,
        }
    }

    /// Whose key it is, where the field holds one for each.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match self {
            Self::EmailApiKey | Self::WebhookAuthToken => None,
            Self::AiModel(provider) => Some(provider.as_str()),
        }
    }
}

impl fmt::Display for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())?;
        self.provider().map_or(Ok(()), |provider| write!(f, ".{provider}"))
    }
}

impl FromStr for SecretField {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Some((AI_MODELS, provider)) = text.split_once('.') {
            return Provider::new(provider).map(Self::AiModel);
        }
        [Self::EmailApiKey, Self::WebhookAuthToken]
            .into_iter()
            .find(|field| field.base() == text)
            .ok_or_else(|| {
                InvalidValue::new(
                    "must be email.api_key, webhook.auth_token or ai_models.<provider>",
                )
            })
    }
}

impl TryFrom<String> for SecretField {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<SecretField> for String {
    fn from(field: SecretField) -> Self {
        field.to_string()
    }
}

impl ConfigSettings {
    /// The secret that is kept in this place.
    #[must_use]
    pub fn secret(&self, field: &SecretField) -> Option<&SealedSecret> {
        match field {
            SecretField::EmailApiKey => self.email.api_key.as_ref(),
            SecretField::WebhookAuthToken => self.webhook.auth_token.as_ref(),
            SecretField::AiModel(provider) => self.ai_models.get(provider),
        }
    }

    /// Whether anything in it is sealed.
    #[must_use]
    pub fn holds_sealed(&self) -> bool {
        self.email.api_key.is_some()
            || self.email.from_email.is_some()
            || self.webhook.auth_token.is_some()
            || !self.ai_models.is_empty()
    }

    /// Without what is sealed. A foreign provider sends nothing then.
    pub(super) fn forget_sealed(&mut self) {
        self.email.enabled &= !self.email.is_foreign();
        self.email.api_key = None;
        self.email.from_email = None;
        self.webhook.auth_token = None;
        self.ai_models.clear();
    }

    pub(super) fn set_secret(&mut self, field: &SecretField, secret: Option<SealedSecret>) {
        match (field, secret) {
            (SecretField::EmailApiKey, secret) => self.email.api_key = secret,
            (SecretField::WebhookAuthToken, secret) => self.webhook.auth_token = secret,
            (SecretField::AiModel(provider), Some(secret)) => {
                self.ai_models.insert(provider.clone(), secret);
            }
            (SecretField::AiModel(provider), None) => {
                self.ai_models.remove(provider);
            }
        }
    }
}
