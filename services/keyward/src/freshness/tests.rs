//! What can't be seen through the wire: a lease that comes or goes while a verdict is computed.

use eventlog::{Mac, Metadata, Revision, StreamId};
use jiff::Timestamp;

use super::beat::{Course, hear};
use super::*;

const LEASE: Duration = Duration::from_secs(3_600);

fn freshness(lease: Duration) -> Freshness {
    Freshness::new(Clock::default(), lease, Uuid::nil())
}

/// The head at a position of one history, that of `branch`.
fn head(position: u64, branch: u8) -> Head {
    Head {
        log_id: Uuid::nil(),
        epoch: 1,
        position: Position::new(position),
        mac: mac(position, branch),
    }
}

fn mac(position: u64, branch: u8) -> Mac {
    let mut mac = [branch; 32];
    mac[..8].copy_from_slice(&position.to_be_bytes());
    mac
}

fn events(positions: std::ops::RangeInclusive<u64>, branch: u8) -> Vec<RecordedEvent> {
    positions
        .map(|position| RecordedEvent {
            position: Position::new(position),
            stream: StreamId::new("a").unwrap(),
            revision: Revision::new(position),
            event_id: Uuid::nil(),
            kind: "thing.happened".to_owned(),
            schema: 1,
            workspace_id: None,
            payload: Vec::new(),
            metadata_bytes: serde_json::to_vec(&Metadata::default()).unwrap(),
            recorded_at: Timestamp::UNIX_EPOCH,
            mac: mac(position, branch),
            chain_key: None,
        })
        .collect()
}

/// A node whose verifier is at a position of branch 1, with the right to answer.
fn fresh_at(position: u64) -> Freshness {
    let freshness = freshness(LEASE);
    freshness.note_warm(head(position, 1));
    renew(&freshness);
    assert!(freshness.check().is_ok());
    freshness
}

fn renew(freshness: &Freshness) {
    freshness.renew(freshness.mark());
}

/// A heartbeat that sees this head; nothing is applied meanwhile.
async fn beat_sees(freshness: &Freshness, head: &Head) {
    hear(freshness, freshness.mark(), head, true, Duration::ZERO).await;
}

#[test]
fn a_node_answers_once_a_heartbeat_saw_nothing_newer_and_until_the_lease_ends() {
    let started = freshness(LEASE);
    assert_eq!(started.check(), Err(NotFresh::StartingUp));
    started.note_warm(head(7, 1));
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
    let freshness = fresh_at(7);
    let begun = freshness.begin();
    assert!(freshness.note_applied(&events(8..=8, 1)));
    assert_eq!(freshness.applied(), Position::new(8));
    assert_eq!(freshness.end(begun).map(|fresh| fresh.position), Ok(Position::new(7)));
}

#[test]
fn a_verdict_that_began_on_another_verifier_is_not_answered_even_if_the_lease_is_back() {
    let freshness = freshness(LEASE);
    renew(&freshness);
    let begun = freshness.begin();
    freshness.withdraw();
    freshness.note_warm(head(7, 1));
    renew(&freshness);
    assert_eq!(freshness.end(begun), Err(NotFresh::StartingUp));
    assert!(freshness.check().is_ok());
}

#[test]
fn a_heartbeat_that_was_under_way_when_the_right_was_withdrawn_does_not_give_it_back() {
    let freshness = freshness(LEASE);
    let mark = freshness.mark();
    freshness.withdraw();
    freshness.renew(mark);
    assert_eq!(freshness.check(), Err(NotFresh::StartingUp));
}

#[tokio::test]
async fn a_heartbeat_renews_the_lease_only_at_a_head_whose_history_was_applied() {
    for position in [1, 5_000, 9_999, 10_000] {
        let freshness = freshness(LEASE);
        freshness.note_warm(head(0, 1));
        assert!(freshness.note_applied(&events(1..=10_000, 1)));
        // Sent before all of this was applied, so that a head in the middle is no loss.
        let mark = Mark { applied: Position::ZERO, ..freshness.mark() };
        hear(&freshness, mark, &head(position, 1), true, Duration::ZERO).await;
        // What is too far back to be known proves nothing; it is no fault either.
        assert_eq!(freshness.check().is_ok(), position > 9_000, "{position}");
        assert_eq!(freshness.applied(), Position::new(10_000), "{position}");
    }
}

#[test]
fn a_heartbeat_counts_only_if_one_was_seen_to_answer_within_a_lease_before_it() {
    let lease = Duration::from_secs(1);
    let (sent, mut course) = (Clock::default().boottime(), Course::default());
    assert!(!course.committed(sent, true, lease), "nobody could know of it");
    assert!(course.committed(sent.after(lease), true, lease));
    let late = sent.after(lease * 2 + Duration::from_nanos(1));
    assert!(!course.committed(late, true, lease), "forgotten by then");
}

#[test]
fn a_heartbeat_that_says_that_this_node_does_not_answer_gives_no_right_to() {
    let lease = Duration::from_secs(1);
    let (sent, mut course) = (Clock::default().boottime(), Course::default());
    assert!(!course.committed(sent, true, lease));
    assert!(!course.committed(sent, false, lease), "a barrier would not wait for it");
    assert!(!course.committed(sent, true, lease), "it was out of sight");
    assert!(course.committed(sent, true, lease));
}

#[tokio::test]
async fn a_heartbeat_that_does_not_count_gives_no_right_to_answer() {
    let freshness = freshness(LEASE);
    freshness.note_warm(head(7, 1));
    let place = hear(&freshness, freshness.mark(), &head(7, 1), false, Duration::ZERO).await;
    assert_eq!((place, freshness.check()), (Place::Applied, Err(NotFresh::StartingUp)));
}

#[tokio::test]
async fn a_head_that_is_not_reached_does_not_renew_the_lease_and_casts_a_doubt() {
    let freshness = freshness(LEASE);
    freshness.note_warm(head(7, 1));
    beat_sees(&freshness, &head(8, 1)).await;
    assert_eq!(freshness.check(), Err(NotFresh::StartingUp));
    freshness.doubted().await;
    assert!(freshness.note_applied(&events(8..=8, 1)), "it goes on from where it is");
}

#[tokio::test]
async fn a_heartbeat_waits_for_the_tail_to_reach_the_head_that_it_saw() {
    let freshness = freshness(LEASE);
    freshness.note_warm(head(7, 1));
    let apply = async {
        tokio::task::yield_now().await;
        assert!(freshness.note_applied(&events(8..=9, 1)));
    };
    let seen = head(8, 1);
    tokio::join!(hear(&freshness, freshness.mark(), &seen, true, LEASE), apply);
    assert!(freshness.check().is_ok());
}

#[tokio::test]
async fn a_primary_with_another_history_ends_the_right_to_answer_at_once() {
    let other_log = Head { log_id: Uuid::max(), ..head(7, 1) };
    let other_epoch = Head { epoch: 2, ..head(7, 1) };
    // Its tail was lost: nothing new yet; written on to the same position; to the one before.
    for seen in [head(6, 1), head(7, 2), head(6, 2), other_log, other_epoch] {
        let freshness = fresh_at(7);
        let begun = freshness.begin();
        beat_sees(&freshness, &seen).await;
        assert_eq!(freshness.end(begun), Err(NotFresh::StartingUp), "{seen:?}");
        assert_eq!(freshness.check(), Err(NotFresh::StartingUp), "{seen:?}");
        // Who follows the log is told, and told that what it has is void.
        freshness.doubted().await;
        assert!(!freshness.note_applied(&events(8..=8, 1)), "{seen:?}");
        // The same head does not give the right back before the verifier is warmed anew.
        beat_sees(&freshness, &seen).await;
        assert_eq!(freshness.check(), Err(NotFresh::StartingUp), "{seen:?}");
    }
}

#[tokio::test]
async fn a_lost_tail_that_was_written_beyond_what_was_applied_is_found_where_they_part() {
    // This node still follows the old primary, the heartbeat reached the new one.
    let freshness = fresh_at(7);
    let mark = freshness.mark();
    assert!(freshness.note_applied(&events(8..=12, 1)));
    hear(&freshness, mark, &head(9, 2), true, Duration::ZERO).await;
    assert_eq!(freshness.check(), Err(NotFresh::StartingUp));
    // Warmed from the new primary it answers again, although it is behind where it was.
    freshness.note_warm(head(9, 2));
    beat_sees(&freshness, &head(9, 2)).await;
    assert_eq!(freshness.check().map(|fresh| fresh.position), Ok(Position::new(9)));
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
