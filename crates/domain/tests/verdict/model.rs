//! Random keys and questions: the verdict, EXPLAIN and a naive model say the same.

use domain::Micros;
use domain::verdict::{Check, Denial, Outcome, Verdict, explain};
use proptest::prelude::*;

use crate::key::{Ask, FOUND, Key, REVOKED, verdict, with};

/// The rules of `verify.md` as one list, for the few entries, patterns and scopes that are drawn here.
fn naive(key: &Key, ask: &Ask) -> Vec<Option<Denial>> {
    let held = |code: &&&str| key.scopes.contains(*code);
    let mut missing: Vec<_> = ask.all_of.iter().filter(|code| !held(code)).copied().collect();
    if !ask.any_of.is_empty() && ask.any_of.iter().filter(held).count() == 0 {
        missing.extend(&ask.any_of);
    }
    let address_listed = |ip: &str| match ip {
        "10.1.2.3" | "::ffff:10.1.2.3" => ["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0"].as_slice(),
        "192.0.2.7" => &["0.0.0.0/0"],
        _ => &["2001:db8::/32"],
    };
    let origin_listed = |origin: &str| match origin {
        "https://example.com" => ["example.com"].as_slice(),
        "https://a.example.com" => &["*.example.com"],
        _ => &[],
    };
    let any = |held: &[&str], listed: &[&str]| held.iter().any(|entry| listed.contains(entry));
    let patterns = key.domains.as_ref().filter(|(patterns, _)| !patterns.is_empty());
    vec![
        key.revoked.then_some(Denial::Revoked { at: REVOKED.0, reason: REVOKED.1 }),
        key.disabled.then_some(Denial::Disabled),
        key.not_before
            .filter(|begin| begin.0 > ask.earliest.0)
            .map(|not_before| Denial::NotYetValid { not_before }),
        key.expires_at
            .filter(|end| end.0 <= ask.latest.0)
            .map(|expires_at| Denial::Expired { expires_at }),
        key.not_after
            .filter(|end| key.ended || end.0 <= ask.latest.0)
            .map(|not_after| Denial::RotatedOut { not_after }),
        key.suspended.then_some(Denial::WorkspaceSuspended),
        match (&key.entries, ask.client_ip) {
            (None, _) => None,
            (Some(_), None) => Some(Denial::IpRequired),
            (Some(entries), Some(ip)) => {
                (!any(entries, address_listed(ip))).then_some(Denial::IpNotAllowed)
            }
        },
        match (patterns, ask.origin) {
            (None, _) => None,
            (Some(_), None) => Some(Denial::OriginRequired),
            (Some((_, localhost)), Some("http://localhost")) => {
                (!localhost).then_some(Denial::OriginNotAllowed)
            }
            (Some((patterns, _)), Some(origin)) => {
                (!any(patterns, origin_listed(origin))).then_some(Denial::OriginNotAllowed)
            }
        },
        (!missing.is_empty()).then(|| Denial::InsufficientScope {
            missing: missing.into_iter().map(str::to_owned).collect(),
        }),
    ]
}

fn moment() -> impl Strategy<Value = Option<Micros>> {
    prop::option::of(prop_oneof![(998..=1_003_i64), any::<i64>()].prop_map(Micros))
}

fn some_of(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(from, 0..=from.len())
}

fn key() -> impl Strategy<Value = Key> {
    let rare = || prop::bool::weighted(0.1);
    let entries = some_of(&["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32"]);
    let patterns = some_of(&["example.com", "*.example.com", "example.org"]);
    (
        (rare(), rare(), rare(), rare()),
        (moment(), moment(), moment()),
        prop::option::of(entries),
        prop::option::of((patterns, any::<bool>())),
        some_of(&["read", "write", "admin"]),
    )
        .prop_map(
            |((revoked, disabled, suspended, ended), times, entries, domains, scopes)| Key {
                revoked,
                disabled,
                not_before: times.0,
                expires_at: times.1,
                not_after: times.2,
                ended,
                suspended,
                entries,
                domains,
                scopes,
            },
        )
}

fn ask() -> impl Strategy<Value = Ask> {
    let addresses = vec!["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"];
    let origins = vec!["https://example.com", "https://a.example.com", "http://localhost", "null"];
    (
        (999..=1_001_i64, 0..=2_i64),
        prop::option::of(prop::sample::select(addresses)),
        prop::option::of(prop::sample::select(origins)),
        some_of(&["read", "write", "missing"]),
        some_of(&["admin", "write", "other"]),
    )
        .prop_map(|((earliest, spread), client_ip, origin, all_of, any_of)| Ask {
            earliest: Micros(earliest),
            latest: Micros(earliest + spread),
            client_ip,
            origin,
            all_of,
            any_of,
        })
}

/// Whether there is anything for each check to look at.
fn present(key: &Key, ask: &Ask) -> [bool; 9] {
    [
        true,
        true,
        key.not_before.is_some(),
        key.expires_at.is_some(),
        key.not_after.is_some(),
        true,
        key.entries.is_some(),
        key.domains.as_ref().is_some_and(|(patterns, _)| !patterns.is_empty()),
        !(ask.all_of.is_empty() && ask.any_of.is_empty()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_verdict_is_the_first_failure_of_explain_and_of_a_naive_model(key in key(), ask in ask()) {
        let expected = naive(&key, &ask);
        let first = expected.iter().flatten().next().cloned();
        prop_assert_eq!(verdict(&key, &ask), first.map_or(Verdict::Accepted, Verdict::Denied));

        let checks = with(&key, &ask, explain);
        prop_assert_eq!(&checks[0], &(Check::Format, Outcome::Pass));
        prop_assert_eq!(&checks[1], &(Check::Lookup, Outcome::Pass));
        let outcomes = expected.into_iter().zip(present(&key, &ask)).map(|(denial, present)| {
            let passed = if present { Outcome::Pass } else { Outcome::Skipped };
            denial.map_or(passed, Outcome::Fail)
        });
        prop_assert_eq!(&checks[2..], &FOUND.into_iter().zip(outcomes).collect::<Vec<_>>()[..]);
    }
}
