//! Given events, when a command, then events or a rejection.

use super::{
    AuthTokenCommand, AuthTokenEvent, AuthTokenSettings, AuthTokens, Issued, MOST_KEPT, MOST_LIVE,
    Reset, Revoked,
};
use crate::spec::{Given, at, credential, name, uuid};
use crate::{AuthTokenId, DomainPattern, DomainRules, KeyId, Rejection};

fn given<const N: usize>(events: [AuthTokenEvent; N]) -> Given<AuthTokens> {
    Given::events(&events)
}

fn key_id() -> KeyId {
    KeyId::new(uuid(2))
}

fn id(number: u8) -> AuthTokenId {
    AuthTokenId::new(uuid(number.into()))
}

/// A token without restrictions, made `number` seconds after noon.
fn made(number: u8) -> Issued {
    Issued {
        key_id: key_id(),
        auth_token_id: id(number),
        name: name("dashboard"),
        credential: credential(number),
        issued_by: Some("workspace_token".to_owned()),
        expires_at: None,
        domains: DomainRules::default(),
        at: at(number.into()),
    }
}

fn issued(number: u8) -> AuthTokenEvent {
    AuthTokenEvent::Issued(made(number))
}

/// A token that ends by itself `end` seconds after noon.
fn ending(number: u8, end: i64) -> AuthTokenEvent {
    AuthTokenEvent::Issued(Issued { expires_at: Some(at(end)), ..made(number) })
}

fn plain() -> AuthTokenSettings {
    AuthTokenSettings { name: name("dashboard"), expires_at: None, domains: DomainRules::default() }
}

fn issue_with(number: u8, settings: AuthTokenSettings) -> AuthTokenCommand {
    AuthTokenCommand::Issue {
        key_id: key_id(),
        auth_token_id: id(number),
        issued_by: "workspace_token".to_owned(),
        settings,
        credential: credential(number),
        now: at(number.into()),
    }
}

fn issue(number: u8) -> AuthTokenCommand {
    issue_with(number, plain())
}

/// Another secret, number 100, for a token.
fn reset(number: u8, second: i64) -> AuthTokenCommand {
    AuthTokenCommand::Reset {
        key_id: key_id(),
        auth_token_id: id(number),
        credential: credential(100),
        now: at(second),
    }
}

fn was_reset(number: u8, second: i64) -> AuthTokenEvent {
    AuthTokenEvent::Reset(Reset {
        key_id: key_id(),
        auth_token_id: id(number),
        credential: credential(100),
        at: at(second),
    })
}

fn revoke(number: u8, second: i64) -> AuthTokenCommand {
    AuthTokenCommand::Revoke { key_id: key_id(), auth_token_id: id(number), now: at(second) }
}

fn revoked(number: u8, second: i64) -> AuthTokenEvent {
    let at = at(second);
    AuthTokenEvent::Revoked(Revoked { key_id: key_id(), auth_token_id: id(number), at })
}

mod issuing {
    use super::*;

    #[test]
    fn a_token_is_issued_with_what_was_asked_for() {
        let domains = DomainRules {
            patterns: vec![DomainPattern::parse("example.com").expect("a pattern")],
            allow_localhost: true,
        };
        let settings =
            AuthTokenSettings { expires_at: Some(at(60)), domains: domains.clone(), ..plain() };
        let expected = Issued { expires_at: Some(at(60)), domains: domains.clone(), ..made(10) };
        let state =
            given([]).when(issue_with(10, settings)).then([AuthTokenEvent::Issued(expected)]);
        let [only] = &state.0[..] else { panic!("not one token: {state:?}") };
        assert_eq!(only.auth_token_id, id(10));
        assert_eq!(only.name, name("dashboard"));
        assert_eq!(only.credential, credential(10));
        assert_eq!((only.expires_at, &only.domains), (Some(at(60)), &domains));
        assert_eq!(only.issued_by.as_deref(), Some("workspace_token"));
        assert_eq!((only.created_at, only.reset_at, only.revoked_at), (at(10), None, None));
    }

    #[test]
    fn a_key_can_have_more_tokens_oldest_first() {
        let state = given([issued(10)]).when(issue(9)).then([issued(9)]);
        let ids: Vec<_> = state.0.iter().map(|token| token.auth_token_id).collect();
        assert_eq!(ids, [id(10), id(9)]);
    }

    #[test]
    fn a_token_id_is_taken_once() {
        given([issued(10), issued(11)]).when(issue(10)).then_rejected(Rejection::AlreadyExists);
    }

    #[test]
    fn an_end_must_be_ahead() {
        for end in [9, 10] {
            let settings = AuthTokenSettings { expires_at: Some(at(end)), ..plain() };
            given([]).when(issue_with(10, settings)).then_rejected(Rejection::AlreadyExpired);
        }
    }

    #[test]
    fn only_live_tokens_count_for_the_limit() {
        assert_eq!(MOST_LIVE, 20);
        let full: Vec<_> = (0..20).map(issued).collect();
        let full_and = |more: &[AuthTokenEvent]| {
            Given::<AuthTokens>::events(full.iter().chain(more).collect::<Vec<_>>())
        };
        full_and(&[]).when(issue(50)).then_rejected(Rejection::TooManyAuthTokens);
        full_and(&[revoked(3, 40)]).when(issue(50)).then([issued(50)]);
        let filled_again = [revoked(3, 40), ending(41, 50)];
        full_and(&filled_again).when(issue(49)).then_rejected(Rejection::TooManyAuthTokens);
        full_and(&filled_again).when(issue(50)).then([issued(50)]);
    }

    #[test]
    fn so_many_are_remembered_and_all_that_are_live() {
        assert_eq!(MOST_KEPT, 100);
        let first_lives = [issued(0)];
        let others = (1..=100).flat_map(|n| [issued(n), revoked(n, i64::from(n))]);
        let state =
            Given::<AuthTokens>::events(&first_lives.into_iter().chain(others).collect::<Vec<_>>())
                .when(issue(200))
                .then([issued(200)]);
        assert_eq!(state.0.len(), MOST_KEPT);
        assert!(state.known(id(0)).is_some_and(|token| token.live(at(300))));
        assert!(state.known(id(1)).is_none() && state.known(id(2)).is_none());
        assert!(state.known(id(3)).is_some());
    }
}

mod resetting {
    use super::*;

    #[test]
    fn a_reset_changes_the_secret_and_nothing_else() {
        let before = given([issued(10), issued(11)]).when(reset(10, 20));
        let state = before.then([was_reset(10, 20)]);
        let token = state.known(id(10)).expect("the token");
        assert_eq!((&token.credential, token.reset_at), (&credential(100), Some(at(20))));
        assert_eq!((&token.name, token.created_at), (&name("dashboard"), at(10)));
        let other = state.known(id(11)).expect("the other one");
        assert_eq!((&other.credential, other.reset_at), (&credential(11), None));
    }

    #[test]
    fn a_token_that_is_over_or_unknown_is_not_reset() {
        given([issued(10)]).when(reset(11, 20)).then_rejected(Rejection::NotFound);
        given([issued(10), revoked(10, 12)]).when(reset(10, 20)).then_rejected(Rejection::NotFound);
        given([ending(10, 20)]).when(reset(10, 20)).then_rejected(Rejection::NotFound);
        given([ending(10, 21)]).when(reset(10, 20)).then([was_reset(10, 20)]);
    }
}

mod revoking {
    use super::*;

    #[test]
    fn a_revoked_token_stays_revoked_since_the_first_time() {
        let state = given([issued(10), issued(11)]).when(revoke(10, 20)).then([revoked(10, 20)]);
        let token = state.known(id(10)).expect("it is remembered");
        assert_eq!(token.revoked_at, Some(at(20)));
        assert!(!token.live(at(10)));
        assert!(state.known(id(11)).is_some_and(|token| token.live(at(30))));
        given([issued(10), revoked(10, 20)]).when(revoke(10, 30)).then_nothing();
    }

    #[test]
    fn an_expired_token_can_be_revoked_and_an_unknown_one_cannot() {
        given([ending(10, 20)]).when(revoke(10, 30)).then([revoked(10, 30)]);
        given([issued(10)]).when(revoke(11, 20)).then_rejected(Rejection::NotFound);
    }
}
