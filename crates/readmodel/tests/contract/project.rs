//! Twice is once, rebuilt is incremental, two runners have one effect, and rows are what the domain
//! folds.

use std::collections::BTreeMap;

use domain::api_key::ApiKeyState;
use domain::{Decider as _, Event};
use eventlog::{Checkpoints, Position, Projection, rebuild};
use readmodel::config::Configs;
use readmodel::keys::{self, Keys};
use readmodel::workspaces::Workspaces;

use crate::setup::{World, chain, world};
use crate::story::{
    at, disabled, enabled, full, history, key_created, key_id, plain, revoked, rotated,
    workspace_id,
};

#[tokio::test]
async fn events_applied_twice_have_the_effect_of_once() {
    let world = world().await;
    world.record(history(40)).await;
    world.project().await;
    let once = world.contents().await;
    assert!(
        once.iter()
            .filter(|(table, _)| !table.ends_with("quarantine"))
            .all(|(_, rows)| !rows.is_empty())
    );
    // Again from several places, in other batches: old events meet newer rows.
    for (from, batch) in [(0, 1_000), (0, 3), (17, 5), (90, 1)] {
        world.sql(&format!("UPDATE log.checkpoints SET position = {from}")).await;
        world.project_by(batch).await;
        assert_eq!(world.contents().await, once, "from {from} by {batch}");
    }
}

#[tokio::test]
async fn a_part_of_the_log_applied_again_takes_nothing_back() {
    let world = world().await;
    world.given(history(40)).await;
    let whole = world.contents().await;
    let beginning = world.log.read_from(Position::ZERO, 60).await.unwrap();
    let mut connection = world.service.connect("test", &[]).await.unwrap();
    let transaction = connection.transaction().await.unwrap();
    transaction.batch_execute("SET LOCAL search_path = readmodel").await.unwrap();
    Keys.apply(&transaction, &beginning).await.unwrap();
    Configs.apply(&transaction, &beginning).await.unwrap();
    Workspaces.apply(&transaction, &beginning).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(world.contents().await, whole);
}

#[tokio::test]
async fn rebuilt_tables_equal_those_that_grew_with_the_log() {
    let world = world().await;
    for facts in history(60).chunks(13) {
        world.record(facts.iter().cloned()).await;
        world.project_by(4).await;
    }
    world.record_unreadable(Some(workspace_id(2))).await;
    world.project().await;
    let grown = world.contents().await;
    rebuild_all(&world).await;
    assert_eq!(world.contents().await, grown);
    // The new tables are as good as the old ones for those who use them.
    world.given([key_created(1, 1_000, plain("later"), 0)]).await;
    let found = keys::get(&*world.reader, workspace_id(1), key_id(1_000)).await.unwrap();
    assert_eq!(found.unwrap().key.settings.name.as_str(), "later");
}

#[tokio::test]
async fn a_rebuild_leaves_nothing_that_the_log_does_not_say() {
    let world = world().await;
    world.given(history(20)).await;
    let honest = world.contents().await;
    world
        .sql(
            "UPDATE readmodel.keys SET name = 'forged', position = position + 1000; \
             UPDATE readmodel.credentials SET digest = kid; DELETE FROM readmodel.configs; \
             UPDATE readmodel.workspaces SET suspended_at = NULL; \
             INSERT INTO readmodel.keys_quarantine VALUES ('ws_x', 1, 'of an older build')",
        )
        .await;
    assert_ne!(world.contents().await, honest);
    rebuild_all(&world).await;
    assert_eq!(world.contents().await, honest);
}

async fn rebuild_all(world: &World) {
    let checkpoints = Checkpoints::new(&world.root);
    rebuild(&world.root, &chain(), &Keys, &checkpoints, |_, _| {}).await.unwrap();
    rebuild(&world.root, &chain(), &Configs, &checkpoints, |_, _| {}).await.unwrap();
    rebuild(&world.root, &chain(), &Workspaces, &checkpoints, |_, _| {}).await.unwrap();
}

#[tokio::test]
async fn two_runners_at_once_have_one_effect() {
    let world = world().await;
    world.record(history(60)).await;
    let mut keys = [world.runner(Keys, 2), world.runner(Keys, 3)];
    let mut configs = [world.runner(Configs, 2), world.runner(Configs, 3)];
    let mut workspaces = [world.runner(Workspaces, 2), world.runner(Workspaces, 3)];
    let [key_a, key_b] = &mut keys;
    let [config_a, config_b] = &mut configs;
    let [workspace_a, workspace_b] = &mut workspaces;
    let ends = tokio::join!(
        key_a.catch_up(),
        key_b.catch_up(),
        config_a.catch_up(),
        config_b.catch_up(),
        workspace_a.catch_up(),
        workspace_b.catch_up(),
    );
    let head = world.log.head().await.unwrap().position;
    for end in [ends.0, ends.1, ends.2, ends.3, ends.4, ends.5] {
        assert_eq!(end.unwrap(), head);
    }
    let together = world.contents().await;
    rebuild_all(&world).await;
    assert_eq!(world.contents().await, together);
}

#[tokio::test]
async fn a_row_is_what_the_domain_folds_from_the_stream() {
    let world = world().await;
    let facts = history(60);
    let mut expected: BTreeMap<_, (ApiKeyState, u64)> = BTreeMap::new();
    for (_, event) in &facts {
        if let Event::ApiKey(event) = event {
            let (state, revision) = expected.remove(&event.key_id()).unwrap_or_default();
            expected.insert(event.key_id(), (state.evolve(event), revision + 1));
        }
    }
    world.record(facts).await;
    world.project_by(7).await;
    assert_eq!(expected.len(), 60);
    for (key_id, (state, revision)) in expected {
        let key = state.present().unwrap();
        let row = keys::get(&*world.reader, key.workspace_id, key_id).await.unwrap().unwrap();
        assert_eq!((&row.key, row.revision), (key, revision));
    }
}

#[tokio::test]
async fn every_change_of_a_key_is_seen_with_its_revision() {
    let world = world().await;
    let facts = [
        key_created(1, 1, full("one"), 10),
        disabled(1, 1, 20),
        enabled(1, 1, 30),
        revoked(1, 1, 40),
    ];
    let mut seen = Vec::new();
    for fact in facts {
        world.given([fact]).await;
        let row = keys::get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap().unwrap();
        let end = row.key.revoked.map(|end| (end.at, end.by, end.text.as_str().to_owned()));
        seen.push((row.revision, row.key.updated_at, row.key.disabled_at, end));
    }
    let end = Some((at(40), "operator".to_owned(), "left on friday".to_owned()));
    assert_eq!(
        seen,
        [
            (1, at(10), None, None),
            (2, at(20), Some(at(20)), None),
            (3, at(30), None, None),
            (4, at(40), None, end),
        ]
    );
}

#[tokio::test]
async fn all_that_is_set_on_a_key_comes_back_the_same() {
    let world = world().await;
    world.given([key_created(1, 1, full("all"), 0), key_created(1, 2, plain("none"), 0)]).await;
    for (number, settings) in [(1, full("all")), (2, plain("none"))] {
        let row = keys::get(&*world.reader, workspace_id(1), key_id(number)).await.unwrap();
        assert_eq!(row.unwrap().key.settings, settings);
    }
}

#[tokio::test]
async fn an_empty_address_list_and_no_address_list_stay_opposites() {
    let world = world().await;
    let mut nowhere = plain("nowhere");
    nowhere.ip_allowlist = Some(Vec::new());
    world.given([key_created(1, 1, nowhere, 0), key_created(1, 2, plain("anywhere"), 0)]).await;
    let mut lists = Vec::new();
    for number in [1, 2] {
        let row = keys::get(&*world.reader, workspace_id(1), key_id(number)).await.unwrap();
        lists.push(row.unwrap().key.settings.ip_allowlist);
    }
    assert_eq!(lists, [Some(Vec::new()), None]);
}

#[tokio::test]
async fn a_key_of_another_workspace_is_none() {
    let world = world().await;
    world.given([key_created(1, 1, plain("mine"), 0)]).await;
    let key = keys::get(&*world.reader, workspace_id(2), key_id(1)).await.unwrap();
    assert_eq!(key, None);
    let key = keys::get(&*world.reader, workspace_id(1), key_id(2)).await.unwrap();
    assert_eq!(key, None);
}

#[tokio::test]
async fn a_key_that_rotates_often_keeps_the_rows_of_its_newest_credentials_only() {
    let world = world().await;
    world.given([key_created(1, 1, plain("one"), 0), key_created(1, 2, plain("two"), 0)]).await;
    let rotations: Vec<_> =
        (2..=20).map(|turn| rotated(1, 1, turn, i64::from(turn) * 2_000)).collect();
    for facts in rotations.chunks(5) {
        world.given(facts.iter().cloned()).await;
    }
    let row = keys::get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap().unwrap();
    let kept: Vec<u32> = row.key.credentials.iter().map(|one| one.generation).collect();
    assert_eq!(kept, (13..=20).collect::<Vec<_>>());
    let other = keys::get(&*world.reader, workspace_id(1), key_id(2)).await.unwrap().unwrap();
    assert_eq!(other.key.credentials.len(), 1);
}
