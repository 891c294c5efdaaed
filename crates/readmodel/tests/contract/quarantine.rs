//! Events that can't be read.

use domain::Suspect;
use domain::service_credential::Bounds;
use eventlog::Position;
use readmodel::keys::{self, Keys};
use readmodel::{quarantined, service_credentials};

use crate::setup::world;
use crate::story::{
    at, key_created, key_id, plain, revoked, service_credential_created, service_credential_id,
    service_credential_revoked, workspace_id,
};

#[tokio::test]
async fn an_unreadable_event_quarantines_its_workspace_and_the_others_go_on() {
    let world = world().await;
    world.record([key_created(1, 1, plain("one"), 0), key_created(2, 2, plain("two"), 0)]).await;
    let first = world.record_unreadable(Some(workspace_id(2))).await;
    world.record([key_created(1, 3, plain("three"), 0), revoked(2, 2, 1)]).await;
    world.record_unreadable(Some(workspace_id(2))).await;
    // One batch, then many: the first unreadable event is the one recorded.
    world.project().await;
    world.record_unreadable(Some(workspace_id(2))).await;
    world.project_by(1).await;

    let found = quarantined(&*world.reader).await.unwrap();
    let places: Vec<(&str, Suspect, Position)> = found
        .iter()
        .map(|entry| (entry.projection.as_str(), entry.suspect, entry.position))
        .collect();
    let theirs = Suspect::Workspace(workspace_id(2));
    assert_eq!(
        places,
        ["configs", "keys", "workspaces"].map(|projection| (projection, theirs, first))
    );
    assert!(found.iter().all(|entry| entry.reason.contains("api_key.frobnicated")));

    let ours = keys::get(&*world.reader, workspace_id(1), key_id(3)).await.unwrap();
    assert!(ours.is_some(), "another workspace was held up");
    let theirs = keys::get(&*world.reader, workspace_id(2), key_id(2)).await.unwrap().unwrap();
    assert!(theirs.key.revoked.is_some(), "a later revocation was lost");
}

#[tokio::test]
async fn an_unreadable_event_of_a_service_credential_quarantines_that_one_and_no_more() {
    let world = world().await;
    let made = |number| service_credential_created(number, Bounds::default(), 0);
    world.record([made(1), made(2), key_created(1, 1, plain("one"), 0)]).await;
    let stream = service_credential_id(1).to_string();
    let first = world.record_unreadable_in(None, &stream).await;
    world.record_unreadable_in(None, &stream).await;
    world.record([service_credential_revoked(1, 7), service_credential_revoked(2, 8)]).await;
    world.record([key_created(1, 2, plain("two"), 0)]).await;
    world.project_by(2).await;

    let found = quarantined(&*world.reader).await.unwrap();
    let places: Vec<_> = found
        .iter()
        .map(|entry| (entry.projection.as_str(), entry.suspect, entry.position))
        .collect();
    let suspect = Suspect::ServiceCredential(service_credential_id(1));
    assert_eq!(places, [("workspaces", suspect, first)]);
    for (number, second) in [(1, 7), (2, 8)] {
        let id = service_credential_id(number);
        let row = service_credentials::get(&*world.reader, id).await.unwrap().unwrap();
        assert_eq!(row.service_credential.revoked_at, Some(at(second)));
    }
    let behind = keys::get(&*world.reader, workspace_id(1), key_id(2)).await.unwrap();
    assert!(behind.is_some(), "a workspace was held up");
}

#[tokio::test]
async fn an_unreadable_event_that_may_be_about_anything_stops_the_projection() {
    let world = world().await;
    world.given([key_created(1, 1, plain("one"), 0)]).await;
    let before = world.contents().await;
    world.record_unreadable(None).await;
    world.record([key_created(1, 2, plain("two"), 0)]).await;
    let refused = world.runner(Keys, 10).catch_up().await.unwrap_err();
    let cause = refused.source().map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("position 2 can't be read"), "{refused}: {cause}");
    assert!(cause.contains("a newer version of Keyward wrote this; upgrade"), "{cause}");
    assert_eq!(world.contents().await, before);
}
