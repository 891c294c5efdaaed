//! Given events, when a command, then events or a rejection.

use super::{ConfigCommand, ConfigEvent, ConfigSettings, ConfigState, Created, EmailProvider};
use super::{DocumentAccess, EmailService};
use crate::spec::{Given, at, uuid, workspace_id};
use crate::{Decider, EmailAddress, KeyId, Rejection};

fn given<const N: usize>(events: [ConfigEvent; N]) -> Given<ConfigState> {
    Given::events(&events)
}

fn settings() -> ConfigSettings {
    ConfigSettings { require_jwt_token: true, ..ConfigSettings::default() }
}

fn created() -> ConfigEvent {
    ConfigEvent::Created(Box::new(Created {
        key_id: KeyId::new(uuid(2)),
        workspace_id: workspace_id(),
        settings: settings(),
        at: at(0),
    }))
}

fn create(settings: ConfigSettings) -> ConfigCommand {
    ConfigCommand::Create {
        key_id: KeyId::new(uuid(2)),
        workspace_id: workspace_id(),
        settings: Box::new(settings),
        now: at(0),
    }
}

#[test]
fn a_configuration_begins_with_what_was_asked_for() {
    let state = given([]).when(create(settings())).then([created()]);
    let config = state.present().expect("a configuration");
    assert_eq!(config.key_id, KeyId::new(uuid(2)));
    assert_eq!(config.workspace_id, workspace_id());
    assert_eq!(config.settings, settings());
    assert_eq!((config.created_at, config.updated_at), (at(0), at(0)));
}

#[test]
fn a_key_has_one_configuration() {
    given([created()]).when(create(settings())).then_rejected(Rejection::AlreadyExists);
}

#[test]
fn a_second_beginning_does_not_overwrite_the_first() {
    let mut other = created();
    let ConfigEvent::Created(inner) = &mut other;
    inner.settings = ConfigSettings::default();
    assert_eq!(ConfigState::fold(&[created(), other]), ConfigState::fold(&[created()]));
}

#[test]
fn what_nobody_set_is_public_and_off() {
    let settings = ConfigSettings::default();
    assert_eq!(settings.default_document_access, DocumentAccess::Public);
    assert_eq!(settings.email.provider, EmailProvider::Default);
    assert!(!settings.email.enabled && !settings.webhook.enabled);
    assert!(!settings.private_comments_enabled && !settings.require_jwt_token);
    assert!(!settings.require_auto_org_user && settings.ai_models.is_empty());
}

#[test]
fn a_foreign_mail_provider_that_is_on_needs_its_key_and_then_a_sender() {
    let sender = EmailAddress::new("mail@example.com").expect("an address");
    let refused = |enabled, provider, has_key, sender| {
        EmailService::check(enabled, provider, has_key, sender).err().map(|(field, _)| field)
    };
    use EmailProvider::{Default, Sendgrid};
    assert_eq!(refused(true, Sendgrid, false, None), Some("api_key"));
    assert_eq!(refused(true, Sendgrid, false, Some(&sender)), Some("api_key"));
    assert_eq!(refused(true, Sendgrid, true, None), Some("from_email"));
    assert_eq!(refused(true, Sendgrid, true, Some(&sender)), None);
    assert_eq!(refused(false, Sendgrid, false, None), None);
    assert_eq!(refused(true, Default, false, None), None);
}
