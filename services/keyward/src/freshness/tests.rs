//! What can't be seen through the wire: a lease that comes or goes while a verdict is computed.

use super::*;

const LEASE: Duration = Duration::from_secs(3_600);

fn freshness(lease: Duration) -> Freshness {
    Freshness::new(Clock::default(), lease, Uuid::nil())
}

fn renew(freshness: &Freshness) {
    let withdrawals = freshness.withdrawals.load(Ordering::Acquire);
    freshness.renew(freshness.clock.boottime(), withdrawals);
}

#[test]
fn a_node_answers_once_a_heartbeat_saw_nothing_newer_and_until_the_lease_ends() {
    let started = freshness(LEASE);
    assert_eq!(started.check(), Err(NotFresh::StartingUp));
    started.note_applied(Position::new(7));
    renew(&started);
    assert_eq!(started.check().map(|fresh| fresh.position), Ok(Position::new(7)));
    let over = freshness(Duration::ZERO);
    renew(&over);
    assert_eq!(over.check(), Err(NotFresh::LeaseExpired));
}

#[test]
fn a_lease_that_comes_while_a_verdict_is_computed_does_not_count_for_it() {
    let freshness = freshness(LEASE);
    let begun = freshness.begin();
    renew(&freshness);
    assert_eq!(freshness.end(begun), Err(NotFresh::StartingUp));

    // The same for a node whose lease had run out: what it looked at was as old as that.
    let stale = Begun { sent: Boottime::NEVER, ..freshness.begin() };
    renew(&freshness);
    assert_eq!(freshness.end(stale), Err(NotFresh::LeaseExpired));
}

#[test]
fn a_verdict_states_the_position_that_was_applied_before_it_looked() {
    let freshness = freshness(LEASE);
    freshness.note_applied(Position::new(7));
    renew(&freshness);
    let begun = freshness.begin();
    freshness.note_applied(Position::new(8));
    assert_eq!(freshness.end(begun).map(|fresh| fresh.position), Ok(Position::new(7)));
}

#[test]
fn a_verdict_that_began_on_another_verifier_is_not_answered_even_if_the_lease_is_back() {
    let freshness = freshness(LEASE);
    renew(&freshness);
    let begun = freshness.begin();
    freshness.withdraw();
    renew(&freshness);
    assert_eq!(freshness.end(begun), Err(NotFresh::StartingUp));
    assert!(freshness.check().is_ok());
}

#[test]
fn a_heartbeat_that_was_under_way_when_the_right_was_withdrawn_does_not_give_it_back() {
    let freshness = freshness(LEASE);
    let (sent, withdrawals) = (freshness.clock.boottime(), 0);
    freshness.withdraw();
    freshness.renew(sent, withdrawals);
    assert_eq!(freshness.check(), Err(NotFresh::StartingUp));
}

#[test]
fn a_consistency_token_is_of_one_log_and_one_position() {
    let freshness = freshness(LEASE);
    let token = freshness.token(Position::new(42));
    assert_eq!(freshness.read_token(&token), Ok(Position::new(42)));
    let foreign = token.replace('0', "1");
    assert_eq!(freshness.read_token(&foreign), Err(TokenError::ForeignLog));
    for wrong in ["", "x", ".", "x.1", &token.replace(".42", ".-1"), &token.replace(".42", ".")] {
        assert_eq!(freshness.read_token(wrong), Err(TokenError::Malformed), "{wrong}");
    }
}
