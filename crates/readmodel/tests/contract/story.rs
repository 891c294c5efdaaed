//! Facts to tell: keys, configurations, workspaces and service credentials as events.

use std::collections::BTreeMap;

use domain::api_key::{self, ApiKeyEvent, Settings};
use domain::config::{
    self, AiModels, ConfigEvent, ConfigSettings, EmailService, Plan, Provider, RevealEvent,
    SecretField,
};
use domain::service_credential::{self, Bounds, Permission, Proof, ServiceCredentialEvent};
use domain::workspace::{self, WorkspaceEvent};
use domain::{
    AuthTokenId, CredentialRecord, Description, DigestAlgorithm, DomainPattern, DomainRules, Env,
    Event, JsonObject, KeyId, Kid, Labels, Name, Network, Owner, PepperId, Principal, ReasonText,
    RevealReason, RevocationReason, ScopeSet, Sealed, SealedSecret, SecretDigest,
    ServiceCredentialId, SpiffeId, WorkspaceId,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub(crate) type Fact = (Option<WorkspaceId>, Event);

pub(crate) fn at(second: i64) -> Timestamp {
    let begin: Timestamp = "2025-06-01T12:00:00.000001Z".parse().unwrap();
    begin + SignedDuration::from_secs(second)
}

pub(crate) fn workspace_id(number: u128) -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u128(0xa << 100 | number))
}

pub(crate) fn key_id(number: u32) -> KeyId {
    KeyId::new(Uuid::from_u128(0xb << 100 | u128::from(number)))
}

pub(crate) fn service_credential_id(number: u32) -> ServiceCredentialId {
    ServiceCredentialId::new(Uuid::from_u128(0xc << 100 | u128::from(number)))
}

/// A credential that differs for each kind of thing and number.
pub(crate) fn credential(kind: u8, number: u32) -> CredentialRecord {
    let mut bits = [kind; 12];
    bits[8..].copy_from_slice(&number.to_be_bytes());
    let mut digest = [kind; 32];
    digest[28..].copy_from_slice(&number.to_be_bytes());
    CredentialRecord {
        kid: Kid::from_entropy(bits),
        pepper: PepperId(65_535),
        algorithm: DigestAlgorithm::HmacSha256,
        digest: SecretDigest(digest),
    }
}

pub(crate) fn sealed(byte: u8) -> Sealed {
    Sealed { dek: Uuid::from_u128(u128::from(byte) << 64), version: 1, bytes: vec![byte, 0, 255] }
}

/// Settings of which nothing is set but the name.
pub(crate) fn plain(name: &str) -> Settings {
    Settings {
        name: Name::new(name).unwrap(),
        env: Env::Live,
        owner: Owner::default(),
        description: Description::new("").unwrap(),
        scopes: ScopeSet::default(),
        ip_allowlist: None,
        domains: DomainRules::default(),
        not_before: None,
        expires_at: None,
        metadata: Labels::default(),
    }
}

/// Settings of which everything is set.
pub(crate) fn full(name: &str) -> Settings {
    let scopes = ["payment:read", "read", "a.b*_-c"].map(|code| code.parse().unwrap());
    let networks = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"];
    let labels = [("team", "päy\"ments, {\\}"), ("x", "'")];
    Settings {
        name: Name::new(name).unwrap(),
        env: Env::Test,
        owner: Owner {
            principal: Some(Principal::service_account("build,{}\"'\\bot").unwrap()),
            email: Some(sealed(9)),
        },
        description: Description::new("for \"tests\", {all} of\\ them: ü").unwrap(),
        scopes: ScopeSet::new(scopes).unwrap(),
        ip_allowlist: Some(networks.map(|text| Network::parse(text, false).unwrap()).to_vec()),
        domains: DomainRules {
            patterns: ["example.com", "*.example.org"]
                .map(|text| DomainPattern::parse(text).unwrap())
                .to_vec(),
            allow_localhost: true,
        },
        not_before: Some(at(-1_000)),
        expires_at: Some(at(1_000_000)),
        metadata: Labels::new(labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into()).unwrap(),
    }
}

pub(crate) fn key_created(workspace: u128, number: u32, settings: Settings, second: i64) -> Fact {
    let workspace_id = workspace_id(workspace);
    let created = api_key::Created {
        key_id: key_id(number),
        workspace_id,
        created_by: "workspace_token:abc".to_owned(),
        settings,
        credential: credential(1, number),
        at: at(second),
    };
    key_fact(workspace, ApiKeyEvent::Created(Box::new(created)))
}

pub(crate) fn key_fact(workspace: u128, event: ApiKeyEvent) -> Fact {
    (Some(workspace_id(workspace)), Event::ApiKey(event))
}

pub(crate) fn disabled(workspace: u128, number: u32, second: i64) -> Fact {
    let event = api_key::Disabled { key_id: key_id(number), at: at(second) };
    key_fact(workspace, ApiKeyEvent::Disabled(event))
}

pub(crate) fn enabled(workspace: u128, number: u32, second: i64) -> Fact {
    let event = api_key::Enabled { key_id: key_id(number), at: at(second) };
    key_fact(workspace, ApiKeyEvent::Enabled(event))
}

pub(crate) fn revoked(workspace: u128, number: u32, second: i64) -> Fact {
    let event = api_key::Revoked {
        key_id: key_id(number),
        revoked_by: "operator".to_owned(),
        reason: RevocationReason::OwnerLeft,
        text: ReasonText::new("left on friday").unwrap(),
        at: at(second),
    };
    key_fact(workspace, ApiKeyEvent::Revoked(event))
}

pub(crate) fn config_settings() -> ConfigSettings {
    let secret = |byte| SealedSecret { sealed: sealed(byte), mask: "sk-...XyZ".to_owned() };
    // Numbers that a table must not write anew.
    let custom = serde_json::from_str(r#"{"seats": 1e2, "z": [1.0, {"a": -0.0}]}"#).unwrap();
    ConfigSettings {
        plan: Plan { kind: None, custom: Some(JsonObject::new(custom).unwrap()) },
        require_jwt_token: true,
        email: EmailService {
            enabled: true,
            api_key: Some(secret(3)),
            from_email: Some(sealed(4)),
            ..EmailService::default()
        },
        ai_models: AiModels::from([(Provider::new("openai").unwrap(), secret(5))]),
        ..ConfigSettings::default()
    }
}

pub(crate) fn config_created(workspace: u128, number: u32, second: i64) -> Fact {
    let created = config::Created {
        key_id: key_id(number),
        workspace_id: workspace_id(workspace),
        settings: config_settings(),
        at: at(second),
    };
    let event = ConfigEvent::Created(Box::new(created));
    (Some(workspace_id(workspace)), Event::Config(event))
}

pub(crate) fn config_fact(workspace: u128, event: ConfigEvent) -> Fact {
    (Some(workspace_id(workspace)), Event::Config(event))
}

/// A key of a provider is kept.
pub(crate) fn secret_put(workspace: u128, number: u32, provider: &str, second: i64) -> Fact {
    let put = config::SecretPut {
        key_id: key_id(number),
        field: SecretField::AiModel(Provider::new(provider).unwrap()),
        value: SealedSecret { sealed: sealed(8), mask: "sk-...abc".to_owned() },
        at: at(second),
    };
    config_fact(workspace, ConfigEvent::SecretPut(Box::new(put)))
}

/// End users must present a JWT, or need not.
pub(crate) fn jwt_requirement(workspace: u128, number: u32, required: bool, second: i64) -> Fact {
    let changed =
        config::JwtRequirementChanged { key_id: key_id(number), required, at: at(second) };
    config_fact(workspace, ConfigEvent::JwtRequirementChanged(changed))
}

/// A key of a provider was shown.
pub(crate) fn secret_revealed(workspace: u128, number: u32, second: i64) -> Fact {
    let revealed = config::Revealed {
        key_id: key_id(number),
        field: SecretField::AiModel(Provider::new("openai").unwrap()),
        reason: RevealReason::new("").unwrap(),
        at: at(second),
    };
    (Some(workspace_id(workspace)), Event::Reveal(RevealEvent::Revealed(revealed)))
}

pub(crate) fn auth_token_issued(workspace: u128, number: u32, second: i64) -> Fact {
    let event = domain::auth_token::Issued {
        key_id: key_id(number),
        auth_token_id: AuthTokenId::new(Uuid::from_u128(number.into())),
        name: Name::new("own").unwrap(),
        credential: credential(4, number),
        issued_by: None,
        expires_at: None,
        domains: DomainRules::default(),
        at: at(second),
    };
    let event = domain::auth_token::AuthTokenEvent::Issued(event);
    (Some(workspace_id(workspace)), Event::AuthToken(event))
}

pub(crate) fn workspace_fact(workspace: u128, event: WorkspaceEvent) -> Fact {
    (Some(workspace_id(workspace)), Event::Workspace(event))
}

pub(crate) fn workspace_created(workspace: u128, second: i64) -> Fact {
    let created = workspace::Created {
        workspace_id: workspace_id(workspace),
        created_by: "operator".to_owned(),
        name: Name::new("Änne's workspace").unwrap(),
        token: credential(2, 1),
        at: at(second),
    };
    workspace_fact(workspace, WorkspaceEvent::Created(created))
}

pub(crate) fn suspended(workspace: u128, second: i64) -> Fact {
    let event = workspace::Suspended {
        workspace_id: workspace_id(workspace),
        reason: ReasonText::new("unpaid").unwrap(),
        at: at(second),
    };
    workspace_fact(workspace, WorkspaceEvent::Suspended(event))
}

pub(crate) fn resumed(workspace: u128, second: i64) -> Fact {
    let event = workspace::Resumed { workspace_id: workspace_id(workspace), at: at(second) };
    workspace_fact(workspace, WorkspaceEvent::Resumed(event))
}

pub(crate) fn token_reset(workspace: u128, number: u32, second: i64) -> Fact {
    let event = workspace::TokenReset {
        workspace_id: workspace_id(workspace),
        token: credential(2, number),
        at: at(second),
    };
    workspace_fact(workspace, WorkspaceEvent::TokenReset(event))
}

/// Every fourth one has an identity.
pub(crate) fn proof(number: u32) -> Proof {
    if number.is_multiple_of(4) {
        let identity = format!("spiffe://example.org/{number}");
        return Proof::Identity(SpiffeId::new(identity).unwrap());
    }
    Proof::Secret(credential(3, number))
}

pub(crate) fn service_credential_created(number: u32, bounds: Bounds, second: i64) -> Fact {
    let created = service_credential::Created {
        service_credential_id: service_credential_id(number),
        created_by: "operator".to_owned(),
        name: Name::new("gateway, eu").unwrap(),
        permissions: vec![Permission::Verify, Permission::AuditRead],
        bounds,
        proof: proof(number),
        at: at(second),
    };
    (None, Event::ServiceCredential(ServiceCredentialEvent::Created(created)))
}

pub(crate) fn service_credential_revoked(number: u32, second: i64) -> Fact {
    let event = service_credential::Revoked {
        service_credential_id: service_credential_id(number),
        at: at(second),
    };
    (None, Event::ServiceCredential(ServiceCredentialEvent::Revoked(event)))
}

/// The events of a key's later life, another one for each `turn`.
fn life(workspace: u128, number: u32, turn: u32, second: i64) -> Fact {
    let (key_id, at) = (key_id(number), at(second));
    let turned = full(&format!("turn {turn}"));
    let event = match turn % 13 {
        0 => ApiKeyEvent::Renamed(api_key::Renamed { key_id, name: turned.name, at }),
        1 => {
            let description = turned.description;
            ApiKeyEvent::Redescribed(api_key::Redescribed { key_id, description, at })
        }
        2 => {
            let owner = turned.owner;
            ApiKeyEvent::OwnerChanged(Box::new(api_key::OwnerChanged { key_id, owner, at }))
        }
        3 => {
            let scopes = turned.scopes;
            ApiKeyEvent::ScopesChanged(api_key::ScopesChanged { key_id, scopes, at })
        }
        4 => {
            let ip_allowlist = turned.ip_allowlist;
            ApiKeyEvent::AddressesChanged(api_key::AddressesChanged { key_id, ip_allowlist, at })
        }
        5 => {
            let domains = turned.domains;
            ApiKeyEvent::DomainsChanged(api_key::DomainsChanged { key_id, domains, at })
        }
        6 => ApiKeyEvent::ValidityChanged(api_key::ValidityChanged {
            key_id,
            not_before: turned.not_before,
            expires_at: turned.expires_at,
            at,
        }),
        7 => {
            let metadata = turned.metadata;
            ApiKeyEvent::MetadataChanged(api_key::MetadataChanged { key_id, metadata, at })
        }
        8 | 9 => return rotated(workspace, number, turn, second),
        10 => ApiKeyEvent::GraceEnded(api_key::GraceEnded { key_id, at }),
        11 => ApiKeyEvent::Deleted(api_key::Deleted { key_id, at }),
        _ => ApiKeyEvent::Undeleted(api_key::Undeleted { key_id, at }),
    };
    key_fact(workspace, event)
}

/// To a credential of this `generation`, with 1,000 seconds of grace for the one before.
pub(crate) fn rotated(workspace: u128, number: u32, generation: u32, second: i64) -> Fact {
    let event = api_key::Rotated {
        key_id: key_id(number),
        credential: credential(5, number << 8 | generation),
        generation,
        grace_until: at(second + 1_000),
        at: at(second),
    };
    key_fact(workspace, ApiKeyEvent::Rotated(event))
}

pub(crate) fn deleted(workspace: u128, number: u32, second: i64) -> Fact {
    let event = api_key::Deleted { key_id: key_id(number), at: at(second) };
    key_fact(workspace, ApiKeyEvent::Deleted(event))
}

/// A mixed history of two workspaces: `keys` keys, each with four to eight events all over it.
pub(crate) fn history(keys: u32) -> Vec<Fact> {
    let mut facts = vec![
        workspace_created(1, 0),
        workspace_created(2, 1),
        service_credential_created(1, Bounds::default(), 2),
        service_credential_created(2, bounds_of_one(), 3),
    ];
    for key in 0..keys {
        let (workspace, second) = (1 + u128::from(key % 2), i64::from(key));
        let name = format!("key {key}");
        let settings = if key % 3 == 0 { full(&name) } else { plain(&name) };
        facts.push(key_created(workspace, key, settings, second));
        facts.push(config_created(workspace, key, second));
        facts.push(auth_token_issued(workspace, key, second));
        // Events of earlier keys come between, so that every batch meets known and new keys.
        let earlier = key / 2;
        let workspace = 1 + u128::from(earlier % 2);
        facts.push(match key % 4 {
            0 => disabled(workspace, earlier, second),
            1 => enabled(workspace, earlier, second),
            2 => disabled(workspace, earlier, second),
            _ => revoked(workspace, earlier, second),
        });
        facts.push(life(workspace, earlier, key, second));
    }
    facts.extend([suspended(1, 1), token_reset(1, 9, 2), resumed(1, 3), suspended(2, 4)]);
    facts.push(service_credential_revoked(2, 9));
    facts
}

pub(crate) fn bounds_of_one() -> Bounds {
    Bounds { workspaces: vec![workspace_id(1), workspace_id(3)], envs: vec![Env::Test] }
}

/// Pairs by key, for comparing without regard to order.
pub(crate) fn by_id<T>(
    rows: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> Uuid,
) -> BTreeMap<Uuid, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}
