//! The world of the verifier's tests: workspaces, keys and credentials by number, and a check that
//! stands in for the vault's.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests; what tests share is not seen as such"
)]
#![allow(dead_code, reason = "every test binary compiles this and uses its own part of it")]

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::api_key::{
    ApiKey, ApiKeyEvent, ApiKeyState, Deleted, Disabled, Enabled, GraceEnded, Revoked, Rotated,
    Settings, Undeleted,
};
use domain::service_credential::{Bounds, Permission, Proof, ServiceCredentialEvent};
use domain::verdict::{Question, Verdict};
use domain::workspace::{Resumed, Suspended, TokenReset, WorkspaceEvent};
use domain::{
    Binding, Brand, CredentialKind, CredentialRecord, Decider, Description, DigestAlgorithm,
    DomainRules, Env, Event, KeyId, Kid, Labels, Micros, Name, Owner, PepperId, ReasonText,
    RevocationReason, SECRET_LENGTH, ScopeSet, Secret, SecretDigest, SecretText,
    ServiceCredentialId, SpiffeId, WorkspaceId,
};
use jiff::Timestamp;
use uuid::Uuid;
use verifier::{Answer, EnvSet, Quarantined, Query, Tenant, Verifier};

/// The moment `second` after the world began.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn micros(second: i64) -> Micros {
    at(second).into()
}

pub(crate) fn ws(n: u128) -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u128(1_000 + n))
}

pub(crate) fn key_id(n: u128) -> KeyId {
    KeyId::new(Uuid::from_u128(2_000_000 + n))
}

pub(crate) fn svc(n: u128) -> ServiceCredentialId {
    ServiceCredentialId::new(Uuid::from_u128(3_000 + n))
}

/// A MAC for tests: depends on all that a real one depends on.
pub(crate) fn digest(
    binding: &Binding,
    secret: &[u8; SECRET_LENGTH],
    pepper: PepperId,
) -> SecretDigest {
    let mut bytes = [0; 32];
    for (salt, chunk) in (0_u8..).zip(bytes.chunks_mut(8)) {
        let mut hasher = DefaultHasher::new();
        (salt, pepper, binding.workspace, binding.resource).hash(&mut hasher);
        (binding.kid, binding.env, binding.kind, secret).hash(&mut hasher);
        chunk.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    SecretDigest(bytes)
}

/// What the vault does: compute and compare, and say no to a pepper that is never issued.
pub(crate) fn check(
    binding: &Binding,
    secret: &[u8; SECRET_LENGTH],
    pepper: PepperId,
    stored: &SecretDigest,
) -> bool {
    digest(binding, secret, pepper) == *stored && pepper != PepperId(0)
}

/// A credential as its owner has it and as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Minted {
    pub(crate) text: String,
    pub(crate) record: CredentialRecord,
}

/// The credential number `n` of its kind.
pub(crate) fn mint(
    n: u128,
    kind: CredentialKind,
    env: Env,
    workspace: Option<WorkspaceId>,
    resource: Uuid,
) -> Minted {
    let mut bits = [0; 12];
    bits[..8].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
    bits[8] = u8::try_from(u32::from(kind.letter())).unwrap();
    let kid = Kid::from_entropy(bits);
    let mut entropy = [9; 32];
    entropy[..16].copy_from_slice(&n.to_be_bytes());
    let secret = Secret::from_entropy(&entropy);
    let binding = Binding { workspace, resource, kid, env, kind };
    Minted {
        text: SecretText::new(&Brand::default(), kind, env, kid, &secret).expose().to_owned(),
        record: CredentialRecord {
            kid,
            pepper: PepperId(1),
            algorithm: DigestAlgorithm::HmacSha256,
            digest: digest(&binding, secret.expose(), PepperId(1)),
        },
    }
}

/// A key to be: change its settings, then make it of [`Key::created`].
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) key_id: KeyId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) settings: Settings,
    pub(crate) credential: Minted,
}

/// Key number `n` of a workspace: LIVE, with the scope `read`, and nothing else set.
pub(crate) fn key(n: u128, workspace_id: WorkspaceId) -> Key {
    key_in(n, workspace_id, Env::Live)
}

pub(crate) fn key_in(n: u128, workspace_id: WorkspaceId, env: Env) -> Key {
    let key_id = key_id(n);
    let settings = Settings {
        name: Name::new(format!("key number {n}")).unwrap(),
        env,
        owner: Owner::default(),
        description: Description::new("").unwrap(),
        scopes: scopes(&["read"]),
        ip_allowlist: None,
        domains: DomainRules::default(),
        not_before: None,
        expires_at: None,
        metadata: Labels::default(),
    };
    let credential = mint(n, CredentialKind::ApiKey, env, Some(workspace_id), key_id.uuid());
    Key { key_id, workspace_id, settings, credential }
}

pub(crate) fn scopes(codes: &[&str]) -> ScopeSet {
    ScopeSet::new(codes.iter().map(|code| code.parse().unwrap())).unwrap()
}

impl Key {
    pub(crate) fn text(&self) -> &str {
        &self.credential.text
    }

    pub(crate) fn created(&self) -> Event {
        Event::ApiKey(self.beginning())
    }

    /// The key right after its beginning.
    pub(crate) fn folded(&self) -> ApiKey {
        let state = ApiKeyState::fold([&self.beginning()]);
        state.present().unwrap().clone()
    }

    fn beginning(&self) -> ApiKeyEvent {
        ApiKeyEvent::Created(Box::new(domain::api_key::Created {
            key_id: self.key_id,
            workspace_id: self.workspace_id,
            created_by: "tests".to_owned(),
            settings: self.settings.clone(),
            credential: self.credential.record.clone(),
            at: at(0),
        }))
    }
}

pub(crate) fn disabled(key_id: KeyId) -> Event {
    Event::ApiKey(ApiKeyEvent::Disabled(Disabled { key_id, at: at(1) }))
}

pub(crate) fn enabled(key_id: KeyId) -> Event {
    Event::ApiKey(ApiKeyEvent::Enabled(Enabled { key_id, at: at(1) }))
}

pub(crate) fn revoked(key_id: KeyId) -> Event {
    Event::ApiKey(ApiKeyEvent::Revoked(Revoked {
        key_id,
        revoked_by: "tests".to_owned(),
        reason: RevocationReason::Compromised,
        text: ReasonText::new("").unwrap(),
        at: at(1),
    }))
}

pub(crate) fn deleted(key_id: KeyId) -> Event {
    Event::ApiKey(ApiKeyEvent::Deleted(Deleted { key_id, at: at(1) }))
}

pub(crate) fn undeleted(key_id: KeyId) -> Event {
    Event::ApiKey(ApiKeyEvent::Undeleted(Undeleted { key_id, at: at(1) }))
}

pub(crate) fn grace_ended(key_id: KeyId, second: i64) -> Event {
    Event::ApiKey(ApiKeyEvent::GraceEnded(GraceEnded { key_id, at: at(second) }))
}

/// To `credential` at second 1; the one before stops at second `grace_until`.
pub(crate) fn rotated(key_id: KeyId, credential: &Minted, grace_until: i64) -> Event {
    Event::ApiKey(ApiKeyEvent::Rotated(Rotated {
        key_id,
        credential: credential.record.clone(),
        generation: 2,
        grace_until: at(grace_until),
        at: at(1),
    }))
}

/// The `n`th token of a workspace.
pub(crate) fn workspace_token(workspace_id: WorkspaceId, n: u128) -> Minted {
    mint(
        workspace_id.uuid().as_u128() * 100 + n,
        CredentialKind::WorkspaceToken,
        Env::Live,
        Some(workspace_id),
        workspace_id.uuid(),
    )
}

pub(crate) fn workspace_created(workspace_id: WorkspaceId) -> Event {
    Event::Workspace(WorkspaceEvent::Created(domain::workspace::Created {
        workspace_id,
        created_by: "tests".to_owned(),
        name: Name::new("a workspace").unwrap(),
        token: workspace_token(workspace_id, 0).record,
        at: at(0),
    }))
}

pub(crate) fn token_reset(workspace_id: WorkspaceId, n: u128) -> Event {
    Event::Workspace(WorkspaceEvent::TokenReset(TokenReset {
        workspace_id,
        token: workspace_token(workspace_id, n).record,
        at: at(1),
    }))
}

pub(crate) fn suspended(workspace_id: WorkspaceId) -> Event {
    Event::Workspace(WorkspaceEvent::Suspended(Suspended {
        workspace_id,
        reason: ReasonText::new("").unwrap(),
        at: at(1),
    }))
}

pub(crate) fn resumed(workspace_id: WorkspaceId) -> Event {
    Event::Workspace(WorkspaceEvent::Resumed(Resumed { workspace_id, at: at(1) }))
}

pub(crate) fn service_credential(id: ServiceCredentialId) -> Minted {
    let resource = id.uuid();
    mint(resource.as_u128(), CredentialKind::ServiceCredential, Env::Live, None, resource)
}

/// Every fourth one has an identity.
pub(crate) fn proof(id: ServiceCredentialId) -> Proof {
    if id.uuid().as_u128().is_multiple_of(4) {
        return Proof::Identity(identity(id));
    }
    Proof::Secret(service_credential(id).record)
}

pub(crate) fn identity(id: ServiceCredentialId) -> SpiffeId {
    SpiffeId::new(format!("spiffe://example.org/{}", id.uuid())).unwrap()
}

pub(crate) fn service_credential_created(
    id: ServiceCredentialId,
    permissions: &[Permission],
    bounds: Bounds,
) -> Event {
    let created = domain::service_credential::Created {
        service_credential_id: id,
        created_by: "tests".to_owned(),
        name: Name::new("a service").unwrap(),
        permissions: permissions.to_vec(),
        bounds,
        proof: proof(id),
        at: at(0),
    };
    Event::ServiceCredential(ServiceCredentialEvent::Created(created))
}

pub(crate) fn service_credential_revoked(id: ServiceCredentialId) -> Event {
    Event::ServiceCredential(ServiceCredentialEvent::Revoked(domain::service_credential::Revoked {
        service_credential_id: id,
        at: at(1),
    }))
}

/// May it pass at second 100, from nowhere in particular, for nothing in particular?
pub(crate) fn question() -> Question<'static> {
    Question {
        earliest: micros(100),
        latest: micros(100),
        client_ip: None,
        origin: None,
        all_of: &[],
        any_of: &[],
    }
}

/// The widest query for a key.
pub(crate) fn query(text: &str) -> Query<'_> {
    Query {
        key: text,
        tenant: Tenant::Any,
        workspace_id: None,
        envs: EnvSet::BOTH,
        expected_key_id: None,
        question: question(),
    }
}

pub(crate) fn verdict(verifier: &Verifier, query: &Query<'_>) -> Result<Verdict, Quarantined> {
    verifier.verify(query, check, |answer| answer.verdict.clone())
}

/// An index that has followed these events.
pub(crate) fn following<'a>(events: impl IntoIterator<Item = &'a Event>) -> Verifier {
    let verifier = Verifier::new(Brand::default());
    for event in events {
        verifier.apply(event);
    }
    verifier
}

/// All of an answer as text, to compare two of them.
pub(crate) fn spelled(answer: &Answer<'_>) -> String {
    format!("{answer:?}")
}
