//! Changing what is set: one event a thing, none for what is so already, and what narrows a key.

use super::*;
use crate::api_key::{
    AddressesChanged, Changes, DomainsChanged, MetadataChanged, OwnerChanged, Redescribed, Renamed,
    ScopesChanged, ValidityChanged,
};
use crate::{DomainPattern, Network, Principal};

fn update(changes: Changes, second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Update { changes: Box::new(changes), now: at(second) }
}

fn scopes(codes: &[&str]) -> ScopeSet {
    ScopeSet::new(codes.iter().map(|code| code.parse().expect("a scope"))).expect("few scopes")
}

fn networks(entries: &[&str]) -> Vec<Network> {
    entries.iter().map(|text| Network::parse(text, false).expect("a network")).collect()
}

fn patterns(entries: &[&str]) -> Vec<DomainPattern> {
    entries.iter().map(|text| DomainPattern::parse(text).expect("a domain")).collect()
}

fn addresses_changed(list: Option<&[&str]>, second: i64) -> ApiKeyEvent {
    let ip_allowlist = list.map(networks);
    ApiKeyEvent::AddressesChanged(AddressesChanged {
        key_id: key_id(),
        ip_allowlist,
        at: at(second),
    })
}

#[test]
fn each_thing_that_becomes_different_is_an_event_of_its_own() {
    let labels = Labels::new([("team".to_owned(), "web".to_owned())].into()).expect("labels");
    let principal = Principal::user("user-1").expect("a principal");
    let changes = Changes {
        name: Some(name("other")),
        description: Some(Description::new("why").expect("a description")),
        principal: Some(Some(principal.clone())),
        email: None,
        scopes: Some(scopes(&["read"])),
        ip_allowlist: Some(Some(networks(&["10.0.0.0/8"]))),
        domains: Some(patterns(&["example.com"])),
        allow_localhost: Some(true),
        not_before: Some(Some(at(-1))),
        expires_at: Some(Some(at(100))),
        metadata: Some(labels.clone()),
    };
    let (key_id, at) = (key_id(), at(3));
    let owner = Owner { principal: Some(principal), email: None };
    let domains = DomainRules { patterns: patterns(&["example.com"]), allow_localhost: true };
    let state = given([created()]).when(update(changes, 3)).then([
        ApiKeyEvent::Renamed(Renamed { key_id, name: name("other"), at }),
        ApiKeyEvent::Redescribed(Redescribed {
            key_id,
            description: Description::new("why").expect("a description"),
            at,
        }),
        ApiKeyEvent::OwnerChanged(Box::new(OwnerChanged { key_id, owner: owner.clone(), at })),
        ApiKeyEvent::ScopesChanged(ScopesChanged { key_id, scopes: scopes(&["read"]), at }),
        addresses_changed(Some(&["10.0.0.0/8"]), 3),
        ApiKeyEvent::DomainsChanged(DomainsChanged { key_id, domains: domains.clone(), at }),
        ApiKeyEvent::ValidityChanged(ValidityChanged {
            key_id,
            not_before: Some(super::at(-1)),
            expires_at: Some(super::at(100)),
            at,
        }),
        ApiKeyEvent::MetadataChanged(MetadataChanged { key_id, metadata: labels.clone(), at }),
    ]);
    let key = state.present().expect("a key");
    let expected = Settings {
        name: name("other"),
        env: Env::Live,
        owner,
        description: Description::new("why").expect("a description"),
        scopes: scopes(&["read"]),
        ip_allowlist: Some(networks(&["10.0.0.0/8"])),
        domains,
        not_before: Some(super::at(-1)),
        expires_at: Some(super::at(100)),
        metadata: labels,
    };
    assert_eq!((&key.settings, key.updated_at), (&expected, at));
}

#[test]
fn what_is_so_already_is_no_event() {
    let same = Changes {
        name: Some(name("checkout")),
        scopes: Some(ScopeSet::default()),
        ip_allowlist: Some(None),
        expires_at: Some(None),
        ..Changes::default()
    };
    given([created()]).when(update(same, 3)).then_nothing();
    given([created()]).when(update(Changes::default(), 3)).then_nothing();
}

#[test]
fn an_empty_address_list_shuts_a_restricted_key_and_leaves_an_unrestricted_one_open() {
    let emptied = || Changes { ip_allowlist: Some(Some(vec![])), ..Changes::default() };
    given([created()]).when(update(emptied(), 3)).then_nothing();
    let restricted = addresses_changed(Some(&["192.0.2.7"]), 1);
    let state = given([created(), restricted.clone()])
        .when(update(emptied(), 3))
        .then([addresses_changed(Some(&[]), 3)]);
    assert_eq!(state.present().expect("a key").settings.ip_allowlist, Some(vec![]));
    // Only said in so many words does it become unrestricted.
    let opened = Changes { ip_allowlist: Some(None), ..Changes::default() };
    given([created(), restricted]).when(update(opened, 3)).then([addresses_changed(None, 3)]);
}

#[test]
fn an_end_must_be_ahead_and_behind_the_beginning_when_it_is_changed() {
    let ends = |end| Changes { expires_at: Some(Some(at(end))), ..Changes::default() };
    let begins = |begin| Changes { not_before: Some(Some(at(begin))), ..Changes::default() };
    given([created()]).when(update(ends(3), 3)).then_rejected(Rejection::AlreadyExpired);
    let bounded = || created_with(settings(Some(at(5)), Some(at(10))));
    given([bounded()]).when(update(ends(5), 3)).then_rejected(Rejection::EndsBeforeItBegins);
    given([bounded()]).when(update(begins(10), 3)).then_rejected(Rejection::EndsBeforeItBegins);
    // An expired key can be renamed, and given another end.
    let renamed = Changes { name: Some(name("other")), ..Changes::default() };
    let event = Renamed { key_id: key_id(), name: name("other"), at: at(20) };
    given([bounded()]).when(update(renamed, 20)).then([ApiKeyEvent::Renamed(event)]);
    let longer = ValidityChanged {
        key_id: key_id(),
        not_before: Some(at(5)),
        expires_at: Some(at(30)),
        at: at(20),
    };
    given([bounded()]).when(update(ends(30), 20)).then([ApiKeyEvent::ValidityChanged(longer)]);
}

#[test]
fn a_revoked_key_can_not_be_changed() {
    let renamed = Changes { name: Some(name("other")), ..Changes::default() };
    given([created(), revoked(1)]).when(update(renamed, 2)).then_rejected(Rejection::KeyRevoked);
}

/// What [`Settings::narrower_than`] says of a change from `before` to `after`.
fn narrows(before: impl Fn(&mut Settings), after: impl Fn(&mut Settings)) -> bool {
    let (mut old, mut new) = (settings(None, None), settings(None, None));
    before(&mut old);
    after(&mut new);
    new.narrower_than(&old)
}

#[test]
fn what_takes_something_away_is_narrower_and_what_only_gives_is_not() {
    let hold = |codes: &'static [&str]| move |key: &mut Settings| key.scopes = scopes(codes);
    assert!(narrows(hold(&["a", "b"]), hold(&["b", "c"])));
    assert!(!narrows(hold(&["a"]), hold(&["a", "b"])));

    let from = |list: Option<&'static [&str]>| {
        move |key: &mut Settings| key.ip_allowlist = list.map(networks)
    };
    assert!(narrows(from(None), from(Some(&["10.0.0.0/8"]))));
    assert!(narrows(from(Some(&["10.0.0.0/8", "192.0.2.7"])), from(Some(&["192.0.2.7"]))));
    assert!(narrows(from(Some(&["192.0.2.7"])), from(Some(&[]))));
    assert!(!narrows(from(Some(&["192.0.2.7"])), from(Some(&["192.0.2.7", "10.0.0.0/8"]))));
    assert!(!narrows(from(Some(&[])), from(None)));

    let origins = |list: &'static [&str], allow_localhost| {
        move |key: &mut Settings| {
            key.domains = DomainRules { patterns: patterns(list), allow_localhost };
        }
    };
    assert!(narrows(origins(&[], false), origins(&["example.com"], false)));
    assert!(narrows(origins(&["example.com"], true), origins(&["example.com"], false)));
    assert!(narrows(origins(&["example.com", "a.example"], true), origins(&["a.example"], true)));
    assert!(!narrows(origins(&["example.com"], false), origins(&[], false)));
    assert!(!narrows(origins(&["a.example"], false), origins(&["example.com", "a.example"], true)));

    let ends = |second: Option<i64>| move |key: &mut Settings| key.expires_at = second.map(at);
    assert!(narrows(ends(None), ends(Some(9))));
    assert!(narrows(ends(Some(9)), ends(Some(8))));
    assert!(!narrows(ends(Some(8)), ends(Some(9))));
    assert!(!narrows(ends(Some(8)), ends(None)));

    let begins = |second: Option<i64>| move |key: &mut Settings| key.not_before = second.map(at);
    assert!(narrows(begins(None), begins(Some(9))));
    assert!(narrows(begins(Some(8)), begins(Some(9))));
    assert!(!narrows(begins(Some(9)), begins(None)));
}
