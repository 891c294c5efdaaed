//! What can have happened to a configuration.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::secrets::SecretField;
use super::values::{
    ConfigSettings, DocumentAccess, EmailProvider, EmailService, Plan, TemplateId, WebhookService,
    WebhookUrl,
};
use crate::{KeyId, Name, Sealed, SealedSecret, WorkspaceId};

/// A fact about the configuration of one key.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigEvent {
    /// `config.created`
    Created(Box<Created>),
    /// `config.plan_changed`
    PlanChanged(Box<PlanChanged>),
    /// `config.document_access_changed`
    DocumentAccessChanged(DocumentAccessChanged),
    /// `config.private_comments_switched`
    PrivateCommentsSwitched(PrivateCommentsSwitched),
    /// `config.jwt_requirement_changed`
    JwtRequirementChanged(JwtRequirementChanged),
    /// `config.auto_org_user_changed`
    AutoOrgUserChanged(AutoOrgUserChanged),
    /// `config.email_service_changed`
    EmailServiceChanged(Box<EmailServiceChanged>),
    /// `config.webhook_service_changed`
    WebhookServiceChanged(Box<WebhookServiceChanged>),
    /// `config.secret_put`
    SecretPut(Box<SecretPut>),
    /// `config.secret_deleted`
    SecretDeleted(SecretDeleted),
    /// `config.subject_erased`
    SubjectErased(SubjectErased),
}

impl ConfigEvent {
    /// The key whose configuration it is.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        match self {
            Self::Created(event) => event.key_id,
            Self::PlanChanged(event) => event.key_id,
            Self::DocumentAccessChanged(event) => event.key_id,
            Self::PrivateCommentsSwitched(event) => event.key_id,
            Self::JwtRequirementChanged(event) => event.key_id,
            Self::AutoOrgUserChanged(event) => event.key_id,
            Self::EmailServiceChanged(event) => event.key_id,
            Self::WebhookServiceChanged(event) => event.key_id,
            Self::SecretPut(event) => event.key_id,
            Self::SecretDeleted(event) => event.key_id,
            Self::SubjectErased(event) => event.key_id,
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Created(event) => event.at,
            Self::PlanChanged(event) => event.at,
            Self::DocumentAccessChanged(event) => event.at,
            Self::PrivateCommentsSwitched(event) => event.at,
            Self::JwtRequirementChanged(event) => event.at,
            Self::AutoOrgUserChanged(event) => event.at,
            Self::EmailServiceChanged(event) => event.at,
            Self::WebhookServiceChanged(event) => event.at,
            Self::SecretPut(event) => event.at,
            Self::SecretDeleted(event) => event.at,
            Self::SubjectErased(event) => event.at,
        }
    }
}

/// A configuration began, together with its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The workspace that owns the key.
    pub workspace_id: WorkspaceId,
    /// All that was configured.
    pub settings: ConfigSettings,
    /// When.
    pub at: Timestamp,
}

/// Another plan was sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The plan now.
    pub plan: Plan,
    /// When.
    pub at: Timestamp,
}

/// Documents are open to others by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentAccessChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// To whom now.
    pub default_document_access: DocumentAccess,
    /// When.
    pub at: Timestamp,
}

/// Private comments were switched on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateCommentsSwitched {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Whether they can be written now.
    pub enabled: bool,
    /// When.
    pub at: Timestamp,
}

/// End users must present a JWT, or need not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtRequirementChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Whether they must now.
    pub required: bool,
    /// When.
    pub at: Timestamp,
}

/// Users are put into their organisation by themselves, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoOrgUserChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Whether they are now.
    pub required: bool,
    /// When.
    pub at: Timestamp,
}

/// E-mail is sent otherwise. The provider's key stayed what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailServiceChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Whether it is sent at all now.
    pub enabled: bool,
    /// By whose service now.
    pub provider: EmailProvider,
    /// The sender's address now, sealed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub from_email: Option<Sealed>,
    /// The sender's name now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub from_company: Option<Name>,
    /// Template of comment mails now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub comment_template_id: Option<TemplateId>,
    /// Template of mention mails now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tag_template_id: Option<TemplateId>,
    /// When.
    pub at: Timestamp,
}

impl EmailServiceChanged {
    pub(super) fn of(key_id: KeyId, email: EmailService, at: Timestamp) -> Self {
        let EmailService {
            enabled,
            provider,
            api_key: _,
            from_email,
            from_company,
            comment_template_id,
            tag_template_id,
        } = email;
        Self {
            key_id,
            enabled,
            provider,
            from_email,
            from_company,
            comment_template_id,
            tag_template_id,
            at,
        }
    }
}

/// Events are posted elsewhere. What proves us to the receiver stayed what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookServiceChanged {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Whether they are posted at all now.
    pub enabled: bool,
    /// For events as they happen now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub raw_notification_url: Option<WebhookUrl>,
    /// For digested events now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub processed_notification_url: Option<WebhookUrl>,
    /// When.
    pub at: Timestamp,
}

impl WebhookServiceChanged {
    pub(super) fn of(key_id: KeyId, webhook: WebhookService, at: Timestamp) -> Self {
        let WebhookService {
            enabled,
            auth_token: _,
            raw_notification_url,
            processed_notification_url,
        } = webhook;
        Self { key_id, enabled, raw_notification_url, processed_notification_url, at }
    }
}

/// A secret was given, perhaps in place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretPut {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Which one.
    pub field: SecretField,
    /// The secret, sealed, with its mask.
    pub value: SealedSecret,
    /// When.
    pub at: Timestamp,
}

/// A secret was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretDeleted {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// Which one.
    pub field: SecretField,
    /// When.
    pub at: Timestamp,
}

/// What was sealed in it was made unreadable: the data keys of its key were destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectErased {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// When.
    pub at: Timestamp,
}
