//! Given events, when a command, then events or a rejection.

use super::Permission::{AuditRead, OrgRead, OrgReadWrite, Reveal, Verify, WorkspaceCreate};
use super::{
    Bounds, Created, Permission, Proof, Revoked, ServiceCredentialCommand, ServiceCredentialEvent,
    ServiceCredentialState,
};
use crate::spec::{Given, at, credential, name, uuid, workspace_id};
use crate::{Decider, Env, Rejection, ServiceCredentialId, SpiffeId};

fn given<const N: usize>(events: [ServiceCredentialEvent; N]) -> Given<ServiceCredentialState> {
    Given::events(&events)
}

fn id() -> ServiceCredentialId {
    ServiceCredentialId::new(uuid(3))
}

fn bounds() -> Bounds {
    Bounds { workspaces: vec![workspace_id()], envs: vec![Env::Live] }
}

fn created(permissions: &[Permission]) -> ServiceCredentialEvent {
    ServiceCredentialEvent::Created(Created {
        service_credential_id: id(),
        name: name("edge"),
        created_by: "operator".to_owned(),
        permissions: permissions.to_vec(),
        bounds: bounds(),
        proof: Proof::Secret(credential(3)),
        at: at(0),
    })
}

fn revoked(second: i64) -> ServiceCredentialEvent {
    ServiceCredentialEvent::Revoked(Revoked { service_credential_id: id(), at: at(second) })
}

fn create(permissions: &[Permission]) -> ServiceCredentialCommand {
    ServiceCredentialCommand::Create {
        service_credential_id: id(),
        name: name("edge"),
        created_by: "operator".to_owned(),
        permissions: permissions.to_vec(),
        bounds: bounds(),
        proof: Proof::Secret(credential(3)),
        now: at(0),
    }
}

fn revoke(second: i64) -> ServiceCredentialCommand {
    ServiceCredentialCommand::Revoke { now: at(second) }
}

#[test]
fn a_service_credential_begins_with_what_was_asked_for() {
    let state = given([]).when(create(&[Verify])).then([created(&[Verify])]);
    let present = state.present().expect("a service credential");
    assert_eq!(present.service_credential_id, id());
    assert_eq!(present.name, name("edge"));
    assert_eq!(present.created_by, "operator");
    assert_eq!(present.permissions, [Verify]);
    assert_eq!(present.bounds, bounds());
    assert_eq!(present.proof, Proof::Secret(credential(3)));
    assert_eq!((present.created_at, present.revoked_at), (at(0), None));
}

#[test]
fn permissions_are_sorted_and_doubles_count_once() {
    given([])
        .when(create(&[WorkspaceCreate, OrgReadWrite, Verify, OrgRead, Verify, Reveal, AuditRead]))
        .then([created(&[Verify, Reveal, AuditRead, OrgRead, OrgReadWrite, WorkspaceCreate])]);
}

#[test]
fn a_service_credential_may_have_no_permission() {
    given([]).when(create(&[])).then([created(&[])]);
}

#[test]
fn a_service_credential_id_is_taken_once_even_by_a_revoked_one() {
    given([created(&[Verify])]).when(create(&[Verify])).then_rejected(Rejection::AlreadyExists);
    given([created(&[Verify]), revoked(1)])
        .when(create(&[Verify]))
        .then_rejected(Rejection::AlreadyExists);
}

#[test]
fn a_service_credential_can_be_revoked() {
    let state = given([created(&[Verify])]).when(revoke(4)).then([revoked(4)]);
    let present = state.present().expect("a service credential");
    assert_eq!(present.revoked_at, Some(at(4)));
}

#[test]
fn a_second_revocation_changes_nothing() {
    given([created(&[Verify]), revoked(4)]).when(revoke(5)).then_nothing();
}

#[test]
fn what_never_began_can_not_be_revoked() {
    given([]).when(revoke(1)).then_rejected(Rejection::NotFound);
    assert_eq!(ServiceCredentialState::fold(&[revoked(1)]), ServiceCredentialState::Missing);
}

#[test]
fn a_second_beginning_does_not_overwrite_the_first_nor_raise_the_dead() {
    let history = [created(&[Verify]), revoked(4), created(&[OrgReadWrite])];
    assert_eq!(ServiceCredentialState::fold(&history), ServiceCredentialState::fold(&history[..2]));
}

fn identified(proof: Proof) -> ServiceCredentialCommand {
    ServiceCredentialCommand::Create {
        service_credential_id: id(),
        name: name("edge"),
        created_by: "operator".to_owned(),
        permissions: vec![Verify],
        bounds: bounds(),
        proof,
        now: at(0),
    }
}

#[test]
fn one_identity_is_one_service_credential() {
    let identity = SpiffeId::new("spiffe://example.org/edge").expect("an identity");
    let create = identified(Proof::Identity(identity.clone()));
    let state = given([]).when(create.clone());
    let state = state.then([ServiceCredentialEvent::Created(Created {
        proof: Proof::Identity(identity.clone()),
        service_credential_id: id(),
        name: name("edge"),
        created_by: "operator".to_owned(),
        permissions: vec![Verify],
        bounds: bounds(),
        at: at(0),
    })]);
    assert_eq!(state.present().expect("one").proof, Proof::Identity(identity));
    given([created(&[Verify])]).when(create).then_rejected(Rejection::IdentityTaken);
}
