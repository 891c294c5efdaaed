//! Who calls: workspace tokens and service credentials.

mod world;

use std::cell::Cell;

use domain::service_credential::{
    Bounds, Permission, ServiceCredentialEvent, ServiceCredentialState,
};
use domain::{
    Brand, CredentialKind, Decider as _, Env, Event, Secret, SecretText, SpiffeId, WorkspaceId,
};
use verifier::{CallerRefusal, KnownCaller, Verifier};
use world::*;

fn is_workspace(caller: &Result<KnownCaller, CallerRefusal>, id: WorkspaceId) -> bool {
    matches!(caller, Ok(KnownCaller::Workspace { workspace_id, .. }) if *workspace_id == id)
}

fn refusal(verifier: &Verifier, text: &str) -> Option<CallerRefusal> {
    verifier.caller(text, check).err()
}

#[test]
fn a_workspace_token_names_its_workspace_and_tells_if_it_is_suspended() {
    let verifier = following(&[workspace_created(ws(1)), workspace_created(ws(2))]);
    let token = workspace_token(ws(1), 0).text;
    assert!(is_workspace(&verifier.caller(&token, check), ws(1)));
    for (event, expected) in [(suspended(ws(1)), true), (resumed(ws(1)), false)] {
        verifier.apply(&event);
        assert_eq!(verifier.workspace(ws(1)).unwrap().suspended, expected);
        let caller = verifier.caller(&token, check);
        assert!(
            matches!(caller, Ok(KnownCaller::Workspace { suspended, .. }) if suspended == expected)
        );
    }
}

#[test]
fn a_reset_workspace_token_is_dead_at_once_and_the_new_one_lives() {
    let verifier = following(&[workspace_created(ws(1)), token_reset(ws(1), 1)]);
    let (old, new) = (workspace_token(ws(1), 0).text, workspace_token(ws(1), 1).text);
    assert_eq!(refusal(&verifier, &old), Some(CallerRefusal::Unknown));
    assert!(is_workspace(&verifier.caller(&new, check), ws(1)));
    assert_eq!(verifier.counts().callers, 1);
}

#[test]
fn a_service_credential_has_its_permissions_and_bounds_until_it_is_revoked() {
    let bounds = Bounds { workspaces: vec![ws(4)], envs: vec![Env::Test] };
    let permissions = [Permission::Verify, Permission::OrgReadWrite];
    let created = service_credential_created(svc(1), &permissions, bounds.clone());
    let verifier = following([&created]);
    let text = service_credential(svc(1)).text;
    let Ok(KnownCaller::ServiceCredential { id, permissions, bounds: known }) =
        verifier.caller(&text, check)
    else {
        panic!("not known");
    };
    assert_eq!((id, &*known), (svc(1), &bounds));
    assert!(permissions.allows(Permission::Verify) && permissions.allows(Permission::OrgReadWrite));
    for not_given in [Permission::OrgRead, Permission::Reveal, Permission::AuditRead] {
        assert!(!permissions.allows(not_given), "{not_given:?}");
    }
    verifier.apply(&service_credential_revoked(svc(1)));
    assert_eq!(refusal(&verifier, &text), Some(CallerRefusal::Unknown));
    verifier.apply(&created);
    assert_eq!(refusal(&verifier, &text), Some(CallerRefusal::Unknown), "it rose from the dead");
}

#[test]
fn the_token_of_a_quarantined_workspace_is_neither_a_caller_nor_unknown() {
    let verifier = following(&[workspace_created(ws(1)), workspace_created(ws(2))]);
    let (theirs, ours) = (workspace_token(ws(1), 0).text, workspace_token(ws(2), 0).text);
    let version = verifier.callers_version();
    verifier.quarantine(ws(1));
    assert_ne!(verifier.callers_version(), version, "whoever remembered the token goes on with it");
    assert_eq!(refusal(&verifier, &theirs), Some(CallerRefusal::Quarantined));
    assert!(is_workspace(&verifier.caller(&ours, check), ws(2)));
    // The event that was missed may have made this one.
    let next = workspace_token(ws(1), 1).text;
    assert_eq!(refusal(&verifier, &next), Some(CallerRefusal::Quarantined));
    verifier.apply(&token_reset(ws(1), 1));
    for text in [&theirs, &next] {
        assert_eq!(refusal(&verifier, text), Some(CallerRefusal::Quarantined));
    }
    // Nothing is known to be wrong with service credentials.
    let service = service_credential(svc(1)).text;
    assert_eq!(refusal(&verifier, &service), Some(CallerRefusal::Unknown));
    // What was never made may have been made by the event that was missed.
    verifier.quarantine(ws(3));
    assert!(verifier.workspace(ws(3)).unwrap().quarantined);
}

#[test]
fn a_quarantined_service_credential_is_neither_a_caller_nor_unknown() {
    let created = |n| service_credential_created(svc(n), &[Permission::Verify], Bounds::default());
    let verifier = following(&[created(1), created(2), workspace_created(ws(1))]);
    let text = |n| service_credential(svc(n)).text;
    let version = verifier.callers_version();
    verifier.quarantine_service_credential(svc(1));
    // Before its first event, too: that may be the one that was missed.
    verifier.quarantine_service_credential(svc(3));
    verifier.apply(&created(3));
    assert_ne!(verifier.callers_version(), version, "whoever remembered it goes on with it");
    verifier.apply(&created(1));
    let Event::ServiceCredential(event) = created(1) else { unreachable!() };
    let state = ServiceCredentialState::default().evolve(&event);
    verifier.load_service_credential(state.present().unwrap());
    for n in [1, 3] {
        assert_eq!(refusal(&verifier, &text(n)), Some(CallerRefusal::Quarantined), "{n}");
    }
    verifier.apply(&service_credential_revoked(svc(1)));
    assert_eq!(refusal(&verifier, &text(1)), Some(CallerRefusal::Quarantined));
    assert!(matches!(
        verifier.caller(&text(2), check),
        Ok(KnownCaller::ServiceCredential { id, .. }) if id == svc(2)
    ));
    // Nothing is known to be wrong with workspaces and their tokens.
    assert!(is_workspace(&verifier.caller(&workspace_token(ws(1), 0).text, check), ws(1)));
    let unknown = workspace_token(ws(2), 0).text;
    assert_eq!(refusal(&verifier, &unknown), Some(CallerRefusal::Unknown));
}

#[test]
fn a_quarantine_passes_on_to_the_next_verifier() {
    let before = following(&[workspace_created(ws(1)), workspace_created(ws(2))]);
    before.quarantine(ws(1));
    before.quarantine_service_credential(svc(1));
    let events = [workspace_created(ws(1)), workspace_created(ws(2))];
    let after = following(events.iter().chain([&service_credential_created(
        svc(1),
        &[Permission::Verify],
        Bounds::default(),
    )]));
    after.quarantine_as(&before);
    for text in [workspace_token(ws(1), 0).text, service_credential(svc(1)).text] {
        assert_eq!(refusal(&after, &text), Some(CallerRefusal::Quarantined));
    }
    assert!(is_workspace(&after.caller(&workspace_token(ws(2), 0).text, check), ws(2)));
}

#[test]
fn whatever_calls_nothing_is_unknown_after_exactly_one_check() {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    let auth_token = mint(5, CredentialKind::AuthToken, Env::Live, Some(ws(1)), key.key_id.uuid());
    // The kid of the workspace token under the letter of a service credential.
    let token = workspace_token(ws(1), 0);
    let kid = token.record.kid;
    let secret = Secret::from_entropy(&[1; 32]);
    let kind = CredentialKind::ServiceCredential;
    let disguised = SecretText::new(&Brand::default(), kind, Env::Live, kid, &secret);
    let wrong =
        SecretText::new(&Brand::default(), CredentialKind::WorkspaceToken, Env::Live, kid, &secret);
    for text in [
        key.text(),
        &auth_token.text,
        &workspace_token(ws(2), 0).text,
        &service_credential(svc(1)).text,
        disguised.expose(),
        wrong.expose(),
    ] {
        let calls = Cell::new(0);
        let counted = |binding: &_, secret: &_, pepper, digest: &_| {
            calls.set(calls.get() + 1);
            check(binding, secret, pepper, digest)
        };
        let caller = verifier.caller(text, counted);
        assert_eq!(caller.err(), Some(CallerRefusal::Unknown), "{text}");
        assert_eq!(calls.get(), 1, "{text}");
    }
    // Not even a check that says yes to anything gets past the wrong letter.
    let yes = |_: &_, _: &_, _, _: &_| true;
    let caller = verifier.caller(disguised.expose(), yes);
    assert_eq!(caller.err(), Some(CallerRefusal::Unknown));
    assert_eq!(refusal(&verifier, "Bearer x"), Some(CallerRefusal::Malformed));
}

#[test]
fn an_identity_names_its_service_until_it_is_revoked_and_may_then_be_another_s() {
    let bounds = Bounds { workspaces: vec![ws(4)], envs: vec![Env::Test] };
    let created = service_credential_created(svc(4), &[Permission::Verify], bounds.clone());
    let verifier = following([&created]);
    let version = verifier.callers_version();
    let found = |identity: &SpiffeId| match verifier.caller_by_identity(identity) {
        Ok(KnownCaller::ServiceCredential { id, permissions, bounds }) => {
            Ok((id, permissions.allows(Permission::Verify), bounds))
        }
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal),
    };
    let own = identity(svc(4));
    assert_eq!(found(&own), Ok((svc(4), true, bounds.clone().into())));
    assert_eq!(found(&identity(svc(8))).unwrap_err(), CallerRefusal::Unknown);
    // There is no secret that would do as well.
    let text = service_credential(svc(4)).text;
    assert_eq!(refusal(&verifier, &text), Some(CallerRefusal::Unknown));

    verifier.apply(&service_credential_revoked(svc(4)));
    assert_ne!(verifier.callers_version(), version);
    assert_eq!(found(&own).unwrap_err(), CallerRefusal::Unknown);
    verifier.apply(&created);
    assert_eq!(found(&own).unwrap_err(), CallerRefusal::Unknown, "it rose from the dead");
    let Event::ServiceCredential(ServiceCredentialEvent::Created(mut next)) = created else {
        unreachable!()
    };
    next.service_credential_id = svc(12);
    verifier.apply(&Event::ServiceCredential(ServiceCredentialEvent::Created(next)));
    assert_eq!(found(&own), Ok((svc(12), true, bounds.into())));
    // What happened to the one before is over.
    verifier.apply(&service_credential_revoked(svc(4)));
    assert!(found(&own).is_ok());
}

#[test]
fn an_identity_whose_service_is_quarantined_is_neither_a_caller_nor_unknown() {
    let created = |n| service_credential_created(svc(n), &[Permission::Verify], Bounds::default());
    let verifier = following(&[created(4), created(8)]);
    verifier.quarantine_service_credential(svc(4));
    let refused = |n| verifier.caller_by_identity(&identity(svc(n))).err();
    assert_eq!(refused(4), Some(CallerRefusal::Quarantined));
    verifier.apply(&created(4));
    assert_eq!(refused(4), Some(CallerRefusal::Quarantined));
    assert_eq!(refused(8), None, "nothing is known to be wrong with this one");
    assert_eq!(refused(12), Some(CallerRefusal::Quarantined), "the missed event may have made it");
}
