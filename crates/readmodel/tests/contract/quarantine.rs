//! Events that can't be read.

use eventlog::Position;
use readmodel::keys::{self, Keys};
use readmodel::quarantined;

use crate::setup::world;
use crate::story::{key_created, key_id, plain, revoked, workspace_id};

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
    let places: Vec<(&str, String, Position)> = found
        .iter()
        .map(|entry| (entry.projection.as_str(), entry.workspace_id.clone(), entry.position))
        .collect();
    let theirs = workspace_id(2).to_string();
    assert_eq!(
        places,
        ["configs", "keys", "workspaces"].map(|projection| (projection, theirs.clone(), first))
    );
    assert!(found.iter().all(|entry| entry.reason.contains("api_key.frobnicated")));

    let ours = keys::get(&*world.reader, workspace_id(1), key_id(3)).await.unwrap();
    assert!(ours.is_some(), "another workspace was held up");
    let theirs = keys::get(&*world.reader, workspace_id(2), key_id(2)).await.unwrap().unwrap();
    assert!(theirs.key.revoked.is_some(), "a later revocation was lost");
}

#[tokio::test]
async fn an_unreadable_event_of_no_workspace_stops_the_projection() {
    let world = world().await;
    world.given([key_created(1, 1, plain("one"), 0)]).await;
    let before = world.contents().await;
    world.record_unreadable(None).await;
    world.record([key_created(1, 2, plain("two"), 0)]).await;
    let refused = world.runner(Keys, 10).catch_up().await.unwrap_err();
    let cause = refused.source().map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("position 2 belongs to no workspace"), "{refused}: {cause}");
    assert_eq!(world.contents().await, before);
}
