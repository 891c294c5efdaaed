//! Histories made by hand, one for each way to break a promise, and beside it the one that keeps it.

use std::time::Duration;

use api::v1::Denial;

use super::{Rule, check};
use crate::history::{
    Answer, Asked, Change, History, Incident, Key, Made, Outcome, Secret, Span, Subject, Written,
};

const LEASE: u64 = 500;

const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn span(start: u64, end: u64) -> Span {
    Span { start: ms(start), end: ms(end) }
}

/// A history of one key, acknowledged at 10 ms at position 1.
fn begun() -> History {
    let key = Key { workspace: 0, name: "a".to_owned() };
    let mut history = History { lease: ms(LEASE), keys: vec![key], ..History::default() };
    history.written.push(write(Change::Create, (0, 10), 1, false));
    history
}

fn write(change: Change, (start, end): (u64, u64), position: u64, everywhere: bool) -> Written {
    let subject = match change {
        Change::Suspend | Change::Resume => Subject::Workspace(0),
        Change::Create | Change::Disable | Change::Enable | Change::Revoke | Change::Rotate => {
            Subject::Key(0)
        }
    };
    let outcome = Outcome::Acknowledged { position, everywhere };
    let (took, barrier) = (ms(0), None);
    Written { subject, change, span: span(start, end), outcome, took, barrier, fenced: 0 }
}

/// A verdict of replica 0, as of a moment ago.
fn verdict((start, end): (u64, u64), denial: Denial, position: u64) -> Asked {
    let name = if denial == Denial::NotFound { "" } else { "a" }.to_owned();
    let answer = Answer::Verdict { denial, name, position, staleness: ms(100) };
    Asked { replica: 0, secret: Secret::Of(0), at_least: None, span: span(start, end), answer }
}

fn broken(history: &History) -> Vec<Rule> {
    check(history).into_iter().map(|violation| violation.rule).collect()
}

const ACCEPTED: Denial = Denial::Unspecified;

#[test]
fn an_accept_that_begins_after_the_barrier_is_found_and_one_that_began_before_is_not() {
    let mut history = begun();
    history.written.push(write(Change::Revoke, (100, 200), 2, true));
    history.asked.push(verdict((199, 300), ACCEPTED, 1));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((201, 300), ACCEPTED, 1));
    assert_eq!(broken(&history), [Rule::AfterTheBarrier]);
}

#[test]
fn without_a_wait_an_accept_may_be_as_old_as_it_says_and_no_older() {
    let mut history = begun();
    history.written.push(write(Change::Revoke, (100, 200), 2, false));
    history.asked.push(verdict((299, 310), ACCEPTED, 1));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((301, 310), ACCEPTED, 1));
    assert_eq!(broken(&history), [Rule::WithinTheBound, Rule::WithinTheBound]);
}

#[test]
fn a_verdict_of_a_position_has_seen_what_is_at_that_position() {
    let mut history = begun();
    history.written.push(write(Change::Revoke, (100, 200), 2, false));
    history.asked.push(verdict((210, 220), ACCEPTED, 2));
    assert_eq!(broken(&history), [Rule::ReadsItsPosition]);
}

#[test]
fn a_token_is_heeded() {
    let mut history = begun();
    history.asked.push(Asked { at_least: Some(1), ..verdict((11, 20), Denial::NotFound, 1) });
    assert_eq!(broken(&history), [Rule::ReadsItsPosition]);
    let mut history = begun();
    history.asked.push(Asked { at_least: Some(2), ..verdict((11, 20), ACCEPTED, 1) });
    assert_eq!(broken(&history), [Rule::ReadsItsPosition]);
}

#[test]
fn a_key_that_is_not_known_in_time_is_found() {
    let mut history = begun();
    history.asked.push(verdict((60, 70), Denial::NotFound, 0));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((120, 130), Denial::NotFound, 1));
    assert_eq!(broken(&history), [Rule::WithinTheBound]);
}

#[test]
fn a_secret_that_was_never_created_is_not_found() {
    let mut history = begun();
    let never = |denial| Asked { secret: Secret::Never, ..verdict((20, 30), denial, 1) };
    history.asked.push(never(Denial::NotFound));
    assert_eq!(broken(&history), []);
    history.asked.push(never(ACCEPTED));
    history.asked.push(never(Denial::Revoked));
    assert_eq!(broken(&history), [Rule::OnlyCreatedSecrets; 2]);
}

#[test]
fn a_key_that_is_taken_for_another_is_found() {
    let mut history = begun();
    history.keys[0].name = "b".to_owned();
    history.asked.push(verdict((20, 30), ACCEPTED, 1));
    assert_eq!(broken(&history), [Rule::OnlyCreatedSecrets]);
}

#[test]
fn a_position_never_falls_on_one_replica_but_may_differ_between_two_and_after_a_failover() {
    let mut history = begun();
    history.asked.push(verdict((20, 30), ACCEPTED, 9));
    history.asked.push(Asked { replica: 1, ..verdict((31, 40), ACCEPTED, 8) });
    history.asked.push(verdict((29, 40), ACCEPTED, 8));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((31, 40), ACCEPTED, 8));
    assert_eq!(broken(&history), [Rule::Monotonic]);
    let what = "failover".to_owned();
    history.asked.pop();
    history.incidents.push(Incident { span: span(35, 50), what, failover: true });
    history.asked.push(verdict((51, 60), ACCEPTED, 8));
    assert_eq!(broken(&history), []);
}

#[test]
fn what_one_replica_showed_the_others_know_a_bound_later() {
    let mut history = begun();
    history.asked.push(verdict((20, 30), ACCEPTED, 9));
    history.asked.push(Asked { replica: 1, ..verdict((131, 140), ACCEPTED, 8) });
    assert_eq!(broken(&history), [Rule::WithinTheBound]);
}

#[test]
fn a_verdict_that_says_that_it_is_older_than_the_lease_is_found() {
    let mut history = begun();
    let mut old = verdict((20, 30), ACCEPTED, 1);
    if let Answer::Verdict { staleness, .. } = &mut old.answer {
        *staleness = ms(LEASE);
    }
    history.asked.push(old);
    assert_eq!(broken(&history), [Rule::WithinTheBound]);
}

#[test]
fn what_was_enabled_again_may_pass_and_must_in_time() {
    let mut history = begun();
    history.written.push(write(Change::Disable, (100, 110), 2, true));
    history.written.push(write(Change::Enable, (200, 210), 3, false));
    history.asked.push(verdict((150, 160), ACCEPTED, 2));
    assert_eq!(broken(&history), [Rule::AfterTheBarrier]);
    history.asked.clear();
    history.asked.push(verdict((150, 201), ACCEPTED, 2));
    history.asked.push(verdict((300, 309), Denial::Disabled, 2));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((315, 320), Denial::Disabled, 3));
    assert_eq!(broken(&history), [Rule::WithinTheBound]);
}

#[test]
fn a_write_of_unknown_outcome_may_have_happened_or_not() {
    let mut history = begun();
    let mut revoke = write(Change::Revoke, (100, 200), 2, true);
    revoke.outcome = Outcome::Unknown;
    history.written.push(revoke);
    history.asked.push(verdict((900, 910), ACCEPTED, 1));
    history.asked.push(verdict((900, 910), Denial::Revoked, 2));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((50, 60), Denial::Revoked, 0));
    assert_eq!(broken(&history), [Rule::Possible]);
}

#[test]
fn keys_of_a_suspended_workspace_do_not_pass() {
    let mut history = begun();
    history.written.push(write(Change::Suspend, (100, 110), 2, true));
    history.asked.push(verdict((120, 130), Denial::WorkspaceSuspended, 2));
    assert_eq!(broken(&history), []);
    history.asked.push(verdict((120, 130), ACCEPTED, 2));
    assert_eq!(broken(&history), [Rule::AfterTheBarrier]);
    history.written.push(write(Change::Resume, (125, 140), 3, false));
    assert_eq!(broken(&history), []);
}

#[test]
fn a_denial_that_nothing_explains_is_found() {
    let mut history = begun();
    history.asked.push(verdict((20, 30), Denial::Expired, 1));
    assert_eq!(broken(&history), [Rule::Possible]);
}

#[test]
fn refusals_of_what_is_right_are_found() {
    let mut history = begun();
    let answer = Answer::Refused("UNAUTHENTICATED".to_owned());
    history.asked.push(Asked { answer, ..verdict((20, 30), ACCEPTED, 1) });
    let outcome = Outcome::Refused("NOT_FOUND".to_owned());
    history.written.push(Written { outcome, ..write(Change::Revoke, (20, 40), 2, true) });
    assert_eq!(broken(&history), [Rule::NothingIsRefused; 2]);
}

#[test]
fn one_request_makes_one_key_and_an_acknowledged_one_stays() {
    let made = |key_id: &str| Made {
        name: "a".to_owned(),
        key_id: key_id.to_owned(),
        secret: "s".to_owned(),
    };
    let mut history = begun();
    history.made = vec![made("key_1"), made("key_1")];
    history.listed = Some(vec!["a".to_owned()]);
    assert_eq!(broken(&history), []);
    history.made.push(made("key_2"));
    assert_eq!(broken(&history), [Rule::OnceOnly]);
    history.made.pop();
    history.listed = Some(vec!["a".to_owned(), "a".to_owned()]);
    assert_eq!(broken(&history), [Rule::OnceOnly]);
    history.listed = Some(Vec::new());
    assert_eq!(broken(&history), [Rule::NothingIsLost]);
}
