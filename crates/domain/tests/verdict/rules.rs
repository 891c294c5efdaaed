//! Each check at its boundaries, and the two opposite empties.

use domain::Micros;
use domain::verdict::{Check, Denial, Outcome, Verdict, explain_unknown};

use crate::key::{Ask, FOUND, Key, verdict};

#[test]
fn a_key_with_nothing_set_passes_for_nothing() {
    assert_eq!(verdict(&Key::default(), &Ask::default()), Verdict::Accepted);
}

#[test]
fn no_scopes_is_no_access() {
    let key = Key::default();
    let insufficient = |missing: &[&str]| {
        Verdict::Denied(Denial::InsufficientScope {
            missing: missing.iter().map(|&code| code.to_owned()).collect(),
        })
    };
    let asked = |all_of: &[&'static str], any_of: &[&'static str]| Ask {
        all_of: all_of.to_vec(),
        any_of: any_of.to_vec(),
        ..Ask::default()
    };
    assert_eq!(verdict(&key, &asked(&[], &[])), Verdict::Accepted);
    assert_eq!(verdict(&key, &asked(&["read"], &[])), insufficient(&["read"]));
    assert_eq!(verdict(&key, &asked(&[], &["a", "b"])), insufficient(&["a", "b"]));
    assert_eq!(verdict(&key, &asked(&["x"], &["a", "b"])), insufficient(&["x", "a", "b"]));

    let holds = Key { scopes: vec!["a", "read"], ..Key::default() };
    assert_eq!(verdict(&holds, &asked(&["read"], &["a", "b"])), Verdict::Accepted);
    assert_eq!(verdict(&holds, &asked(&["read", "x"], &["a", "b"])), insufficient(&["x"]));
    assert_eq!(verdict(&holds, &asked(&["read"], &["b"])), insufficient(&["b"]));
}

#[test]
fn a_scope_is_held_whole_or_not_at_all() {
    let key = Key { scopes: vec!["*", "payment:*", "read"], ..Key::default() };
    for code in ["write", "payment:read", "payment", "rea", "read:x", "READ", "", " read"] {
        let ask = Ask { all_of: vec![code], ..Ask::default() };
        assert!(matches!(verdict(&key, &ask), Verdict::Denied(_)), "{code:?}");
    }
    for code in ["*", "payment:*", "read"] {
        let ask = Ask { all_of: vec![code, code], ..Ask::default() };
        assert_eq!(verdict(&key, &ask), Verdict::Accepted);
    }
}

#[test]
fn no_list_is_from_anywhere_and_an_empty_list_is_from_nowhere() {
    for client_ip in [None, Some("10.1.2.3"), Some("2001:db8::1")] {
        let ask = Ask { client_ip, ..Ask::default() };
        assert_eq!(verdict(&Key::default(), &ask), Verdict::Accepted);
        let emptied = Key { entries: Some(vec![]), ..Key::default() };
        let denial = if client_ip.is_some() { Denial::IpNotAllowed } else { Denial::IpRequired };
        assert_eq!(verdict(&emptied, &ask), Verdict::Denied(denial));
    }
}

#[test]
fn rules_without_a_pattern_restrict_no_origin() {
    for domains in [None, Some((vec![], false)), Some((vec![], true))] {
        for origin in [None, Some("null"), Some("https://example.com")] {
            let key = Key { domains: domains.clone(), ..Key::default() };
            assert_eq!(verdict(&key, &Ask { origin, ..Ask::default() }), Verdict::Accepted);
        }
    }
}

#[test]
fn a_key_is_valid_from_its_beginning_until_just_before_its_end() {
    let at = |second| Ask { earliest: Micros(second), latest: Micros(second), ..Ask::default() };
    let key = Key { not_before: Some(Micros(10)), expires_at: Some(Micros(20)), ..Key::default() };
    let early = Verdict::Denied(Denial::NotYetValid { not_before: Micros(10) });
    let late = Verdict::Denied(Denial::Expired { expires_at: Micros(20) });
    assert_eq!(verdict(&key, &at(9)), early);
    assert_eq!(verdict(&key, &at(10)), Verdict::Accepted);
    assert_eq!(verdict(&key, &at(19)), Verdict::Accepted);
    assert_eq!(verdict(&key, &at(20)), late);

    let graced = Key { not_after: Some(Micros(20)), ..Key::default() };
    assert_eq!(verdict(&graced, &at(19)), Verdict::Accepted);
    assert_eq!(
        verdict(&graced, &at(20)),
        Verdict::Denied(Denial::RotatedOut { not_after: Micros(20) })
    );
    for extreme in [i64::MIN, i64::MAX] {
        assert!(matches!(verdict(&key, &at(extreme)), Verdict::Denied(_)));
    }
}

#[test]
fn when_the_moment_is_uncertain_the_key_is_denied_at_both_ends() {
    let unsure = Ask { earliest: Micros(8), latest: Micros(12), ..Ask::default() };
    let begins = Key { not_before: Some(Micros(10)), ..Key::default() };
    let ends = Key { expires_at: Some(Micros(10)), ..Key::default() };
    let graced = Key { not_after: Some(Micros(10)), ..Key::default() };
    for key in [begins, ends, graced] {
        assert!(matches!(verdict(&key, &unsure), Verdict::Denied(_)), "{key:?}");
    }
}

#[test]
fn what_was_not_found_skips_all_that_rests_on_it() {
    for (well_formed, first) in [
        (
            false,
            [(Check::Format, Outcome::Fail(Denial::Malformed)), (Check::Lookup, Outcome::Skipped)],
        ),
        (true, [(Check::Format, Outcome::Pass), (Check::Lookup, Outcome::Fail(Denial::NotFound))]),
    ] {
        let skipped = FOUND.map(|check| (check, Outcome::Skipped));
        let expected: Vec<_> = first.into_iter().chain(skipped).collect();
        assert_eq!(explain_unknown(well_formed), expected);
    }
}

#[test]
fn a_credential_that_was_ended_is_denied_on_every_clock_also_on_one_that_is_behind() {
    let ended = Key { not_after: Some(Micros(10)), ended: true, ..Key::default() };
    for now in [i64::MIN, 0, 9, 10, i64::MAX] {
        let ask = Ask { earliest: Micros(now), latest: Micros(now), ..Ask::default() };
        let denial = Denial::RotatedOut { not_after: Micros(10) };
        assert_eq!(verdict(&ended, &ask), Verdict::Denied(denial));
    }
}
