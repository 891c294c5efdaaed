//! Rebuilds: the same tables as the incremental ones, under the same names, grants and indexes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use eventlog::{Checkpoints, Position, ProjectionRunner, RebuildError, RunnerOptions, rebuild};
use tokio_util::sync::CancellationToken;

use crate::setup::{ROLES, SOON, World, chain, connect_to, fill, world};
use crate::tally::Tally;

async fn lines(world: &World, sql: &str) -> Vec<String> {
    let client = world.database.client().await.unwrap();
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn rows(world: &World) -> Vec<String> {
    let sql = "SELECT s::text FROM tally.streams AS s UNION ALL SELECT k::text FROM tally.kinds AS k \
         ORDER BY 1";
    lines(world, sql).await
}

async fn shape(world: &World) -> Vec<String> {
    let sql = "SELECT indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'tally' \
         UNION ALL SELECT relname || ' ' || relowner::regrole || ' ' || ( \
             SELECT string_agg(item::text, ',' ORDER BY item::text) FROM unnest(relacl) AS item) \
         FROM pg_class WHERE relnamespace = 'tally'::regnamespace AND relkind = 'r' \
         UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'tally'::regnamespace ORDER BY 1";
    lines(world, sql).await
}

fn runner(world: &World, checkpoints: &Checkpoints) -> ProjectionRunner<Tally> {
    ProjectionRunner::new(
        &world.database,
        chain(),
        Arc::new(Tally::default()),
        checkpoints.clone(),
        RunnerOptions::default(),
    )
}

#[tokio::test]
async fn rebuilt_tables_equal_incremental_ones_in_rows_names_and_grants() {
    let world = world().await;
    let log = world.log().await;
    let position = fill(&log, 50).await;
    let checkpoints = Checkpoints::new(&world.database);
    runner(&world, &checkpoints).catch_up().await.unwrap();
    let (before, shape_before) = (rows(&world).await, shape(&world).await);
    world.sql("UPDATE tally.streams SET events = events + 1000").await;

    // The migrator's role is enough, if it has its grant on this database.
    world.sql(ROLES).await;
    let migrator = connect_to(&world.test.url_as("keyward_migrator"));
    let mut told = Vec::new();
    let rebuilt = rebuild(&migrator, &chain(), &Tally::default(), &checkpoints, |done, head| {
        told.push((done, head));
    })
    .await
    .unwrap();
    assert_eq!(rebuilt, position);
    assert_eq!(told.last(), Some(&(position, position)));
    assert_eq!(rows(&world).await, before);
    assert_eq!(shape(&world).await, shape_before);
    assert_eq!(checkpoints.read("tally").await.unwrap(), position);
    let scratch = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tally\\_rebuild%'";
    assert_eq!(world.count(scratch).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_beside_a_running_projection_loses_nothing() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 50).await;
    let checkpoints = Checkpoints::new(&world.database);
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&world, &checkpoints).run(stop.clone()));
    let tally = Tally::default();
    let rebuilding = async {
        for _ in 0..3 {
            rebuild(&world.database, &chain(), &tally, &checkpoints, |_, _| {}).await.unwrap();
        }
    };
    let ((), position) = tokio::join!(rebuilding, fill(&log, 300));
    checkpoints.wait_for("tally", position, SOON).await.unwrap();
    let counted = "SELECT sum(events)::bigint FROM tally.streams";
    assert_eq!(world.count(counted).await, 350);
    assert_eq!(world.count("SELECT count(*) FROM tally.kinds").await, 350);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_failed_rebuild_leaves_the_live_tables() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 5).await;
    let checkpoints = Checkpoints::new(&world.database);
    runner(&world, &checkpoints).catch_up().await.unwrap();
    let before = rows(&world).await;
    let refusing = Tally::default();
    refusing.refuse.store(true, Ordering::SeqCst);
    let failed =
        rebuild(&world.database, &chain(), &refusing, &checkpoints, |_, _| {}).await.unwrap_err();
    assert!(matches!(failed, RebuildError::Apply { after: Position::ZERO, .. }), "{failed}");
    assert_eq!(rows(&world).await, before);

    world
        .sql("ALTER TABLE tally.kinds ADD FOREIGN KEY (kind) REFERENCES tally.streams NOT VALID")
        .await;
    let failed = rebuild(&world.database, &chain(), &Tally::default(), &checkpoints, |_, _| {})
        .await
        .unwrap_err();
    assert!(matches!(failed, RebuildError::Unsupported { .. }), "{failed}");
}
