//! Two credentials, one key.

use jiff::SignedDuration;

use super::*;
use crate::api_key::{Credential, GraceEnded, KEPT_CREDENTIALS, Rotated};

const GRACE: i64 = 100;

fn rotate(number: u8, grace: i64, second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Rotate {
        credential: credential(number),
        grace: SignedDuration::from_secs(grace),
        force: false,
        now: at(second),
    }
}

fn forced(number: u8, grace: i64, second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Rotate {
        credential: credential(number),
        grace: SignedDuration::from_secs(grace),
        force: true,
        now: at(second),
    }
}

fn rotated(number: u8, grace_until: i64, second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Rotated(Rotated {
        key_id: key_id(),
        credential: credential(number),
        generation: number.into(),
        grace_until: at(grace_until),
        at: at(second),
    })
}

fn end_grace(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::EndRotationGrace { now: at(second) }
}

fn grace_ended(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::GraceEnded(GraceEnded { key_id: key_id(), at: at(second) })
}

/// Generation, end in seconds, and whether it has ended by what happened; oldest first.
fn ends(state: &ApiKeyState) -> Vec<(u32, Option<i64>, bool)> {
    let second = |end: Timestamp| end.as_second() - at(0).as_second();
    let told = |one: &Credential| (one.generation, one.not_after.map(second), one.ended);
    state.present().expect("a key").credentials.iter().map(told).collect()
}

#[test]
fn a_rotated_key_keeps_its_id_and_its_old_credential_until_the_grace_is_over() {
    let state = given([created()]).when(rotate(2, GRACE, 10)).then([rotated(2, 110, 10)]);
    assert_eq!(ends(&state), [(1, Some(110), false), (2, None, false)]);
    let key = state.present().expect("a key");
    assert_eq!((key.key_id, key.updated_at), (key_id(), at(10)));
    assert_eq!(key.credentials[1].record, credential(2));
    assert!(key.in_grace(at(109)));
    assert!(!key.in_grace(at(110)));
}

#[test]
fn a_grace_of_zero_ends_the_old_credential_on_every_clock() {
    let state = given([created()]).when(rotate(2, 0, 10)).then([rotated(2, 10, 10)]);
    assert_eq!(ends(&state), [(1, Some(10), true), (2, None, false)]);
    // Also on a clock that is behind the one that decided.
    assert!(!state.present().expect("a key").in_grace(at(9)));
}

#[test]
fn the_old_credential_never_outlives_the_keys_natural_end() {
    let bounded = created_with(settings(None, Some(at(50))));
    let state = given([bounded]).when(rotate(2, GRACE, 10)).then([rotated(2, 50, 10)]);
    assert_eq!(ends(&state), [(1, Some(50), false), (2, None, false)]);
}

#[test]
fn a_second_rotation_inside_the_grace_is_refused_unless_forced() {
    let history = [created(), rotated(2, 110, 10)];
    Given::<ApiKeyState>::events(&history)
        .when(rotate(3, GRACE, 109))
        .then_rejected(Rejection::GraceRunning);
    let state = Given::<ApiKeyState>::events(&history)
        .when(forced(3, GRACE, 109))
        .then([rotated(3, 209, 109)]);
    assert_eq!(ends(&state), [(1, Some(109), true), (2, Some(209), false), (3, None, false)]);
}

#[test]
fn a_second_rotation_behind_the_grace_needs_no_force_and_leaves_two_that_may_live() {
    let history = [created(), rotated(2, 110, 10)];
    let state = Given::<ApiKeyState>::events(&history)
        .when(rotate(3, GRACE, 110))
        .then([rotated(3, 210, 110)]);
    assert_eq!(ends(&state), [(1, Some(110), true), (2, Some(210), false), (3, None, false)]);
}

#[test]
fn the_grace_can_be_ended_early_and_a_grace_that_is_over_need_not_be() {
    let history = [created(), rotated(2, 110, 10)];
    let state = Given::<ApiKeyState>::events(&history).when(end_grace(20)).then([grace_ended(20)]);
    assert_eq!(ends(&state), [(1, Some(20), true), (2, None, false)]);
    given([created(), rotated(2, 110, 10), grace_ended(20)]).when(end_grace(21)).then_nothing();
    given([created(), rotated(2, 110, 10)]).when(end_grace(110)).then_nothing();
    given([created()]).when(end_grace(1)).then_nothing();
}

#[test]
fn a_switched_off_key_can_be_rotated_and_stays_off() {
    let state = given([created(), disabled(1)]).when(rotate(2, 0, 10)).then([rotated(2, 10, 10)]);
    assert_eq!(state.present().expect("a key").disabled_at, Some(at(1)));
}

#[test]
fn a_revoked_or_expired_key_can_not_be_rotated() {
    for command in [rotate(2, GRACE, 10), forced(2, 0, 10), end_grace(10)] {
        given([created(), revoked(1)]).when(command).then_rejected(Rejection::KeyRevoked);
    }
    let bounded = created_with(settings(None, Some(at(10))));
    given([bounded]).when(rotate(2, GRACE, 10)).then_rejected(Rejection::KeyExpired);
    given([]).when(rotate(2, GRACE, 10)).then_rejected(Rejection::NotFound);
}

#[test]
fn only_the_newest_credentials_are_remembered() {
    let mut history = vec![created()];
    history.extend((2..=20).map(|number| rotated(number, number.into(), number.into())));
    let state = ApiKeyState::fold(&history);
    let kept: Vec<u32> = ends(&state).into_iter().map(|(generation, ..)| generation).collect();
    assert_eq!(kept.len(), KEPT_CREDENTIALS);
    assert_eq!((kept.first(), kept.last()), (Some(&13), Some(&20)));
}
