//! What goes only with a key that lives.

use super::*;
use crate::api_key::Deleted;

fn require(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::RequireLive { now: at(second) }
}

#[test]
fn a_key_that_lives_is_left_as_it_is_switched_off_or_not_begun_too() {
    given([created()]).when(require(5)).then_nothing();
    given([created(), disabled(1)]).when(require(5)).then_nothing();
    let bounded = created_with(settings(Some(at(10)), Some(at(20))));
    given([bounded]).when(require(5)).then_nothing();
}

#[test]
fn a_key_that_is_revoked_deleted_expired_or_never_was_is_none() {
    given([]).when(require(5)).then_rejected(Rejection::NotFound);
    given([created(), revoked(1)]).when(require(5)).then_rejected(Rejection::KeyRevoked);
    let deleted = ApiKeyEvent::Deleted(Deleted { key_id: key_id(), at: at(1) });
    given([created(), deleted]).when(require(5)).then_rejected(Rejection::KeyDeleted);
    let ends = created_with(settings(None, Some(at(5))));
    given([ends.clone()]).when(require(4)).then_nothing();
    given([ends]).when(require(5)).then_rejected(Rejection::KeyExpired);
}
