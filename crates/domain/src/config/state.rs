//! A configuration as its events make it.

use jiff::Timestamp;

use super::event::ConfigEvent;
use super::values::{ConfigSettings, EmailService, WebhookService};
use crate::{KeyId, WorkspaceId};

/// A configuration that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The workspace that owns the key.
    pub workspace_id: WorkspaceId,
    /// All that can be configured.
    pub settings: ConfigSettings,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A configuration before or after its beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ConfigState {
    /// Never created.
    #[default]
    Missing,
    /// Created.
    Present(Box<Config>),
}

impl ConfigState {
    /// The configuration, if it was created.
    #[must_use]
    pub fn present(&self) -> Option<&Config> {
        match self {
            Self::Missing => None,
            Self::Present(config) => Some(config),
        }
    }

    pub(super) fn after(self, event: &ConfigEvent) -> Self {
        match (self, event) {
            // The second beginning of a configuration changes nothing.
            (Self::Present(config), ConfigEvent::Created(_)) => Self::Present(config),
            (Self::Present(config), event) => Self::Present(Box::new(config.after(event))),
            (Self::Missing, event) => {
                // Facts about what never began change nothing; the log can't hold them.
                let ConfigEvent::Created(created) = event else { return Self::Missing };
                Self::Present(Box::new(Config {
                    key_id: created.key_id,
                    workspace_id: created.workspace_id,
                    settings: created.settings.clone(),
                    created_at: created.at,
                    updated_at: created.at,
                }))
            }
        }
    }
}

impl Config {
    fn after(mut self, event: &ConfigEvent) -> Self {
        self.updated_at = event.at();
        let settings = &mut self.settings;
        match event {
            ConfigEvent::Created(_) => {}
            ConfigEvent::PlanChanged(now) => settings.plan = now.plan.clone(),
            ConfigEvent::DocumentAccessChanged(now) => {
                settings.default_document_access = now.default_document_access;
            }
            ConfigEvent::PrivateCommentsSwitched(now) => {
                settings.private_comments_enabled = now.enabled;
            }
            ConfigEvent::JwtRequirementChanged(now) => settings.require_jwt_token = now.required,
            ConfigEvent::AutoOrgUserChanged(now) => settings.require_auto_org_user = now.required,
            ConfigEvent::EmailServiceChanged(now) => {
                settings.email = EmailService {
                    enabled: now.enabled,
                    provider: now.provider,
                    api_key: settings.email.api_key.take(),
                    from_email: now.from_email.clone(),
                    from_company: now.from_company.clone(),
                    comment_template_id: now.comment_template_id.clone(),
                    tag_template_id: now.tag_template_id.clone(),
                };
            }
            ConfigEvent::WebhookServiceChanged(now) => {
                settings.webhook = WebhookService {
                    enabled: now.enabled,
                    auth_token: settings.webhook.auth_token.take(),
                    raw_notification_url: now.raw_notification_url.clone(),
                    processed_notification_url: now.processed_notification_url.clone(),
                };
            }
            ConfigEvent::SecretPut(put) => settings.set_secret(&put.field, Some(put.value.clone())),
            ConfigEvent::SecretDeleted(deleted) => settings.set_secret(&deleted.field, None),
            ConfigEvent::SubjectErased(_) => settings.forget_sealed(),
        }
        self
    }
}
