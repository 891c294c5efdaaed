//! The index against the folded states of the domain and against a naive answer: whatever happened,
//! following the events and loading the rows that they make come to the same.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests; what tests share is not seen as such"
)]

mod world;

use domain::api_key::{
    AddressesChanged, ApiKeyEvent, ApiKeyState, DomainsChanged, MetadataChanged, OwnerChanged,
    Renamed, ScopesChanged, ValidityChanged,
};
use domain::service_credential::{
    Bounds, Permission, ServiceCredentialEvent, ServiceCredentialState,
};
use domain::verdict::{Denial, Verdict};
use domain::workspace::{WorkspaceEvent, WorkspaceState};
use domain::{
    Binding, Brand, CredentialKind, Decider, DomainPattern, DomainRules, Env, Event, KeyId, Labels,
    Name, Network, Owner, Presented, Principal, WorkspaceId,
};
use jiff::Timestamp;
use proptest::prelude::*;
use verifier::{EnvSet, Query, Tenant, Verifier};
use world::*;

const WORKSPACES: u128 = 3;
const KEYS: u128 = 4;
const TOKENS: u128 = 3;
const SERVICES: u128 = 2;

/// Anything may happen in any order, even what the rules would never let into the log.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let ws_ids = (0..WORKSPACES).prop_map(ws);
    let key_ids = (0..KEYS).prop_map(key_id);
    let services = (0..SERVICES).prop_map(svc);
    let event = prop_oneof![
        3 => ws_ids.clone().prop_map(workspace_created),
        1 => ws_ids.clone().prop_map(suspended),
        1 => ws_ids.clone().prop_map(resumed),
        1 => (ws_ids, 0..TOKENS).prop_map(|(id, n)| token_reset(id, n)),
        4 => (0..KEYS, 0..WORKSPACES, 0..5_u8).prop_map(|(n, of, shape)| shaped(n, ws(of), shape).created()),
        1 => key_ids.clone().prop_map(disabled),
        1 => key_ids.clone().prop_map(enabled),
        1 => key_ids.clone().prop_map(revoked),
        1 => key_ids.clone().prop_map(deleted),
        1 => key_ids.clone().prop_map(undeleted),
        1 => (key_ids.clone(), 0..200_i64).prop_map(|(id, second)| grace_ended(id, second)),
        // Which credential it is comes later.
        2 => (key_ids.clone(), 0..200_i64).prop_map(|(id, until)| {
            rotated(id, &key(0, ws(0)).credential, until)
        }),
        3 => (key_ids, 0..9_u8).prop_map(|(id, which)| changed(id, which)),
        1 => services.clone().prop_map(|id| {
            service_credential_created(id, &[Permission::Verify], Bounds::default())
        }),
        1 => services.prop_map(service_credential_revoked),
    ];
    prop::collection::vec(event, 0..40).prop_map(with_credentials)
}

/// One of the changes of what is set.
fn changed(key_id: KeyId, which: u8) -> Event {
    let at = at(1);
    let not_before = None;
    Event::ApiKey(match which {
        0 => ApiKeyEvent::Renamed(Renamed { key_id, name: Name::new("other").unwrap(), at }),
        1 => ApiKeyEvent::ScopesChanged(ScopesChanged { key_id, scopes: scopes(&["a"]), at }),
        2 => ApiKeyEvent::AddressesChanged(AddressesChanged { key_id, ip_allowlist: None, at }),
        3 => {
            let ip_allowlist = Some(vec![Network::parse("192.0.2.7", false).unwrap()]);
            ApiKeyEvent::AddressesChanged(AddressesChanged { key_id, ip_allowlist, at })
        }
        4 => {
            let expires_at = Some(world::at(50));
            ApiKeyEvent::ValidityChanged(ValidityChanged { key_id, not_before, expires_at, at })
        }
        5 => {
            let expires_at = Some(world::at(150));
            ApiKeyEvent::ValidityChanged(ValidityChanged { key_id, not_before, expires_at, at })
        }
        6 => {
            let owner = Owner { principal: Principal::user("u-1").ok(), email: None };
            ApiKeyEvent::OwnerChanged(Box::new(OwnerChanged { key_id, owner, at }))
        }
        7 => {
            let metadata = Labels::new([("a".to_owned(), "b".to_owned())].into()).unwrap();
            ApiKeyEvent::MetadataChanged(MetadataChanged { key_id, metadata, at })
        }
        _ => {
            let patterns = vec![DomainPattern::parse("example.com").unwrap()];
            let domains = DomainRules { patterns, allow_localhost: true };
            ApiKeyEvent::DomainsChanged(DomainsChanged { key_id, domains, at })
        }
    })
}

/// Gives each rotation a credential of its own, for the key as its first beginning had it.
fn with_credentials(mut events: Vec<Event>) -> Vec<Event> {
    let mut begun: Vec<(KeyId, WorkspaceId, Env)> = Vec::new();
    for (n, event) in (1_000..).zip(&mut events) {
        let Event::ApiKey(event) = event else { continue };
        if let ApiKeyEvent::Created(created) = event
            && begun.iter().all(|(id, ..)| *id != created.key_id)
        {
            begun.push((created.key_id, created.workspace_id, created.settings.env));
        }
        if let ApiKeyEvent::Rotated(rotated) = event
            && let Some((id, of, env)) = begun.iter().find(|(id, ..)| *id == rotated.key_id)
        {
            let kind = CredentialKind::ApiKey;
            rotated.credential = mint(n, kind, *env, Some(*of), id.uuid()).record;
        }
    }
    events
}

/// The texts of all credentials that rotations made.
fn rotated_texts(events: &[Event]) -> Vec<String> {
    let mut texts = Vec::new();
    let place = |id: &KeyId| id.uuid().as_u128() - key_id(0).uuid().as_u128();
    for (n, event) in (1_000..).zip(events) {
        let Event::ApiKey(ApiKeyEvent::Rotated(rotated)) = event else { continue };
        for of in 0..WORKSPACES {
            for env in [Env::Live, Env::Test] {
                let resource = key_id(place(&rotated.key_id)).uuid();
                texts.push(mint(n, CredentialKind::ApiKey, env, Some(ws(of)), resource).text);
            }
        }
    }
    texts
}

fn shaped(n: u128, workspace_id: WorkspaceId, shape: u8) -> Key {
    let env = if shape == 4 { Env::Test } else { Env::Live };
    let mut key = key_in(n, workspace_id, env);
    let settings = &mut key.settings;
    match shape {
        1 => settings.not_before = Some(at(500)),
        2 => settings.expires_at = Some(at(50)),
        3 => settings.ip_allowlist = Some(vec![Network::parse("192.0.2.7", false).unwrap()]),
        _ => {}
    }
    key
}

/// The folded states of every noun.
struct Folded {
    workspaces: Vec<WorkspaceState>,
    keys: Vec<ApiKeyState>,
    services: Vec<ServiceCredentialState>,
}

fn fold(events: &[Event]) -> Folded {
    let of_workspace = |id| {
        let own = |event: &&WorkspaceEvent| event.workspace_id() == id;
        WorkspaceState::fold(events.iter().filter_map(as_workspace).filter(own))
    };
    let of_key = |id| {
        let own = |event: &&ApiKeyEvent| event.key_id() == id;
        ApiKeyState::fold(events.iter().filter_map(as_key).filter(own))
    };
    let of_service = |id| {
        let own = |event: &&ServiceCredentialEvent| event.service_credential_id() == id;
        ServiceCredentialState::fold(events.iter().filter_map(as_service).filter(own))
    };
    Folded {
        workspaces: (0..WORKSPACES).map(ws).map(of_workspace).collect(),
        keys: (0..KEYS).map(key_id).map(of_key).collect(),
        services: (0..SERVICES).map(svc).map(of_service).collect(),
    }
}

fn as_workspace(event: &Event) -> Option<&WorkspaceEvent> {
    let Event::Workspace(event) = event else {
        return None;
    };
    Some(event)
}

fn as_key(event: &Event) -> Option<&ApiKeyEvent> {
    let Event::ApiKey(event) = event else {
        return None;
    };
    Some(event)
}

fn as_service(event: &Event) -> Option<&ServiceCredentialEvent> {
    let Event::ServiceCredential(event) = event else {
        return None;
    };
    Some(event)
}

impl Folded {
    fn loaded(&self, keys_first: bool) -> Verifier {
        let verifier = Verifier::new(Brand::default());
        let load_keys = || {
            let present = self.keys.iter().filter_map(ApiKeyState::present);
            present.for_each(|key| verifier.load_key(key));
        };
        if keys_first {
            load_keys();
        }
        let present = self.workspaces.iter().filter_map(WorkspaceState::present);
        present.for_each(|workspace| verifier.load_workspace(workspace));
        if !keys_first {
            load_keys();
        }
        let present = self.services.iter().filter_map(ServiceCredentialState::present);
        present.for_each(|credential| verifier.load_service_credential(credential));
        verifier
    }

    /// The verdict by plain words over the folded states, for a question about nothing but time.
    fn naive(&self, text: &str, tenant: Option<WorkspaceId>) -> Verdict {
        let denied = Verdict::Denied;
        let present = self.keys.iter().filter_map(ApiKeyState::present);
        let presented = Presented::parse(text, &Brand::default()).unwrap();
        let matching = |key: &domain::api_key::ApiKey| {
            let one = key.credentials.iter().find(|one| one.record.kid == presented.kid)?;
            let binding = Binding {
                workspace: Some(key.workspace_id),
                resource: key.key_id.uuid(),
                kid: presented.kid,
                env: presented.env,
                kind: presented.kind,
            };
            let secret = presented.secret();
            let matches = check(&binding, secret, one.record.pepper, &one.record.digest);
            (matches && presented.env == key.settings.env).then(|| (key.clone(), one.clone()))
        };
        let Some((key, credential)) = present.into_iter().find_map(matching) else {
            return denied(Denial::NotFound);
        };
        let present = self.workspaces.iter().filter_map(WorkspaceState::present);
        let owner =
            |workspace: &&domain::workspace::Workspace| workspace.workspace_id == key.workspace_id;
        let Some(workspace) = present.into_iter().find(owner) else {
            return denied(Denial::NotFound);
        };
        if tenant.is_some_and(|tenant| tenant != key.workspace_id) {
            return denied(Denial::NotFound);
        }
        if let Some(revocation) = &key.revoked {
            let (at, reason) = (revocation.at.into(), revocation.reason);
            return denied(Denial::Revoked { at, reason });
        }
        if key.disabled_at.is_some() {
            return denied(Denial::Disabled);
        }
        if let Some(begin) = key.settings.not_before.filter(|&begin| at(100) < begin) {
            let not_before = begin.into();
            return denied(Denial::NotYetValid { not_before });
        }
        if let Some(end) = key.settings.expires_at.filter(|&end| end <= at(100)) {
            let expires_at = end.into();
            return denied(Denial::Expired { expires_at });
        }
        let over = |end: &Timestamp| credential.ended || *end <= at(100);
        if let Some(end) = credential.not_after.filter(over) {
            let not_after = end.into();
            return denied(Denial::RotatedOut { not_after });
        }
        if workspace.suspended.is_some() {
            return denied(Denial::WorkspaceSuspended);
        }
        match key.settings.ip_allowlist {
            Some(_) => denied(Denial::IpRequired),
            None if key.settings.domains.restrict() => denied(Denial::OriginRequired),
            None => Verdict::Accepted,
        }
    }
}

/// Every key text that any history could have made.
fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    for n in 0..=KEYS {
        for of in 0..WORKSPACES {
            for env in [Env::Live, Env::Test] {
                texts.push(key_in(n, ws(of), env).text().to_owned());
            }
        }
    }
    texts
}

fn caller_texts() -> Vec<String> {
    let tokens = (0..WORKSPACES).flat_map(|of| (0..TOKENS).map(move |n| (ws(of), n)));
    let tokens = tokens.map(|(id, n)| workspace_token(id, n).text);
    let services = (0..SERVICES).map(|n| service_credential(svc(n)).text);
    tokens.chain(services).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn following_and_loading_come_to_the_same_and_both_to_what_the_states_say(
        events in events(),
        keys_first: bool,
    ) {
        let folded = fold(&events);
        let (applied, loaded) = (following(&events), folded.loaded(keys_first));
        for text in texts().into_iter().chain(rotated_texts(&events)) {
            for tenant in [None, Some(ws(0)), Some(ws(1))] {
                let query = Query {
                    key: &text,
                    tenant: tenant.map_or(Tenant::Any, Tenant::One),
                    workspace_id: None,
                    envs: EnvSet::BOTH,
                    expected_key_id: None,
                    question: question(),
                };
                prop_assert_eq!(verdict(&applied, &query), Ok(folded.naive(&text, tenant)));
                prop_assert_eq!(
                    applied.verify(&query, check, spelled),
                    loaded.verify(&query, check, spelled)
                );
            }
        }
        for text in caller_texts() {
            let told = |verifier: &Verifier| format!("{:?}", verifier.caller(&text, check));
            prop_assert_eq!(told(&applied), told(&loaded));
        }
        for (id, state) in (0..SERVICES).map(svc).zip(&folded.services) {
            let told = |verifier: &Verifier| format!("{:?}", verifier.caller_by_identity(&identity(id)));
            prop_assert_eq!(told(&applied), told(&loaded));
            let live = state.present().filter(|one| one.revoked_at.is_none());
            let expected = live.is_some_and(|one| one.proof.identity().is_some());
            prop_assert_eq!(applied.caller_by_identity(&identity(id)).is_ok(), expected);
        }
        let live = |state: &WorkspaceState| state.present().map(|w| w.token.kid);
        for (of, state) in (0..WORKSPACES).zip(&folded.workspaces) {
            for n in 0..TOKENS {
                let token = workspace_token(ws(of), n);
                let expected = live(state) == Some(token.record.kid);
                prop_assert_eq!(applied.caller(&token.text, check).is_ok(), expected);
            }
        }
        prop_assert_eq!(applied.counts(), loaded.counts());
    }
}
