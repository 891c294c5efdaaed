//! Every verdict through the index: that each fact of a key reaches the rules, and that the secret is
//! checked once whatever the outcome.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests; what tests share is not seen as such"
)]

mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::api_key::{ApiKey, Credential, Settings};
use domain::verdict::{Check, Denial, Outcome, Question, Verdict};
use domain::{
    Binding, Brand, CredentialKind, DomainPattern, DomainRules, Env, Event, Labels, Network,
    Origin, PepperId, Presented, Principal, RevocationReason, ScopeSet,
};
use jiff::ToSpan;
use verifier::{EnvSet, Query, Verifier, Warning};
use world::*;

const ACCEPTED: Verdict = Verdict::Accepted;

fn denied(denial: Denial) -> Verdict {
    Verdict::Denied(denial)
}

/// What a key of these settings is told when asked this.
fn judged(set: impl FnOnce(&mut Settings), ask: impl FnOnce(&mut Question<'static>)) -> Verdict {
    let mut key = key(1, ws(1));
    set(&mut key.settings);
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    let mut question = question();
    ask(&mut question);
    let query = Query { question, ..query(key.text()) };
    verdict(&verifier, &query).unwrap()
}

/// What a key is told after these events.
fn judged_after(events: &[Event]) -> Verdict {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    for event in events {
        verifier.apply(event);
    }
    verdict(&verifier, &query(key.text())).unwrap()
}

#[test]
fn a_key_that_nothing_speaks_against_is_accepted() {
    assert_eq!(judged(|_| {}, |_| {}), ACCEPTED);
}

#[test]
fn what_is_no_credential_is_malformed_and_no_secret_is_checked() {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    let foreign_brand = key.text().replacen("kw", "xy", 1);
    let cut = &key.text()[..key.text().len() - 1];
    for text in ["", "kwk_live_", cut, &foreign_brand, &key.text().to_uppercase()] {
        let checked = |_: &_, _: &_, _, _: &_| -> bool { panic!("a secret was checked") };
        verifier.verify(&query(text), checked, |answer| {
            assert_eq!(answer.verdict, Ok(denied(Denial::Malformed)), "{text}");
            assert!(answer.key.is_none());
        });
    }
}

#[test]
fn a_revoked_key_is_denied_and_stays_in_the_index() {
    let expected = denied(Denial::Revoked { at: micros(1), reason: RevocationReason::Compromised });
    assert_eq!(judged_after(&[revoked(key_id(1))]), expected);
    let revoked_and_switched = [disabled(key_id(1)), revoked(key_id(1)), enabled(key_id(1))];
    assert_eq!(judged_after(&revoked_and_switched), expected);
}

#[test]
fn a_disabled_key_is_denied_until_it_is_enabled() {
    let off = disabled(key_id(1));
    assert_eq!(judged_after(std::slice::from_ref(&off)), denied(Denial::Disabled));
    assert_eq!(judged_after(&[off, enabled(key_id(1))]), ACCEPTED);
}

#[test]
fn a_key_is_denied_before_it_begins_and_from_its_end_on() {
    let not_before = |settings: &mut Settings| settings.not_before = Some(at(100));
    let begins = denied(Denial::NotYetValid { not_before: micros(100) });
    assert_eq!(judged(not_before, |q| q.earliest = micros(99)), begins);
    assert_eq!(judged(not_before, |q| q.earliest = micros(100)), ACCEPTED);
    let expires_at = |settings: &mut Settings| settings.expires_at = Some(at(100));
    let ended = denied(Denial::Expired { expires_at: micros(100) });
    assert_eq!(judged(expires_at, |q| q.latest = micros(99)), ACCEPTED);
    assert_eq!(judged(expires_at, |q| q.latest = micros(100)), ended);
}

#[test]
fn all_keys_of_a_suspended_workspace_are_denied_and_those_of_others_are_not() {
    let keys: Vec<Key> = (0..20).map(|n| key(n, ws(n % 2))).collect();
    let verifier = following(&[workspace_created(ws(0)), workspace_created(ws(1))]);
    keys.iter().for_each(|key| verifier.apply(&key.created()));
    verifier.apply(&suspended(ws(1)));
    for key in &keys {
        let expected = match key.workspace_id == ws(1) {
            true => denied(Denial::WorkspaceSuspended),
            false => ACCEPTED,
        };
        assert_eq!(verdict(&verifier, &query(key.text())), Ok(expected));
    }
    verifier.apply(&resumed(ws(1)));
    for key in &keys {
        assert_eq!(verdict(&verifier, &query(key.text())), Ok(ACCEPTED));
    }
}

#[test]
fn a_restricted_key_needs_an_address_on_its_list_and_an_empty_list_has_none() {
    let network = |text| Network::parse(text, false).unwrap();
    let listed = |s: &mut Settings| s.ip_allowlist = Some(vec![network("192.0.2.0/24")]);
    let inside = Some("192.0.2.7".parse().unwrap());
    let outside = Some("198.51.100.7".parse().unwrap());
    assert_eq!(judged(listed, |q| q.client_ip = inside), ACCEPTED);
    let not_allowed = denied(Denial::IpNotAllowed);
    assert_eq!(judged(listed, |q| q.client_ip = outside), not_allowed);
    assert_eq!(judged(listed, |_| {}), denied(Denial::IpRequired));
    let nowhere = |s: &mut Settings| s.ip_allowlist = Some(Vec::new());
    assert_eq!(judged(nowhere, |q| q.client_ip = inside), not_allowed);
}

#[test]
fn a_key_bound_to_domains_needs_an_origin_among_them() {
    static INSIDE: Origin = Origin::Localhost;
    static OUTSIDE: Origin = Origin::Opaque;
    let bound = |settings: &mut Settings| {
        settings.domains = DomainRules {
            patterns: vec![DomainPattern::parse("example.com").unwrap()],
            allow_localhost: true,
        };
    };
    assert_eq!(judged(bound, |q| q.origin = Some(&INSIDE)), ACCEPTED);
    let not_allowed = denied(Denial::OriginNotAllowed);
    assert_eq!(judged(bound, |q| q.origin = Some(&OUTSIDE)), not_allowed);
    assert_eq!(judged(bound, |_| {}), denied(Denial::OriginRequired));
}

#[test]
fn scopes_that_are_not_held_are_listed() {
    let missing = |codes: &[&str]| {
        denied(Denial::InsufficientScope {
            missing: codes.iter().map(|&code| code.to_owned()).collect(),
        })
    };
    assert_eq!(judged(|_| {}, |q| q.all_of = &["read"]), ACCEPTED);
    let asked = judged(|_| {}, |q| q.all_of = &["read", "write"]);
    assert_eq!(asked, missing(&["write"]));
    let none = |settings: &mut Settings| settings.scopes = ScopeSet::default();
    assert_eq!(judged(none, |q| q.any_of = &["read"]), missing(&["read"]));
}

/// A key on its second credential; the first has its grace until second 200.
fn rotated() -> (ApiKey, Minted, Minted) {
    let first = key(1, ws(1));
    let resource = first.key_id.uuid();
    let kind = CredentialKind::ApiKey;
    let second = mint(2, kind, Env::Live, Some(ws(1)), resource);
    let credential = |minted: &Minted, generation, not_after| Credential {
        record: minted.record.clone(),
        generation,
        created_at: at(0),
        not_after,
        ended: false,
    };
    let mut api_key = first.folded();
    api_key.credentials =
        vec![credential(&first.credential, 1, Some(at(200))), credential(&second, 2, None)];
    (api_key, first.credential, second)
}

#[test]
fn an_older_credential_passes_until_its_grace_ends_and_the_newer_one_goes_on() {
    let (api_key, first, second) = rotated();
    let verifier = following(&[workspace_created(ws(1))]);
    verifier.load_key(&api_key);
    let counts = verifier.counts();
    assert_eq!((counts.keys, counts.credentials), (1, 2));
    for (minted, generation, in_grace) in [(&first, 1, true), (&second, 2, false)] {
        verifier.verify(&query(&minted.text), check, |answer| {
            assert_eq!(answer.verdict, Ok(ACCEPTED));
            let view = answer.key.unwrap();
            assert_eq!((view.generation, view.kid), (generation, minted.record.kid));
            assert_eq!(view.grace_until, in_grace.then(|| micros(200)));
            assert_eq!(answer.warnings.contains(Warning::InRotationGrace), in_grace);
        });
    }
    let later = |text| {
        let mut query = query(text);
        query.question.latest = micros(200);
        verdict(&verifier, &query)
    };
    let rotated_out = denied(Denial::RotatedOut { not_after: micros(200) });
    assert_eq!(later(&first.text), Ok(rotated_out));
    assert_eq!(later(&second.text), Ok(ACCEPTED));
}

#[test]
fn a_revocation_ends_every_credential_of_the_key() {
    let (api_key, first, second) = rotated();
    let verifier = following(&[workspace_created(ws(1))]);
    verifier.load_key(&api_key);
    verifier.apply(&revoked(api_key.key_id));
    let expected = denied(Denial::Revoked { at: micros(1), reason: RevocationReason::Compromised });
    for minted in [first, second] {
        let told = verdict(&verifier, &query(&minted.text));
        assert_eq!(told, Ok(expected.clone()));
    }
}

#[test]
fn loading_a_key_again_drops_the_credentials_that_it_no_longer_has() {
    let (mut api_key, first, second) = rotated();
    let verifier = following(&[workspace_created(ws(1))]);
    verifier.load_key(&api_key);
    api_key.credentials.remove(0);
    verifier.load_key(&api_key);
    let told = verdict(&verifier, &query(&first.text));
    assert_eq!(told, Ok(denied(Denial::NotFound)));
    let told = verdict(&verifier, &query(&second.text));
    assert_eq!(told, Ok(ACCEPTED));
    let counts = verifier.counts();
    assert_eq!((counts.keys, counts.credentials), (1, 1));
}

#[test]
fn the_answer_shows_the_key_as_it_was_set() {
    let mut key = key_in(1, ws(1), Env::Test);
    let labels = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
    key.settings.metadata = Labels::new(labels).unwrap();
    key.settings.owner.principal = Some(Principal::user("u-1").unwrap());
    key.settings.expires_at = Some(at(5_000));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    verifier.verify(&query(key.text()), check, |answer| {
        let view = answer.key.unwrap();
        assert_eq!((view.key_id, view.workspace_id), (key.key_id, ws(1)));
        assert_eq!((view.name, view.env), ("key number 1", Env::Test));
        assert_eq!(view.kid, key.credential.record.kid);
        assert_eq!((view.generation, view.grace_until), (1, None));
        assert_eq!(view.scopes, &key.settings.scopes);
        assert_eq!(view.principal, key.settings.owner.principal.as_ref());
        assert_eq!(view.expires_at, Some(micros(5_000)));
        assert_eq!(view.metadata, Some(&key.settings.metadata));
    });
}

#[test]
fn accepted_keys_near_their_end_or_open_to_any_address_are_warned_of() {
    let warned = |set: &dyn Fn(&mut Settings)| {
        let mut key = key(1, ws(1));
        set(&mut key.settings);
        let verifier = following(&[workspace_created(ws(1)), key.created()]);
        let mut query = query(key.text());
        query.question.client_ip = Some("192.0.2.7".parse().unwrap());
        verifier.verify(&query, check, |answer| answer.warnings.iter().collect::<Vec<_>>())
    };
    assert_eq!(warned(&|_| {}), [Warning::UnrestrictedIp]);
    let restrict = |settings: &mut Settings| {
        settings.ip_allowlist = Some(vec![Network::parse("192.0.2.7", false).unwrap()]);
    };
    assert_eq!(warned(&restrict), []);
    let week = at(100) + 168.hours();
    let ending_at = |end| {
        warned(&move |settings| {
            restrict(settings);
            settings.expires_at = Some(end);
        })
    };
    assert_eq!(ending_at(week), [Warning::ExpiresSoon]);
    assert_eq!(ending_at(week + 1.microsecond()), []);
    assert_eq!(ending_at(at(100)), [], "a denied key was warned of");
}

#[test]
fn explain_lists_every_check_and_its_first_failure_is_the_verdict() {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    verifier.apply(&suspended(ws(1)));
    verifier.apply(&disabled(key.key_id));
    let explained = |query: &Query<'_>| {
        verifier.explain(query, check, |answer, checks| {
            (answer.verdict.clone(), answer.key.is_some(), checks)
        })
    };
    let (told, shown, checks) = explained(&query(key.text()));
    assert_eq!((told, shown), (Ok(denied(Denial::Disabled)), true));
    let failed: Vec<Check> = checks
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Fail(_)))
        .map(|&(check, _)| check)
        .collect();
    assert_eq!(failed, [Check::Disabled, Check::Workspace]);
    let mut unseen = query(key.text());
    unseen.envs = EnvSet::EMPTY;
    let (told, shown, checks) = explained(&unseen);
    assert_eq!((told, shown), (Ok(denied(Denial::NotFound)), false));
    assert_eq!(checks[1], (Check::Lookup, Outcome::Fail(Denial::NotFound)));
    let (told, _, checks) = explained(&query("nonsense"));
    assert_eq!(told, Ok(denied(Denial::Malformed)));
    assert_eq!(checks[0], (Check::Format, Outcome::Fail(Denial::Malformed)));
}

#[test]
fn what_is_kept_is_answered_as_it_was_found_whatever_becomes_of_the_key() {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    for query in [query(key.text()), query("nonsense"), query(self::key(2, ws(1)).text())] {
        let kept = verifier.keep(&query, check);
        let alone = verifier.verify(&query, check, |answer| format!("{answer:?}"));
        let explained =
            verifier.explain(&query, check, |answer, checks| format!("{answer:?} {checks:?}"));
        verifier.apply(&disabled(key.key_id));
        verifier.apply(&suspended(ws(1)));
        assert_eq!(kept.verify(&query, |answer| format!("{answer:?}")), alone);
        let told = kept.explain(&query, |answer, checks| format!("{answer:?} {checks:?}"));
        assert_eq!(told, explained);
    }
    let now = verifier.keep(&query(key.text()), check);
    let told = now.verify(&query(key.text()), |answer| answer.verdict.clone());
    assert_eq!(told, Ok(denied(Denial::Disabled)));
}

#[test]
fn the_secret_is_checked_exactly_once_whatever_becomes_of_the_question() {
    let (found, unknown, foreign) = (key(1, ws(1)), key(2, ws(1)), key(3, ws(2)));
    let verifier: Verifier = following(&[workspace_created(ws(1)), workspace_created(ws(2))]);
    verifier.apply(&found.created());
    verifier.apply(&foreign.created());
    let token = workspace_token(ws(1), 0);
    let mut unseen = query(found.text());
    unseen.envs = EnvSet::EMPTY;
    let texts = [found.text(), unknown.text(), foreign.text(), &token.text];
    for query in texts.into_iter().map(query).chain([unseen]) {
        let calls = RefCell::new(Vec::new());
        let counted = |binding: &Binding, secret: &_, pepper, digest: &_| {
            calls.borrow_mut().push((*binding, pepper));
            check(binding, secret, pepper, digest)
        };
        verifier.verify(&query, counted, |_| {});
        let [(binding, pepper)] = calls.into_inner()[..] else {
            panic!("not one check of {}", query.key);
        };
        let presented = Presented::parse(query.key, &Brand::default()).unwrap();
        assert_eq!((binding.kid, binding.env), (presented.kid, presented.env));
        let held = [found.text(), foreign.text()].contains(&query.key);
        assert_eq!(pepper, PepperId(u16::from(held)));
    }
}

#[test]
fn a_rotation_without_grace_ends_the_old_credential_on_a_verifier_whose_clock_is_behind() {
    let first = key(1, ws(1));
    let second = mint(2, CredentialKind::ApiKey, Env::Live, Some(ws(1)), first.key_id.uuid());
    let verifier = following(&[
        workspace_created(ws(1)),
        first.created(),
        world::rotated(first.key_id, &second, 1),
    ]);
    let behind = |text| {
        let mut query = query(text);
        (query.question.earliest, query.question.latest) = (micros(0), micros(0));
        verdict(&verifier, &query)
    };
    assert_eq!(behind(first.text()), Ok(denied(Denial::RotatedOut { not_after: micros(1) })));
    assert_eq!(behind(&second.text), Ok(ACCEPTED));
    assert_eq!((verifier.counts().keys, verifier.counts().credentials), (1, 2));
}

#[test]
fn a_grace_that_is_ended_early_is_over_on_a_verifier_whose_clock_is_behind() {
    let first = key(1, ws(1));
    let second = mint(2, CredentialKind::ApiKey, Env::Live, Some(ws(1)), first.key_id.uuid());
    let verifier = following(&[
        workspace_created(ws(1)),
        first.created(),
        world::rotated(first.key_id, &second, 150),
    ]);
    assert_eq!(verdict(&verifier, &query(first.text())), Ok(ACCEPTED));
    verifier.apply(&grace_ended(first.key_id, 101));
    let rotated_out = denied(Denial::RotatedOut { not_after: micros(101) });
    assert_eq!(verdict(&verifier, &query(first.text())), Ok(rotated_out));
    assert_eq!(verdict(&verifier, &query(&second.text)), Ok(ACCEPTED));
}
