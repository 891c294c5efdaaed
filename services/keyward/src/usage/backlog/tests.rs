use std::sync::Arc;

use domain::{KeyId, Kid, Micros, WorkspaceId};
use uuid::Uuid;

use super::super::tally::Use;
use super::*;

/// A tally of one acceptance of the credential of this number.
fn one(number: u8) -> (Place, Tally) {
    let used = Use {
        kid: Kid::from_entropy([number; 12]),
        key_id: KeyId::new(Uuid::nil()),
        workspace_id: WorkspaceId::new(Uuid::nil()),
        at: Micros(1),
        verdict: 0,
        ip: None,
        user_agent: "",
    };
    (Place::of(&used), Tally::of(&used, &Arc::from("")))
}

fn add(backlog: &mut Backlog, number: u8) -> u64 {
    let (place, tally) = one(number);
    backlog.add(place, tally)
}

fn next(backlog: &mut Backlog, most: usize) -> Vec<(u8, u64)> {
    let batch = backlog.next(most);
    batch.iter().map(|(place, tally)| (place.kid.bits()[0], tally.accepted())).collect()
}

#[test]
fn each_has_its_turn_before_any_has_its_second_and_a_batch_is_in_order() {
    let mut backlog = Backlog::of(10);
    for number in [5, 1, 3, 3] {
        assert_eq!(add(&mut backlog, number), 0);
    }
    assert_eq!(next(&mut backlog, 2), [(1, 1), (5, 1)]);
    for number in [5, 1] {
        add(&mut backlog, number);
    }
    assert_eq!(next(&mut backlog, 2), [(3, 2), (5, 1)]);
    assert_eq!(next(&mut backlog, 2), [(1, 1)]);
    assert_eq!(next(&mut backlog, 2), []);
    assert_eq!(backlog.len(), 0);
}

#[test]
fn what_has_no_room_is_dropped_and_what_waits_goes_on() {
    let mut backlog = Backlog::of(2);
    let dropped: Vec<_> = [1, 2, 3, 2, 3].into_iter().map(|n| add(&mut backlog, n)).collect();
    assert_eq!(dropped, [0, 0, 1, 0, 1]);
    assert_eq!(next(&mut backlog, 9), [(1, 1), (2, 2)]);
}

#[test]
fn a_batch_that_was_not_written_is_put_back_and_merged_with_what_came() {
    let mut backlog = Backlog::of(10);
    add(&mut backlog, 1);
    let batch = backlog.next(9);
    add(&mut backlog, 1);
    for (place, tally) in batch {
        assert_eq!(backlog.add(place, tally), 0);
    }
    assert_eq!(next(&mut backlog, 9), [(1, 2)]);
}
