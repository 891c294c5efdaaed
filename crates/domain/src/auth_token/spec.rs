//! Given events, when a command, then events or a rejection.

use super::{AuthTokenCommand, AuthTokenEvent, AuthTokens, Issued};
use crate::spec::{Given, at, credential, name, uuid};
use crate::{AuthTokenId, KeyId, Rejection};

fn given<const N: usize>(events: [AuthTokenEvent; N]) -> Given<AuthTokens> {
    Given::events(&events)
}

fn issued(number: u8) -> AuthTokenEvent {
    AuthTokenEvent::Issued(Issued {
        key_id: KeyId::new(uuid(2)),
        auth_token_id: AuthTokenId::new(uuid(number.into())),
        name: name("dashboard"),
        credential: credential(number),
        at: at(number.into()),
    })
}

fn issue(number: u8) -> AuthTokenCommand {
    AuthTokenCommand::Issue {
        key_id: KeyId::new(uuid(2)),
        auth_token_id: AuthTokenId::new(uuid(number.into())),
        name: name("dashboard"),
        credential: credential(number),
        now: at(number.into()),
    }
}

#[test]
fn a_token_is_issued_with_what_was_asked_for() {
    let state = given([]).when(issue(10)).then([issued(10)]);
    let [only] = &state.0[..] else { panic!("not one token: {state:?}") };
    assert_eq!(only.auth_token_id, AuthTokenId::new(uuid(10)));
    assert_eq!(only.name, name("dashboard"));
    assert_eq!(only.credential, credential(10));
    assert_eq!(only.created_at, at(10));
}

#[test]
fn a_key_can_have_more_tokens_oldest_first() {
    let state = given([issued(10)]).when(issue(9)).then([issued(9)]);
    let ids: Vec<_> = state.0.iter().map(|token| token.auth_token_id).collect();
    assert_eq!(ids, [AuthTokenId::new(uuid(10)), AuthTokenId::new(uuid(9))]);
}

#[test]
fn a_token_id_is_taken_once() {
    given([issued(10), issued(11)]).when(issue(10)).then_rejected(Rejection::AlreadyExists);
}
