//! One value of every event kind, with all that can be set, as the golden files have it.

use std::collections::BTreeMap;

use domain::api_key::{self, ApiKeyEvent, Settings};
use domain::auth_token::{self, AuthTokenEvent};
use domain::config::{
    self, ConfigEvent, ConfigSettings, DocumentAccess, EmailProvider, EmailService, Plan, Provider,
    RevealEvent, SecretField, TemplateId, WebhookService, WebhookUrl,
};
use domain::service_credential::{self, Bounds, Permission, Proof, ServiceCredentialEvent};
use domain::workspace::{self, WorkspaceEvent};
use domain::{
    AuthTokenId, CredentialRecord, Description, DigestAlgorithm, DomainPattern, DomainRules, Env,
    Event, JsonObject, KeyId, Kid, Labels, Name, Network, Owner, PepperId, Principal, ReasonText,
    RevealReason, RevocationReason, ScopeSet, Sealed, SealedSecret, SecretDigest,
    ServiceCredentialId, WorkspaceId,
};
use jiff::Timestamp;
use uuid::Uuid;

/// First byte of every digest in the samples; the others count up from it.
pub(crate) const DIGEST: u8 = 0xa0;
/// First byte of all that is sealed in the samples; the others count up from it.
pub(crate) const SEALED: u8 = 0xc0;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// The workspace of all samples.
pub(crate) fn workspace_id() -> WorkspaceId {
    WorkspaceId::new(id(1))
}

/// The key of all samples.
pub(crate) fn key_id() -> KeyId {
    KeyId::new(id(2))
}

/// The service credential of all samples.
pub(crate) fn service_credential_id() -> ServiceCredentialId {
    ServiceCredentialId::new(id(3))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn reason(text: &str) -> ReasonText {
    ReasonText::new(text).expect("a reason")
}

fn counting_from<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|place| first + u8::try_from(place).expect("a short array"))
}

/// A stored credential.
pub(crate) fn credential(number: u8) -> CredentialRecord {
    CredentialRecord {
        kid: Kid::from_entropy([number; 12]),
        pepper: PepperId(1),
        algorithm: DigestAlgorithm::HmacSha256,
        digest: SecretDigest(counting_from(DIGEST)),
    }
}

/// Bytes that only a vault could open.
pub(crate) fn sealed() -> Sealed {
    Sealed { dek: id(9), version: 1, bytes: counting_from::<40>(SEALED).to_vec() }
}

fn secret(mask: &str) -> SealedSecret {
    SealedSecret { sealed: sealed(), mask: mask.to_owned() }
}

fn provider(name: &str) -> Provider {
    Provider::new(name).expect("a provider")
}

fn settings() -> Settings {
    let parse = |entry: &str| Network::parse(entry, true).expect("a network");
    let pattern = |entry: &str| DomainPattern::parse(entry).expect("a domain");
    let labels = [("team", "payments"), ("tier", "gold \u{1f947}")];
    Settings {
        name: name("Checkout \u{2014} Zürich"),
        env: Env::Live,
        owner: Owner {
            principal: Some(Principal::user("user-42").expect("a principal")),
            email: Some(sealed()),
        },
        description: Description::new("Calls the \"payment\" service").expect("a description"),
        scopes: ScopeSet::new(["read", "payment:read"].map(|code| code.parse().expect("a scope")))
            .expect("few scopes"),
        ip_allowlist: Some(
            ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "2001:db8::1", "::/0"].map(parse).to_vec(),
        ),
        domains: DomainRules {
            patterns: ["example.com", "*.example.com", "straße.example"].map(pattern).to_vec(),
            allow_localhost: true,
        },
        not_before: Some(at("2026-01-01T00:00:00Z")),
        expires_at: Some(at("2027-01-01T00:00:00.000001Z")),
        metadata: Labels::new(labels.map(|(key, value)| (key.into(), value.into())).into())
            .expect("labels"),
    }
}

fn config_settings() -> ConfigSettings {
    let custom: serde_json::Map<_, _> = serde_json::from_str(
        r#"{"seats":25,"price":0.1,"tiny":2.2250738585072011e-308,"list":[null,true,-1,"x"]}"#,
    )
    .expect("an object");
    let url = |text: &str| WebhookUrl::new(text).expect("a URL");
    let template = |text: &str| TemplateId::new(text).expect("a template");
    ConfigSettings {
        plan: Plan {
            kind: Some(name("sdk test")),
            custom: Some(JsonObject::new(custom).expect("a small object")),
        },
        default_document_access: DocumentAccess::OrganizationPrivate,
        private_comments_enabled: true,
        require_jwt_token: true,
        require_auto_org_user: true,
        email: EmailService {
            enabled: true,
            provider: EmailProvider::Sendgrid,
            api_key: Some(secret("SG....XyZ")),
            from_email: Some(sealed()),
            from_company: Some(name("Acme")),
            comment_template_id: Some(template("d-1")),
            tag_template_id: Some(template("d-2")),
        },
        webhook: WebhookService {
            enabled: true,
            auth_token: Some(secret("whs...9fK")),
            raw_notification_url: Some(url("https://hooks.example.com/raw?a=1")),
            processed_notification_url: Some(url("https://hooks.example.com:8443/processed")),
        },
        ai_models: BTreeMap::from([
            (provider("anthropic"), secret("sk-...abc")),
            (provider("openai"), secret("sk-...XyZ")),
        ]),
    }
}

/// One event of each kind, in the order of `Event::KINDS`.
pub(crate) fn events() -> Vec<Event> {
    let mut events = workspace_events().to_vec();
    events.extend(api_key_events(settings()));
    events.extend([Event::Config(ConfigEvent::Created(Box::new(config::Created {
        key_id: key_id(),
        workspace_id: workspace_id(),
        settings: config_settings(),
        at: at("2026-01-02T03:04:05.000006Z"),
    })))]);
    events.extend(auth_token_events());
    events.extend(service_credential_events(Bounds {
        workspaces: vec![workspace_id()],
        envs: vec![Env::Live, Env::Test],
    }));
    events.extend(config_events(config_settings()));
    events
}

/// The kinds that have optional parts, with none of them set.
#[allow(dead_code, reason = "each test file uses its part of the samples")]
pub(crate) fn bare_events() -> Vec<Event> {
    let bare = Settings {
        env: Env::Test,
        owner: Owner {
            principal: Some(Principal::service_account("batch").expect("a principal")),
            email: None,
        },
        description: Description::new("").expect("an empty description"),
        scopes: ScopeSet::default(),
        ip_allowlist: None,
        domains: DomainRules::default(),
        not_before: None,
        expires_at: None,
        metadata: Labels::default(),
        ..settings()
    };
    let nowhere = Settings { owner: Owner::default(), ip_allowlist: Some(vec![]), ..bare.clone() };
    let mut events = vec![Event::Config(ConfigEvent::Created(Box::new(config::Created {
        key_id: key_id(),
        workspace_id: workspace_id(),
        settings: ConfigSettings::default(),
        at: at("2026-01-02T03:04:05.000006Z"),
    })))];
    events.extend(api_key_events(bare));
    events.extend(api_key_events(nowhere));
    events.extend(service_credential_events(Bounds::default()));
    events.extend(config_events(ConfigSettings::default()));
    events
}

fn workspace_events() -> [Event; 4] {
    let workspace_id = workspace_id();
    [
        WorkspaceEvent::Created(workspace::Created {
            workspace_id,
            created_by: "operator".to_owned(),
            name: name("Acme"),
            token: credential(1),
            at: at("2026-01-02T03:04:05.123456Z"),
        }),
        WorkspaceEvent::TokenReset(workspace::TokenReset {
            workspace_id,
            token: credential(2),
            at: at("2026-01-02T03:04:06Z"),
        }),
        WorkspaceEvent::Suspended(workspace::Suspended {
            workspace_id,
            reason: reason("unpaid"),
            at: at("2026-01-02T03:04:07Z"),
        }),
        WorkspaceEvent::Resumed(workspace::Resumed {
            workspace_id,
            at: at("2026-01-02T03:04:08Z"),
        }),
    ]
    .map(Event::Workspace)
}

fn api_key_events(settings: Settings) -> Vec<Event> {
    let key_id = key_id();
    let changes = change_events(&settings);
    let mut events = vec![
        ApiKeyEvent::Created(Box::new(api_key::Created {
            key_id,
            workspace_id: workspace_id(),
            created_by: "workspace_token".to_owned(),
            settings,
            credential: credential(3),
            at: at("2026-01-02T03:04:05.000006Z"),
        })),
        ApiKeyEvent::Disabled(api_key::Disabled { key_id, at: at("2026-01-03T00:00:00Z") }),
        ApiKeyEvent::Enabled(api_key::Enabled { key_id, at: at("2026-01-04T00:00:00Z") }),
        ApiKeyEvent::Revoked(api_key::Revoked {
            key_id,
            reason: RevocationReason::OwnerLeft,
            text: reason("left in \"May\""),
            revoked_by: "operator".to_owned(),
            at: at("2026-01-05T00:00:00Z"),
        }),
    ];
    events.extend(changes);
    events.extend([
        ApiKeyEvent::Rotated(api_key::Rotated {
            key_id,
            credential: credential(6),
            generation: 2,
            grace_until: at("2026-01-09T00:00:00Z"),
            at: at("2026-01-08T00:00:00Z"),
        }),
        ApiKeyEvent::GraceEnded(api_key::GraceEnded { key_id, at: at("2026-01-08T12:00:00Z") }),
        ApiKeyEvent::Deleted(api_key::Deleted { key_id, at: at("2026-01-10T00:00:00Z") }),
        ApiKeyEvent::Undeleted(api_key::Undeleted { key_id, at: at("2026-01-11T00:00:00Z") }),
        ApiKeyEvent::SubjectErased(api_key::SubjectErased {
            key_id,
            at: at("2026-01-12T00:00:00Z"),
        }),
    ]);
    events.into_iter().map(Event::ApiKey).collect()
}

/// Everything set anew, to what `settings` have.
fn change_events(settings: &Settings) -> [ApiKeyEvent; 8] {
    let (key_id, at) = (key_id(), at("2026-01-07T00:00:00Z"));
    let Settings { name, env: _, owner, description, scopes, ip_allowlist, domains, .. } =
        settings.clone();
    let Settings { not_before, expires_at, metadata, .. } = settings.clone();
    [
        ApiKeyEvent::Renamed(api_key::Renamed { key_id, name, at }),
        ApiKeyEvent::Redescribed(api_key::Redescribed { key_id, description, at }),
        ApiKeyEvent::OwnerChanged(Box::new(api_key::OwnerChanged { key_id, owner, at })),
        ApiKeyEvent::ScopesChanged(api_key::ScopesChanged { key_id, scopes, at }),
        ApiKeyEvent::AddressesChanged(api_key::AddressesChanged { key_id, ip_allowlist, at }),
        ApiKeyEvent::DomainsChanged(api_key::DomainsChanged { key_id, domains, at }),
        ApiKeyEvent::ValidityChanged(api_key::ValidityChanged {
            key_id,
            not_before,
            expires_at,
            at,
        }),
        ApiKeyEvent::MetadataChanged(api_key::MetadataChanged { key_id, metadata, at }),
    ]
}

fn auth_token_events() -> [Event; 3] {
    let (key_id, auth_token_id) = (key_id(), AuthTokenId::new(id(4)));
    [
        AuthTokenEvent::Issued(auth_token::Issued {
            key_id,
            auth_token_id,
            name: name("dashboard"),
            credential: credential(4),
            issued_by: None,
            expires_at: None,
            domains: DomainRules::default(),
            at: at("2026-01-02T03:04:05Z"),
        }),
        AuthTokenEvent::Reset(auth_token::Reset {
            key_id,
            auth_token_id,
            credential: credential(7),
            at: at("2026-01-12T00:00:00Z"),
        }),
        AuthTokenEvent::Revoked(auth_token::Revoked {
            key_id,
            auth_token_id,
            at: at("2026-01-13T00:00:00Z"),
        }),
    ]
    .map(Event::AuthToken)
}

/// Events whose stored form has grown by members that may be missing, with all of them set, and what
/// tells their file from the one of the first form.
#[allow(dead_code, reason = "each test file uses its part of the samples")]
pub(crate) fn grown_events() -> Vec<(&'static str, Event)> {
    let issued = AuthTokenEvent::Issued(auth_token::Issued {
        key_id: key_id(),
        auth_token_id: AuthTokenId::new(id(4)),
        name: name("dashboard"),
        credential: credential(4),
        issued_by: Some("workspace_token".to_owned()),
        expires_at: Some(at("2027-01-01T00:00:00.000001Z")),
        domains: settings().domains,
        at: at("2026-01-02T03:04:05Z"),
    });
    vec![("restricted", Event::AuthToken(issued))]
}

fn service_credential_events(bounds: Bounds) -> [Event; 2] {
    let service_credential_id = service_credential_id();
    [
        ServiceCredentialEvent::Created(service_credential::Created {
            service_credential_id,
            created_by: "operator".to_owned(),
            name: name("edge"),
            permissions: vec![
                Permission::Verify,
                Permission::Reveal,
                Permission::AuditRead,
                Permission::OrgRead,
                Permission::OrgReadWrite,
            ],
            bounds,
            proof: Proof::Secret(credential(5)),
            at: at("2026-01-02T03:04:05Z"),
        }),
        ServiceCredentialEvent::Revoked(service_credential::Revoked {
            service_credential_id,
            at: at("2026-01-06T00:00:00Z"),
        }),
    ]
    .map(Event::ServiceCredential)
}

/// Everything set anew, to what `settings` have, and what becomes of a secret.
fn config_events(settings: ConfigSettings) -> Vec<Event> {
    let (key_id, at) = (key_id(), at("2026-01-12T00:00:00Z"));
    let ConfigSettings { plan, default_document_access, email, webhook, .. } = settings;
    let field = SecretField::AiModel(provider("openai"));
    let events = [
        ConfigEvent::PlanChanged(Box::new(config::PlanChanged { key_id, plan, at })),
        ConfigEvent::DocumentAccessChanged(config::DocumentAccessChanged {
            key_id,
            default_document_access,
            at,
        }),
        ConfigEvent::PrivateCommentsSwitched(config::PrivateCommentsSwitched {
            key_id,
            enabled: true,
            at,
        }),
        ConfigEvent::JwtRequirementChanged(config::JwtRequirementChanged {
            key_id,
            required: true,
            at,
        }),
        ConfigEvent::AutoOrgUserChanged(config::AutoOrgUserChanged { key_id, required: true, at }),
        ConfigEvent::EmailServiceChanged(Box::new(config::EmailServiceChanged {
            key_id,
            enabled: email.enabled,
            provider: email.provider,
            from_email: email.from_email,
            from_company: email.from_company,
            comment_template_id: email.comment_template_id,
            tag_template_id: email.tag_template_id,
            at,
        })),
        ConfigEvent::WebhookServiceChanged(Box::new(config::WebhookServiceChanged {
            key_id,
            enabled: webhook.enabled,
            raw_notification_url: webhook.raw_notification_url,
            processed_notification_url: webhook.processed_notification_url,
            at,
        })),
        ConfigEvent::SecretPut(Box::new(config::SecretPut {
            key_id,
            field: field.clone(),
            value: secret("sk-...XyZ"),
            at,
        })),
        ConfigEvent::SecretDeleted(config::SecretDeleted {
            key_id,
            field: SecretField::EmailApiKey,
            at,
        }),
        ConfigEvent::SubjectErased(config::SubjectErased { key_id, at }),
    ];
    let reason = RevealReason::new("nightly \"summary\"").expect("a reason");
    let revealed = config::Revealed { key_id, field, reason, at };
    let mut events: Vec<_> = events.into_iter().map(Event::Config).collect();
    events.push(Event::Reveal(RevealEvent::Revealed(revealed)));
    events
}
