//! Hidden, and brought back.

use super::*;
use crate::api_key::{Changes, Deleted, SubjectErased, UNDELETE_WINDOW, Undeleted};

fn delete(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Delete { now: at(second) }
}

fn undelete(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Undelete { now: at(second) }
}

fn deleted(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Deleted(Deleted { key_id: key_id(), at: at(second) })
}

fn undeleted(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Undeleted(Undeleted { key_id: key_id(), at: at(second) })
}

fn switches(state: &ApiKeyState) -> (Option<Timestamp>, Option<Timestamp>) {
    let key = state.present().expect("a key");
    (key.deleted_at, key.disabled_at)
}

#[test]
fn a_deleted_key_is_switched_off_and_comes_back_switched_off() {
    let state = given([created()]).when(delete(5)).then([deleted(5)]);
    assert_eq!(switches(&state), (Some(at(5)), Some(at(5))));
    let state = given([created(), deleted(5)]).when(undelete(6)).then([undeleted(6)]);
    assert_eq!(switches(&state), (None, Some(at(5))));
    let state = given([created(), deleted(5), undeleted(6)]).when(enable(7)).then([enabled(7)]);
    assert_eq!(switches(&state), (None, None));
}

#[test]
fn a_key_that_was_switched_off_before_its_deletion_keeps_since_when() {
    let state = given([created(), disabled(1)]).when(delete(5)).then([deleted(5)]);
    assert_eq!(switches(&state), (Some(at(5)), Some(at(1))));
}

#[test]
fn deleting_or_undeleting_to_where_it_is_changes_nothing() {
    given([created(), deleted(5)]).when(delete(6)).then_nothing();
    given([created()]).when(undelete(6)).then_nothing();
}

#[test]
fn a_key_can_be_brought_back_for_thirty_days_and_not_a_second_longer() {
    let last = 5 + UNDELETE_WINDOW.as_secs();
    assert_eq!(UNDELETE_WINDOW.as_secs(), 30 * 24 * 3_600);
    given([created(), deleted(5)]).when(undelete(last)).then([undeleted(last)]);
    given([created(), deleted(5)])
        .when(undelete(last + 1))
        .then_rejected(Rejection::UndeleteTooLate);
}

#[test]
fn a_deleted_key_takes_nothing_but_its_return_and_its_end() {
    let changes = Changes { name: Some(name("other")), ..Changes::default() };
    let update = ApiKeyCommand::Update { changes: Box::new(changes), now: at(6) };
    for command in [enable(6), disable(6), update] {
        given([created(), deleted(5)]).when(command).then_rejected(Rejection::KeyDeleted);
    }
    given([created(), deleted(5)]).when(revoke(6)).then([revoked(6)]);
}

#[test]
fn a_revoked_key_can_be_deleted_and_brought_back_and_stays_revoked() {
    given([created(), revoked(1)]).when(delete(5)).then([deleted(5)]);
    let state = given([created(), revoked(1), deleted(5)]).when(undelete(6)).then([undeleted(6)]);
    assert_eq!(state.present().expect("a key").status(at(6)), Status::Revoked);
}

#[test]
fn the_owners_address_is_gone_after_an_erasure_of_a_living_and_of_a_dead_key() {
    let erase = |second| ApiKeyCommand::EraseSubject { now: at(second) };
    let erased =
        |second| ApiKeyEvent::SubjectErased(SubjectErased { key_id: key_id(), at: at(second) });
    let state = given([created()]).when(erase(5)).then([erased(5)]);
    assert_eq!(state.present().expect("a key").settings.owner.email, None);
    // Again, for something may have been sealed since; and of whatever is dead.
    given([created(), erased(5)]).when(erase(6)).then([erased(6)]);
    given([created(), revoked(1)]).when(erase(6)).then([erased(6)]);
    given([created(), deleted(1)]).when(erase(6)).then([erased(6)]);
    given([]).when(erase(6)).then_rejected(Rejection::NotFound);
}
