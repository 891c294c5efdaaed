//! Given events, when a command, then events or a rejection.

mod deletion;
mod living;
mod rotation;
mod update;

use jiff::Timestamp;

use super::{
    ApiKeyCommand, ApiKeyEvent, ApiKeyState, Created, Disabled, Enabled, Revocation, Revoked,
    Settings, Status,
};
use crate::spec::{Given, at, credential, name, reason, uuid, workspace_id};
use crate::{
    Decider, Description, DomainRules, Env, KeyId, Labels, Owner, Rejection, RevocationReason,
    ScopeSet,
};

fn given<const N: usize>(events: [ApiKeyEvent; N]) -> Given<ApiKeyState> {
    Given::events(&events)
}

fn key_id() -> KeyId {
    KeyId::new(uuid(2))
}

fn settings(not_before: Option<Timestamp>, expires_at: Option<Timestamp>) -> Settings {
    Settings {
        name: name("checkout"),
        env: Env::Live,
        owner: Owner::default(),
        description: Description::new("").expect("an empty description"),
        scopes: ScopeSet::default(),
        ip_allowlist: None,
        domains: DomainRules::default(),
        not_before,
        expires_at,
        metadata: Labels::default(),
    }
}

fn created_with(settings: Settings) -> ApiKeyEvent {
    ApiKeyEvent::Created(Box::new(Created {
        key_id: key_id(),
        workspace_id: workspace_id(),
        created_by: "ws".to_owned(),
        settings,
        credential: credential(1),
        at: at(0),
    }))
}

fn created() -> ApiKeyEvent {
    created_with(settings(None, None))
}

fn disabled(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Disabled(Disabled { key_id: key_id(), at: at(second) })
}

fn enabled(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Enabled(Enabled { key_id: key_id(), at: at(second) })
}

fn revoked(second: i64) -> ApiKeyEvent {
    ApiKeyEvent::Revoked(Revoked {
        key_id: key_id(),
        reason: RevocationReason::Compromised,
        text: reason("found in a public repository"),
        revoked_by: "ws".to_owned(),
        at: at(second),
    })
}

/// Asked at second 0.
fn create(settings: Settings) -> ApiKeyCommand {
    ApiKeyCommand::Create {
        key_id: key_id(),
        workspace_id: workspace_id(),
        created_by: "ws".to_owned(),
        settings: Box::new(settings),
        credential: credential(1),
        now: at(0),
    }
}

fn disable(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Disable { now: at(second) }
}

fn enable(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Enable { now: at(second) }
}

fn revoke(second: i64) -> ApiKeyCommand {
    ApiKeyCommand::Revoke {
        reason: RevocationReason::Compromised,
        text: reason("found in a public repository"),
        revoked_by: "ws".to_owned(),
        now: at(second),
    }
}

#[test]
fn a_key_begins_with_what_was_asked_for_and_one_credential_of_generation_one() {
    let state = given([]).when(create(settings(None, None))).then([created()]);
    let key = state.present().expect("a key");
    assert_eq!((key.key_id, key.workspace_id), (key_id(), workspace_id()));
    assert_eq!(key.settings, settings(None, None));
    assert_eq!(key.created_by, "ws");
    let [only] = &key.credentials[..] else { panic!("not one credential: {:?}", key.credentials) };
    assert_eq!(
        (&only.record, only.generation, only.created_at, only.not_after),
        (&credential(1), 1, at(0), None)
    );
    assert_eq!((key.disabled_at, &key.revoked), (None, &None));
    assert_eq!((key.created_at, key.updated_at), (at(0), at(0)));
}

#[test]
fn a_key_id_is_taken_once_even_by_a_dead_key() {
    for history in [vec![created()], vec![created(), revoked(1)]] {
        Given::<ApiKeyState>::events(&history)
            .when(create(settings(None, None)))
            .then_rejected(Rejection::AlreadyExists);
    }
}

#[test]
fn nothing_can_be_asked_of_a_key_that_never_began() {
    for command in [disable(1), enable(1), revoke(1)] {
        given([]).when(command).then_rejected(Rejection::NotFound);
    }
}

#[test]
fn a_key_that_would_be_born_expired_is_refused() {
    for end in [-1, 0] {
        given([])
            .when(create(settings(None, Some(at(end)))))
            .then_rejected(Rejection::AlreadyExpired);
    }
    let shortest = settings(None, Some(at(0) + jiff::SignedDuration::from_micros(1)));
    given([]).when(create(shortest.clone())).then([created_with(shortest)]);
}

#[test]
fn a_key_must_begin_before_it_ends() {
    for begin in [10, 11] {
        given([])
            .when(create(settings(Some(at(begin)), Some(at(10)))))
            .then_rejected(Rejection::EndsBeforeItBegins);
    }
    let narrow = settings(Some(at(9)), Some(at(10)));
    given([]).when(create(narrow.clone())).then([created_with(narrow)]);
}

#[test]
fn a_beginning_may_lie_in_the_past_or_stand_alone() {
    for begin in [-5, 0, 5] {
        let settings = settings(Some(at(begin)), None);
        given([]).when(create(settings.clone())).then([created_with(settings)]);
    }
}

#[test]
fn an_end_in_the_past_is_named_before_an_end_before_the_beginning() {
    given([])
        .when(create(settings(Some(at(5)), Some(at(-5)))))
        .then_rejected(Rejection::AlreadyExpired);
}

#[test]
fn a_key_can_be_switched_off_and_on() {
    let state = given([created()]).when(disable(3)).then([disabled(3)]);
    let key = state.present().expect("a key");
    assert_eq!((key.disabled_at, key.updated_at), (Some(at(3)), at(3)));

    let state = given([created(), disabled(3)]).when(enable(4)).then([enabled(4)]);
    let key = state.present().expect("a key");
    assert_eq!((key.disabled_at, key.updated_at), (None, at(4)));
}

#[test]
fn switching_to_where_it_is_changes_nothing() {
    given([created(), disabled(3)]).when(disable(4)).then_nothing();
    given([created()]).when(enable(4)).then_nothing();
    given([created(), disabled(3), enabled(4)]).when(enable(5)).then_nothing();
}

#[test]
fn a_revocation_is_final_and_says_when_why_and_by_whom() {
    for history in [vec![created()], vec![created(), disabled(1)]] {
        let state = Given::<ApiKeyState>::events(&history).when(revoke(9)).then([revoked(9)]);
        let key = state.present().expect("a key");
        let expected = Revocation {
            at: at(9),
            reason: RevocationReason::Compromised,
            text: reason("found in a public repository"),
            by: "ws".to_owned(),
        };
        assert_eq!((&key.revoked, key.updated_at), (&Some(expected), at(9)));
    }
}

#[test]
fn a_second_revocation_changes_nothing_and_keeps_the_first_reason() {
    given([created(), revoked(9)])
        .when(ApiKeyCommand::Revoke {
            reason: RevocationReason::Unused,
            text: reason(""),
            revoked_by: "somebody else".to_owned(),
            now: at(10),
        })
        .then_nothing();
}

#[test]
fn a_revoked_key_can_be_neither_switched_on_nor_off() {
    for history in [vec![created(), revoked(9)], vec![created(), disabled(1), revoked(9)]] {
        for command in [disable(10), enable(10)] {
            Given::<ApiKeyState>::events(&history)
                .when(command)
                .then_rejected(Rejection::KeyRevoked);
        }
    }
}

#[test]
fn facts_about_a_key_that_never_began_fold_to_nothing() {
    let facts = [disabled(1), enabled(2), revoked(3)];
    assert_eq!(ApiKeyState::fold(&facts), ApiKeyState::Missing);
}

#[test]
fn a_second_beginning_does_not_overwrite_the_first() {
    let other = created_with(settings(None, Some(at(99))));
    assert_eq!(ApiKeyState::fold(&[created(), other]), ApiKeyState::fold(&[created()]));
}

#[test]
fn the_status_follows_the_precedence_of_the_verdict() {
    let bounded = || created_with(settings(Some(at(10)), Some(at(20))));
    let status = |history: &[ApiKeyEvent], second| {
        let state = ApiKeyState::fold(history);
        state.present().expect("a key").status(at(second))
    };
    assert_eq!(status(&[bounded()], 9), Status::NotYetValid);
    assert_eq!(status(&[bounded()], 10), Status::Active);
    assert_eq!(status(&[bounded()], 19), Status::Active);
    assert_eq!(status(&[bounded()], 20), Status::Expired);
    for second in [9, 15, 20] {
        assert_eq!(status(&[bounded(), disabled(1)], second), Status::Disabled);
        assert_eq!(status(&[bounded(), disabled(1), revoked(2)], second), Status::Revoked);
        assert_eq!(status(&[bounded(), revoked(2)], second), Status::Revoked);
    }
    assert_eq!(status(&[created()], -1_000_000), Status::Active);
}
