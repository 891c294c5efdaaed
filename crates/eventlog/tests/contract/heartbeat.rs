//! Heartbeats: committed, seen by others, sent again after a loss.

use std::time::{Duration, Instant};

use eventlog::{Heartbeat, LogError, Position, Sign, heartbeat, heartbeat::Roll};

use rustix::process::{Pid, Signal, kill_process};
use testkit::eventually;

use crate::setup::{SOON, chain, fill, world};

const LEASE: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(1);

const fn at(applied: u64) -> Sign {
    Sign { applied: Position::new(applied), answers: true }
}

#[tokio::test]
async fn a_heartbeat_sees_the_head_and_is_seen_by_others() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 3).await;
    let mut one = Heartbeat::new(&world.database, chain(), "v1", LEASE, LIMIT);
    let mut two = Heartbeat::new(&world.database, chain(), "v2", LEASE, LIMIT);
    let beat = one.beat(at(2)).await.unwrap();
    assert_eq!(beat.head, log.head().await.unwrap());
    two.beat(at(1)).await.unwrap();
    two.beat(at(3)).await.unwrap();
    let live = Roll::new(&world.database, LIMIT).answering().await.unwrap();
    let seen: Vec<_> =
        live.iter().map(|v| (v.verifier_id.as_str(), v.applied_position.get())).collect();
    assert_eq!(seen, [("v1", 2), ("v2", 3)]);
    assert_eq!((live[0].beat_at, live[0].lease), (beat.database_time, LEASE));
    one.remove().await.unwrap();
    assert_eq!(Roll::new(&world.database, LIMIT).answering().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_may_hold_a_lease_is_whoever_said_so_within_two_of_them() {
    let world = world().await;
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", LEASE, LIMIT);
    let answering = async || Roll::new(&world.database, LIMIT).answering().await.unwrap().len();
    beating.beat(Sign { answers: false, ..at(1) }).await.unwrap();
    assert_eq!(answering().await, 0, "it has not begun to");
    beating.beat(at(1)).await.unwrap();
    assert_eq!(answering().await, 1);
    let aged = async |seconds: &str| {
        world
            .sql(&format!("UPDATE log.verifiers SET beat_at = beat_at - interval '{seconds}'"))
            .await;
    };
    aged("5.9 s").await;
    assert_eq!(answering().await, 1, "one it had sent may still be on its way");
    aged("0.3 s").await;
    assert_eq!(answering().await, 0);
    assert_eq!(heartbeat::forget_silent(&world.database).await.unwrap(), 0);
    aged("10 min").await;
    assert_eq!(heartbeat::forget_silent(&world.database).await.unwrap(), 1);
}

#[tokio::test]
async fn a_heartbeat_connects_anew_after_a_loss() {
    let world = world().await;
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", LEASE, LIMIT);
    beating.beat(at(0)).await.unwrap();
    assert_eq!(world.terminate("heartbeat").await, 1);
    let lost = beating.beat(at(0)).await.unwrap_err();
    assert!(matches!(lost, LogError::Unavailable(_)), "{lost}");
    beating.beat(at(0)).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_cannot_commit_fails_within_its_limit() {
    let world = world().await;
    let limit = Duration::from_millis(200);
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", LEASE, limit);
    beating.beat(at(0)).await.unwrap();
    let mut locker = world.database.connect("locker", &[]).await.unwrap();
    let transaction = locker.transaction().await.unwrap();
    transaction.execute("UPDATE log.verifiers SET beat_at = beat_at", &[]).await.unwrap();
    let begun = Instant::now();
    let late = beating.beat(at(0)).await.unwrap_err();
    assert!(matches!(late, LogError::Unavailable(_)), "{late}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    transaction.rollback().await.unwrap();
    beating.beat(at(0)).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_was_given_up_and_arrives_behind_a_later_one_changes_nothing() {
    let world = world().await;
    let limit = Duration::from_millis(300);
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", LEASE, limit);
    beating.beat(at(1)).await.unwrap();
    let client = world.database.client().await.unwrap();
    let backends = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name LIKE '%heartbeat'";
    let pid: i32 = client.query_one(backends, &[]).await.unwrap().get(0);
    let backend = Pid::from_raw(pid).unwrap();
    kill_process(backend, Signal::STOP).unwrap();
    let late = beating.beat(Sign { answers: false, ..at(1) }).await.unwrap_err();
    assert!(matches!(late, LogError::Unavailable(_)), "{late}");
    beating.beat(at(2)).await.unwrap();
    kill_process(backend, Signal::CONT).unwrap();
    eventually("the late one was done, and its backend has ended", SOON, async || {
        let gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        client.query_one(gone, &[&pid]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
    let live = Roll::new(&world.database, LIMIT).answering().await.unwrap();
    let [only] = &live[..] else { panic!("barriers no longer see it: {live:?}") };
    assert_eq!(only.applied_position, Position::new(2));
}
