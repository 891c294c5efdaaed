//! Projections: twice is once, two runners are one, a failure skips nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use eventlog::{Checkpoints, Expected, LogError, Position, ProjectionRunner, RunnerOptions};
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::setup::{SOON, World, appended, chain, fill, one, world};
use crate::tally::Tally;

fn runner(world: &World, tally: &Arc<Tally>, batch: usize) -> ProjectionRunner<Tally> {
    let checkpoints = Checkpoints::new(&world.database);
    let options = RunnerOptions { batch, ..RunnerOptions::default() };
    ProjectionRunner::new(&world.database, chain(), Arc::clone(tally), checkpoints, options)
}

async fn tallied(world: &World) -> i64 {
    world.count("SELECT coalesce(sum(events), 0)::bigint FROM tally.streams").await
}

#[tokio::test]
async fn applying_twice_is_applying_once() {
    let world = world().await;
    let log = world.log().await;
    let position = fill(&log, 10).await;
    let tally = Arc::new(Tally::default());
    assert_eq!(runner(&world, &tally, 3).catch_up().await.unwrap(), position);
    assert_eq!(tallied(&world).await, 10);
    world.sql("UPDATE log.checkpoints SET position = 4").await;
    assert_eq!(runner(&world, &tally, 3).catch_up().await.unwrap(), position);
    assert_eq!(tallied(&world).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_at_once_have_the_effect_of_one() {
    let world = world().await;
    let log = world.log().await;
    let tally = Arc::new(Tally::default());
    let stop = CancellationToken::new();
    let runners: Vec<_> =
        (0..2).map(|_| tokio::spawn(runner(&world, &tally, 5).run(stop.clone()))).collect();
    let position = fill(&log, 200).await;
    let checkpoints = Checkpoints::new(&world.database);
    checkpoints.wait_for("tally", position, SOON).await.unwrap();
    stop.cancel();
    for runner in runners {
        runner.await.unwrap();
    }
    assert_eq!(tallied(&world).await, 200);
    assert_eq!(checkpoints.read("tally").await.unwrap(), position);
}

#[tokio::test]
async fn a_refused_batch_is_not_skipped_and_goes_on_once_it_can() {
    let world = world().await;
    let log = world.log().await;
    let tally = Arc::new(Tally::default());
    tally.refuse.store(true, Ordering::SeqCst);
    let position = fill(&log, 5).await;
    let checkpoints = Checkpoints::new(&world.database);
    assert!(runner(&world, &tally, 3).catch_up().await.is_err());
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&world, &tally, 3).run(stop.clone()));
    let short = Duration::from_millis(100);
    let lagging = checkpoints.wait_for("tally", position, short).await.unwrap_err();
    assert!(matches!(lagging, LogError::Lagging { .. }), "{lagging}");
    assert_eq!(checkpoints.read("tally").await.unwrap(), Position::ZERO);
    tally.refuse.store(false, Ordering::SeqCst);
    checkpoints.wait_for("tally", position, SOON).await.unwrap();
    assert_eq!(tallied(&world).await, 5);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_runner_comes_back_after_its_connection_was_lost() {
    let world = world().await;
    let log = world.log().await;
    let tally = Arc::new(Tally::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&world, &tally, 100).run(stop.clone()));
    let checkpoints = Checkpoints::new(&world.database);
    for round in 1..=3 {
        let position = fill(&log, 5).await;
        checkpoints.wait_for("tally", position, SOON).await.unwrap();
        assert_eq!(world.terminate("projection").await, 1, "round {round}");
        eventually("the runner is back", SOON, async || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'keyward/projection'";
            world.count(sql).await == 1
        })
        .await;
    }
    assert_eq!(tallied(&world).await, 15);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_local_runner_wakes_those_who_wait_for_their_own_writes() {
    let world = world().await;
    let log = world.log().await;
    let checkpoints = Checkpoints::new(&world.database);
    let never = Duration::from_secs(3_600);
    let options = RunnerOptions {
        poll_min: never,
        poll_max: never,
        committed: Some(log.commits().position()),
        ..RunnerOptions::default()
    };
    let tally = Arc::new(Tally::default());
    let runner =
        ProjectionRunner::new(&world.database, chain(), tally, checkpoints.clone(), options);
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner.run(stop.clone()));
    for _ in 0..5 {
        let position = appended(log.append(one("s", Expected::Any)).await).last;
        checkpoints.wait_for("tally", position, SOON).await.unwrap();
        assert_eq!(tallied(&world).await, position.get().cast_signed());
    }
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn whoever_waits_ends_the_gathering_and_the_idling() {
    let world = world().await;
    let log = world.log().await;
    let checkpoints = Checkpoints::new(&world.database);
    let never = Duration::from_secs(3_600);
    let options = RunnerOptions {
        gather: never,
        poll_min: never,
        poll_max: never,
        committed: Some(log.commits().position()),
        ..RunnerOptions::default()
    };
    let (shared, tally) = (checkpoints.clone(), Arc::new(Tally::default()));
    let runner = ProjectionRunner::new(&world.database, chain(), tally, shared, options);
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner.run(stop.clone()));
    // The first goes through at once; the second finds the runner gathering.
    for _ in 0..3 {
        let position = fill(&log, 1).await;
        checkpoints.wait_for("tally", position, SOON).await.unwrap();
    }
    // A writer elsewhere wakes nobody here.
    let elsewhere = world.log().await;
    for _ in 0..3 {
        let position = fill(&elsewhere, 1).await;
        checkpoints.wait_for("tally", position, SOON).await.unwrap();
    }
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_projection_does_not_apply_what_was_tampered_with() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 6).await;
    world.tamper("UPDATE log.events SET payload = '{}' WHERE position = 5").await;
    let tally = Arc::new(Tally::default());
    let refused = runner(&world, &tally, 2).catch_up().await.unwrap_err();
    assert!(refused.to_string().contains("corrupt at position 5"), "{refused}");
    assert_eq!(tallied(&world).await, 4);
}

#[tokio::test]
async fn a_runner_that_goes_back_with_its_database_is_not_believed_to_be_where_it_was() {
    let world = world().await;
    let log = world.log().await;
    let position = fill(&log, 10).await;
    let tally = Arc::new(Tally::default());
    let checkpoints = Checkpoints::new(&world.database);
    let options = RunnerOptions::default();
    let shared = checkpoints.clone();
    let mut runner = ProjectionRunner::new(&world.database, chain(), tally, shared, options);
    runner.catch_up().await.unwrap();
    checkpoints.wait_for("tally", position, Duration::ZERO).await.unwrap();
    // As after a failover that lost the tail: rows, checkpoint and log are those of before.
    world.sql("DELETE FROM tally.streams; UPDATE log.checkpoints SET position = 0").await;
    checkpoints.forget_all();
    let behind = checkpoints.wait_for("tally", position, Duration::ZERO).await;
    assert!(matches!(behind, Err(LogError::Lagging { .. })), "{behind:?}");
    runner.catch_up().await.unwrap();
    checkpoints.wait_for("tally", position, Duration::ZERO).await.unwrap();
}
