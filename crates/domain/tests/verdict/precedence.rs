//! Of two failing checks the earlier one in the table of `verify.md` is answered.

use domain::Micros;
use domain::verdict::{Denial, Verdict};

use crate::key::{Ask, Key, NOW, REVOKED, verdict};

/// Makes one check fail.
type Fail = fn(&mut Key, &mut Ask);

/// One way to fail each check, in the order of precedence.
fn failures() -> Vec<(Denial, Fail)> {
    vec![
        (Denial::Revoked { at: REVOKED.0, reason: REVOKED.1 }, |key, _| key.revoked = true),
        (Denial::Disabled, |key, _| key.disabled = true),
        (Denial::NotYetValid { not_before: Micros(1_001) }, |key, _| {
            key.not_before = Some(Micros(1_001));
        }),
        (Denial::Expired { expires_at: NOW }, |key, _| key.expires_at = Some(NOW)),
        (Denial::RotatedOut { not_after: NOW }, |key, _| key.not_after = Some(NOW)),
        (Denial::WorkspaceSuspended, |key, _| key.suspended = true),
        (Denial::IpRequired, |key, _| key.entries = Some(vec!["10.0.0.0/8"])),
        (Denial::IpNotAllowed, |key, ask| {
            key.entries = Some(vec!["10.0.0.0/8"]);
            ask.client_ip = Some("192.0.2.7");
        }),
        (Denial::OriginRequired, |key, _| key.domains = Some((vec!["example.com"], false))),
        (Denial::OriginNotAllowed, |key, ask| {
            key.domains = Some((vec!["example.com"], false));
            ask.origin = Some("null");
        }),
        (Denial::InsufficientScope { missing: vec!["read".to_owned()] }, |_, ask| {
            ask.all_of = vec!["read"];
        }),
    ]
}

#[test]
fn of_two_failing_checks_the_earlier_one_is_answered() {
    let failures = failures();
    for (place, (denial, fail)) in failures.iter().enumerate() {
        let (mut key, mut ask) = (Key::default(), Ask::default());
        fail(&mut key, &mut ask);
        assert_eq!(verdict(&key, &ask), Verdict::Denied(denial.clone()));
        for (_, fail_later) in &failures[place + 1..] {
            let (mut key, mut ask) = (key.clone(), ask.clone());
            fail_later(&mut key, &mut ask);
            let answer = verdict(&key, &ask);
            // With an address given, IP_REQUIRED has become IP_NOT_ALLOWED; the same for origins.
            let expected = if *denial == Denial::IpRequired && ask.client_ip.is_some() {
                &Denial::IpNotAllowed
            } else if *denial == Denial::OriginRequired && ask.origin.is_some() {
                &Denial::OriginNotAllowed
            } else {
                denial
            };
            assert_eq!(answer, Verdict::Denied(expected.clone()));
        }
    }
}
