//! Given events, when a command, then events or a rejection.

use super::{
    Created, Resumed, Suspended, TokenReset, WorkspaceCommand, WorkspaceEvent, WorkspaceState,
};
use crate::spec::{Given, at, credential, name, reason, workspace_id};
use crate::{Decider, Rejection};

fn given<const N: usize>(events: [WorkspaceEvent; N]) -> Given<WorkspaceState> {
    Given::events(&events)
}

fn created() -> WorkspaceEvent {
    WorkspaceEvent::Created(Created {
        workspace_id: workspace_id(),
        created_by: "operator".to_owned(),
        name: name("Acme"),
        token: credential(1),
        at: at(0),
    })
}

fn token_reset(token: u8, second: i64) -> WorkspaceEvent {
    WorkspaceEvent::TokenReset(TokenReset {
        workspace_id: workspace_id(),
        token: credential(token),
        at: at(second),
    })
}

fn suspended(why: &str, second: i64) -> WorkspaceEvent {
    WorkspaceEvent::Suspended(Suspended {
        workspace_id: workspace_id(),
        reason: reason(why),
        at: at(second),
    })
}

fn resumed(second: i64) -> WorkspaceEvent {
    WorkspaceEvent::Resumed(Resumed { workspace_id: workspace_id(), at: at(second) })
}

fn create() -> WorkspaceCommand {
    WorkspaceCommand::Create {
        workspace_id: workspace_id(),
        created_by: "operator".to_owned(),
        name: name("Acme"),
        token: credential(1),
        now: at(0),
    }
}

fn reset_token(token: u8, second: i64) -> WorkspaceCommand {
    WorkspaceCommand::ResetToken { token: credential(token), now: at(second) }
}

fn suspend(why: &str, second: i64) -> WorkspaceCommand {
    WorkspaceCommand::Suspend { reason: reason(why), now: at(second) }
}

fn resume(second: i64) -> WorkspaceCommand {
    WorkspaceCommand::Resume { now: at(second) }
}

#[test]
fn a_workspace_begins_with_what_was_asked_for() {
    let state = given([]).when(create()).then([created()]);
    let workspace = state.present().expect("a workspace");
    assert_eq!(workspace.workspace_id, workspace_id());
    assert_eq!(workspace.created_by, "operator");
    assert_eq!(workspace.name, name("Acme"));
    assert_eq!(workspace.token, credential(1));
    assert_eq!((workspace.created_at, workspace.updated_at), (at(0), at(0)));
    assert_eq!(workspace.suspended, None);
}

#[test]
fn a_workspace_id_is_taken_once() {
    given([created()]).when(create()).then_rejected(Rejection::AlreadyExists);
    given([created(), suspended("", 1)]).when(create()).then_rejected(Rejection::AlreadyExists);
}

#[test]
fn nothing_can_be_asked_of_a_workspace_that_never_began() {
    for command in [reset_token(2, 1), suspend("abuse", 1), resume(1)] {
        given([]).when(command).then_rejected(Rejection::NotFound);
    }
}

#[test]
fn a_reset_token_takes_the_place_of_the_one_before() {
    let state = given([created()]).when(reset_token(2, 5)).then([token_reset(2, 5)]);
    let workspace = state.present().expect("a workspace");
    assert_eq!(workspace.token, credential(2));
    assert_eq!((workspace.created_at, workspace.updated_at), (at(0), at(5)));
}

#[test]
fn each_reset_is_a_fact_of_its_own() {
    let state =
        given([created(), token_reset(2, 5)]).when(reset_token(3, 6)).then([token_reset(3, 6)]);
    assert_eq!(state.present().expect("a workspace").token, credential(3));
}

#[test]
fn a_suspended_workspace_can_still_reset_its_token() {
    let state =
        given([created(), suspended("abuse", 1)]).when(reset_token(2, 2)).then([token_reset(2, 2)]);
    let workspace = state.present().expect("a workspace");
    assert_eq!(workspace.suspended, Some((at(1), reason("abuse"))));
}

#[test]
fn a_suspension_says_since_when_and_why() {
    let state = given([created()]).when(suspend("unpaid", 7)).then([suspended("unpaid", 7)]);
    let workspace = state.present().expect("a workspace");
    assert_eq!(workspace.suspended, Some((at(7), reason("unpaid"))));
    assert_eq!(workspace.updated_at, at(7));
}

#[test]
fn a_second_suspension_changes_nothing_and_keeps_the_first_reason() {
    given([created(), suspended("unpaid", 7)]).when(suspend("abuse", 8)).then_nothing();
}

#[test]
fn a_resumed_workspace_is_not_suspended() {
    let state = given([created(), suspended("unpaid", 7)]).when(resume(9)).then([resumed(9)]);
    let workspace = state.present().expect("a workspace");
    assert_eq!((&workspace.suspended, workspace.updated_at), (&None, at(9)));
}

#[test]
fn resuming_what_is_not_suspended_changes_nothing() {
    given([created()]).when(resume(1)).then_nothing();
    given([created(), suspended("", 1), resumed(2)]).when(resume(3)).then_nothing();
}

#[test]
fn a_resumed_workspace_can_be_suspended_again() {
    given([created(), suspended("a", 1), resumed(2)])
        .when(suspend("b", 3))
        .then([suspended("b", 3)]);
}

#[test]
fn facts_about_a_workspace_that_never_began_fold_to_nothing() {
    let facts = [token_reset(2, 1), suspended("", 2), resumed(3)];
    assert_eq!(WorkspaceState::fold(&facts), WorkspaceState::Missing);
}

#[test]
fn a_second_beginning_does_not_overwrite_the_first() {
    let mut other = created();
    if let WorkspaceEvent::Created(other) = &mut other {
        other.token = credential(9);
    }
    assert_eq!(WorkspaceState::fold(&[created(), other]), WorkspaceState::fold(&[created()]));
}
