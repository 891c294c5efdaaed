//! Changing a configuration: one event for each thing that becomes different.

use jiff::Timestamp;

use super::event::{
    AutoOrgUserChanged, ConfigEvent, DocumentAccessChanged, EmailServiceChanged,
    JwtRequirementChanged, PlanChanged, PrivateCommentsSwitched, WebhookServiceChanged,
};
use super::state::Config;
use super::values::{
    ConfigSettings, DocumentAccess, EmailProvider, EmailService, Plan, TemplateId, WebhookService,
    WebhookUrl,
};
use crate::{Name, Rejection, Sealed};

/// What becomes different; `None` leaves it as it is. Secrets are not among it: each has a command of
/// its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigChanges {
    /// The plan.
    pub plan: Option<Plan>,
    /// Access to documents by default.
    pub default_document_access: Option<DocumentAccess>,
    /// Whether private comments can be written.
    pub private_comments_enabled: Option<bool>,
    /// Whether end users must present a JWT.
    pub require_jwt_token: Option<bool>,
    /// Whether users are put into their organisation by themselves.
    pub require_auto_org_user: Option<bool>,
    /// How e-mail is sent.
    pub email: EmailChanges,
    /// Where events are posted.
    pub webhook: WebhookChanges,
}

/// What becomes different in how e-mail is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmailChanges {
    /// Whether it is sent at all.
    pub enabled: Option<bool>,
    /// By whose service.
    pub provider: Option<EmailProvider>,
    /// The sender's address.
    pub from_email: Option<Option<Sealed>>,
    /// The sender's name.
    pub from_company: Option<Option<Name>>,
    /// Template of comment mails.
    pub comment_template_id: Option<Option<TemplateId>>,
    /// Template of mention mails.
    pub tag_template_id: Option<Option<TemplateId>>,
}

/// What becomes different in where events are posted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebhookChanges {
    /// Whether they are posted at all.
    pub enabled: Option<bool>,
    /// For events as they happen.
    pub raw_notification_url: Option<Option<WebhookUrl>>,
    /// For digested events.
    pub processed_notification_url: Option<Option<WebhookUrl>>,
}

impl ConfigChanges {
    /// The events that make `config` so.
    ///
    /// # Errors
    /// E-mail could not be sent as it would be set then.
    pub(super) fn of(self, config: &Config, at: Timestamp) -> Result<Vec<ConfigEvent>, Rejection> {
        let (before, key_id) = (&config.settings, config.key_id);
        let ConfigSettings {
            plan,
            default_document_access,
            private_comments_enabled: comments,
            require_jwt_token: jwt,
            require_auto_org_user: auto_org_user,
            email,
            webhook,
            ai_models: _,
        } = self.applied_to(before);
        if email != before.email {
            email.complete().map_err(Rejection::from)?;
        }
        let events = [
            (plan != before.plan)
                .then(|| ConfigEvent::PlanChanged(Box::new(PlanChanged { key_id, plan, at }))),
            (default_document_access != before.default_document_access).then_some(
                ConfigEvent::DocumentAccessChanged(DocumentAccessChanged {
                    key_id,
                    default_document_access,
                    at,
                }),
            ),
            (comments != before.private_comments_enabled).then_some(
                ConfigEvent::PrivateCommentsSwitched(PrivateCommentsSwitched {
                    key_id,
                    enabled: comments,
                    at,
                }),
            ),
            (jwt != before.require_jwt_token).then_some(ConfigEvent::JwtRequirementChanged(
                JwtRequirementChanged { key_id, required: jwt, at },
            )),
            (auto_org_user != before.require_auto_org_user).then_some(
                ConfigEvent::AutoOrgUserChanged(AutoOrgUserChanged {
                    key_id,
                    required: auto_org_user,
                    at,
                }),
            ),
            (email != before.email).then(|| {
                ConfigEvent::EmailServiceChanged(Box::new(EmailServiceChanged::of(
                    key_id, email, at,
                )))
            }),
            (webhook != before.webhook).then(|| {
                ConfigEvent::WebhookServiceChanged(Box::new(WebhookServiceChanged::of(
                    key_id, webhook, at,
                )))
            }),
        ];
        Ok(events.into_iter().flatten().collect())
    }

    fn applied_to(self, before: &ConfigSettings) -> ConfigSettings {
        let mut after = before.clone();
        replace(&mut after.plan, self.plan);
        replace(&mut after.default_document_access, self.default_document_access);
        replace(&mut after.private_comments_enabled, self.private_comments_enabled);
        replace(&mut after.require_jwt_token, self.require_jwt_token);
        replace(&mut after.require_auto_org_user, self.require_auto_org_user);
        self.email.apply_to(&mut after.email);
        self.webhook.apply_to(&mut after.webhook);
        after
    }
}

impl EmailChanges {
    fn apply_to(self, email: &mut EmailService) {
        replace(&mut email.enabled, self.enabled);
        replace(&mut email.provider, self.provider);
        replace(&mut email.from_email, self.from_email);
        replace(&mut email.from_company, self.from_company);
        replace(&mut email.comment_template_id, self.comment_template_id);
        replace(&mut email.tag_template_id, self.tag_template_id);
    }
}

impl WebhookChanges {
    fn apply_to(self, webhook: &mut WebhookService) {
        replace(&mut webhook.enabled, self.enabled);
        replace(&mut webhook.raw_notification_url, self.raw_notification_url);
        replace(&mut webhook.processed_notification_url, self.processed_notification_url);
    }
}

fn replace<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}
