//! Given events, when a command, then events or a rejection.

use super::{
    AutoOrgUserChanged, ConfigChanges, ConfigCommand, ConfigEvent, ConfigSettings, ConfigState,
    Created, DocumentAccess, DocumentAccessChanged, EmailChanges, EmailProvider, EmailService,
    EmailServiceChanged, JwtRequirementChanged, Plan, PlanChanged, PrivateCommentsSwitched,
    Provider, SecretDeleted, SecretField, SecretPut, SubjectErased, WebhookChanges, WebhookService,
    WebhookServiceChanged, WebhookUrl,
};
use crate::spec::{Given, at, name, uuid, workspace_id};
use crate::{Decider, KeyId, Rejection, Sealed, SealedSecret};

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
    if let ConfigEvent::Created(inner) = &mut other {
        inner.settings = ConfigSettings::default();
    }
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

fn key_id() -> KeyId {
    KeyId::new(uuid(2))
}

fn sealed(byte: u8) -> Sealed {
    Sealed { dek: uuid(9), version: 1, bytes: vec![byte; 40] }
}

fn secret(byte: u8) -> SealedSecret {
    SealedSecret { sealed: sealed(byte), mask: format!("sk-...{byte:03}") }
}

fn url(text: &str) -> WebhookUrl {
    WebhookUrl::new(text).expect("a URL")
}

fn ai_model(provider: &str) -> SecretField {
    SecretField::AiModel(Provider::new(provider).expect("a provider"))
}

fn update(changes: ConfigChanges) -> ConfigCommand {
    ConfigCommand::Update { changes: Box::new(changes), now: at(1) }
}

fn put(field: SecretField, byte: u8) -> ConfigCommand {
    ConfigCommand::PutSecret { field, value: Box::new(secret(byte)), now: at(1) }
}

fn was_put(field: SecretField, byte: u8) -> ConfigEvent {
    let put = SecretPut { key_id: key_id(), field, value: secret(byte), at: at(1) };
    ConfigEvent::SecretPut(Box::new(put))
}

fn delete(field: SecretField) -> ConfigCommand {
    ConfigCommand::DeleteSecret { field, now: at(2) }
}

/// SendGrid with a sender, switched on or not.
fn sendgrid(enabled: bool, sender: bool) -> ConfigChanges {
    let email = EmailChanges {
        enabled: Some(enabled),
        provider: Some(EmailProvider::Sendgrid),
        from_email: Some(sender.then(|| sealed(7))),
        ..EmailChanges::default()
    };
    ConfigChanges { email, ..ConfigChanges::default() }
}

#[test]
fn everything_that_becomes_different_is_an_event_of_its_own() {
    let (key_id, at) = (key_id(), at(1));
    let plan = Plan { kind: Some(name("production")), custom: None };
    let changes = ConfigChanges {
        plan: Some(plan.clone()),
        default_document_access: Some(DocumentAccess::Restricted),
        private_comments_enabled: Some(true),
        require_jwt_token: Some(false),
        require_auto_org_user: Some(true),
        email: EmailChanges { enabled: Some(true), ..EmailChanges::default() },
        webhook: WebhookChanges {
            raw_notification_url: Some(Some(url("https://a.example/x"))),
            ..WebhookChanges::default()
        },
    };
    let email = EmailService { enabled: true, ..EmailService::default() };
    let raw_notification_url = Some(url("https://a.example/x"));
    let webhook = WebhookService { raw_notification_url, ..WebhookService::default() };
    let access = DocumentAccess::Restricted;
    let state = given([created()]).when(update(changes.clone())).then([
        ConfigEvent::PlanChanged(Box::new(PlanChanged { key_id, plan: plan.clone(), at })),
        ConfigEvent::DocumentAccessChanged(DocumentAccessChanged {
            key_id,
            default_document_access: access,
            at,
        }),
        ConfigEvent::PrivateCommentsSwitched(PrivateCommentsSwitched { key_id, enabled: true, at }),
        ConfigEvent::JwtRequirementChanged(JwtRequirementChanged { key_id, required: false, at }),
        ConfigEvent::AutoOrgUserChanged(AutoOrgUserChanged { key_id, required: true, at }),
        ConfigEvent::EmailServiceChanged(Box::new(EmailServiceChanged::of(
            key_id,
            email.clone(),
            at,
        ))),
        ConfigEvent::WebhookServiceChanged(Box::new(WebhookServiceChanged::of(
            key_id,
            webhook.clone(),
            at,
        ))),
    ]);
    let config = state.present().expect("a configuration");
    let expected = ConfigSettings {
        plan,
        default_document_access: access,
        private_comments_enabled: true,
        require_jwt_token: false,
        require_auto_org_user: true,
        email,
        webhook,
        ..ConfigSettings::default()
    };
    assert_eq!((&config.settings, config.updated_at), (&expected, at));
    assert!(state.decide(update(changes)).expect("no refusal").is_empty(), "it is so already");
}

#[test]
fn what_is_not_named_stays() {
    given([created()]).when(update(ConfigChanges::default())).then_nothing();
    let changes = ConfigChanges { require_jwt_token: Some(true), ..ConfigChanges::default() };
    given([created()]).when(update(changes)).then_nothing();
}

#[test]
fn what_was_never_made_can_not_be_changed() {
    let nothing = || update(ConfigChanges::default());
    given([]).when(nothing()).then_rejected(Rejection::NotFound);
    given([]).when(put(SecretField::EmailApiKey, 1)).then_rejected(Rejection::NotFound);
    given([]).when(delete(SecretField::EmailApiKey)).then_rejected(Rejection::NotFound);
    let early = [was_put(SecretField::EmailApiKey, 1)];
    assert_eq!(ConfigState::fold(&early), ConfigState::Missing);
}

#[test]
fn a_change_of_a_service_leaves_its_secret() {
    let put = [
        created(),
        was_put(SecretField::EmailApiKey, 1),
        was_put(SecretField::WebhookAuthToken, 2),
    ];
    let state = ConfigState::fold(&put);
    let changes = ConfigChanges {
        webhook: WebhookChanges { enabled: Some(true), ..WebhookChanges::default() },
        ..sendgrid(true, true)
    };
    let events = state.decide(update(changes)).expect("no refusal");
    let state = events.iter().fold(state, ConfigState::evolve);
    let settings = &state.present().expect("a configuration").settings;
    assert_eq!(settings.email.api_key, Some(secret(1)));
    assert_eq!(settings.email.from_email, Some(sealed(7)));
    assert!(settings.email.is_foreign() && settings.webhook.enabled);
    assert_eq!(settings.webhook.auth_token, Some(secret(2)));
}

#[test]
fn a_foreign_mail_provider_that_is_on_needs_its_key_and_then_a_sender() {
    let key = || was_put(SecretField::EmailApiKey, 1);
    let missing = |events: &[ConfigEvent], changes| {
        Given::<ConfigState>::events(events).when(update(changes))
    };
    missing(&[created()], sendgrid(true, true)).then_rejected(Rejection::EmailKeyMissing);
    missing(&[created()], sendgrid(true, false)).then_rejected(Rejection::EmailKeyMissing);
    missing(&[created(), key()], sendgrid(true, false))
        .then_rejected(Rejection::EmailSenderMissing);
    let off = ConfigState::fold(&[created()]).decide(update(sendgrid(false, false)));
    assert_eq!(off.expect("a provider that sends nothing needs nothing").len(), 1);
    let ready = given([created(), key()]);
    let on = ConfigState::fold(&[created(), key()]).decide(update(sendgrid(true, true)));
    let on = on.expect("key and sender are there").remove(0);
    ready.when(update(sendgrid(true, true))).then([on.clone()]);
    // Judged with what is there already: only the sender is taken away.
    let no_sender = EmailChanges { from_email: Some(None), ..EmailChanges::default() };
    let changes = ConfigChanges { email: no_sender, ..ConfigChanges::default() };
    given([created(), key(), on.clone()])
        .when(update(changes))
        .then_rejected(Rejection::EmailSenderMissing);
    given([created(), key(), on])
        .when(delete(SecretField::EmailApiKey))
        .then_rejected(Rejection::EmailKeyInUse);
}

#[test]
fn a_secret_is_kept_replaced_and_deleted_and_each_is_a_fact() {
    for field in [SecretField::EmailApiKey, SecretField::WebhookAuthToken, ai_model("openai")] {
        let before = given([created()]);
        let state = before.when(put(field.clone(), 1)).then([was_put(field.clone(), 1)]);
        let kept = |state: &ConfigState| {
            state.present().and_then(|config| config.settings.secret(&field)).cloned()
        };
        assert_eq!(kept(&state), Some(secret(1)));
        // Whether it is the same as before is nobody's to know.
        let again = [created(), was_put(field.clone(), 1)];
        given(again.clone()).when(put(field.clone(), 1)).then([was_put(field.clone(), 1)]);
        let state =
            given(again.clone()).when(put(field.clone(), 2)).then([was_put(field.clone(), 2)]);
        assert_eq!(kept(&state), Some(secret(2)));
        let deleted = SecretDeleted { key_id: key_id(), field: field.clone(), at: at(2) };
        let state =
            given(again).when(delete(field.clone())).then([ConfigEvent::SecretDeleted(deleted)]);
        let config = state.present().expect("a configuration");
        assert_eq!((&config.settings, config.updated_at), (&settings(), at(2)));
        given([created()]).when(delete(field)).then_nothing();
    }
}

#[test]
fn a_key_has_sixty_four_providers_at_most() {
    let mut events = vec![created()];
    events.extend((0..64).map(|n| was_put(ai_model(&format!("provider-{n}")), 1)));
    let full = || Given::<ConfigState>::events(&events);
    full().when(put(ai_model("one-more"), 1)).then_rejected(Rejection::TooManyProviders);
    full().when(put(ai_model("provider-7"), 2)).then([was_put(ai_model("provider-7"), 2)]);
    full().when(put(SecretField::EmailApiKey, 2)).then([was_put(SecretField::EmailApiKey, 2)]);
}

#[test]
fn a_place_for_a_secret_has_one_name() {
    for text in ["email.api_key", "webhook.auth_token", "ai_models.openai", "ai_models.x-1_y"] {
        let field: SecretField = text.parse().expect("a field");
        assert_eq!(field.to_string(), text);
    }
    let long = format!("ai_models.{}", "x".repeat(65));
    for text in [
        "",
        "email",
        "email.api_key ",
        "Email.api_key",
        "email.from_email",
        "ai_models",
        "ai_models.",
        "ai_models.OpenAI",
        "ai_models.-x",
        "ai_models.a.b",
        "ai_models.a/b",
        "ai_models.\u{e4}",
        &long,
    ] {
        assert!(text.parse::<SecretField>().is_err(), "{text}");
    }
    assert!(Provider::new("x".repeat(64)).is_ok());
}

#[test]
fn nothing_sealed_is_left_after_an_erasure_and_what_was_not_sealed_stays() {
    let erase = || ConfigCommand::EraseSubject { now: at(9) };
    let erased =
        || ConfigEvent::SubjectErased(SubjectErased { key_id: KeyId::new(uuid(2)), at: at(9) });
    let put = was_put(ai_model("openai"), 1);
    let state = given([created(), put]).when(erase()).then([erased()]);
    let settings = &state.present().expect("a configuration").settings;
    assert!(!settings.holds_sealed() && settings.require_jwt_token);
    given([created()]).when(erase()).then([]);
    given([]).when(erase()).then_rejected(Rejection::NotFound);
}
