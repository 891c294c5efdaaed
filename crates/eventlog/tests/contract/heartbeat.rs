//! Heartbeats: committed, seen by others, sent again after a loss.

use std::time::{Duration, Instant};

use eventlog::{Heartbeat, LogError, Position, heartbeat};

use crate::setup::{chain, fill, world};

const LIMIT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_heartbeat_sees_the_head_and_is_seen_by_others() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 3).await;
    let mut one = Heartbeat::new(&world.database, chain(), "v1", LIMIT);
    let mut two = Heartbeat::new(&world.database, chain(), "v2", LIMIT);
    let beat = one.beat(Position::new(2)).await.unwrap();
    assert_eq!(beat.head, log.head().await.unwrap());
    two.beat(Position::new(1)).await.unwrap();
    two.beat(Position::new(3)).await.unwrap();
    let live = heartbeat::live(&world.database, Duration::from_secs(60)).await.unwrap();
    let seen: Vec<_> =
        live.iter().map(|v| (v.verifier_id.as_str(), v.applied_position.get())).collect();
    assert_eq!(seen, [("v1", 2), ("v2", 3)]);
    assert_eq!(live[0].beat_at, beat.database_time);
    one.remove().await.unwrap();
    assert_eq!(heartbeat::live(&world.database, Duration::from_secs(60)).await.unwrap().len(), 1);
    assert!(heartbeat::live(&world.database, Duration::ZERO).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_heartbeat_connects_anew_after_a_loss() {
    let world = world().await;
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", LIMIT);
    beating.beat(Position::ZERO).await.unwrap();
    assert_eq!(world.terminate("heartbeat").await, 1);
    let lost = beating.beat(Position::ZERO).await.unwrap_err();
    assert!(matches!(lost, LogError::Unavailable(_)), "{lost}");
    beating.beat(Position::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_cannot_commit_fails_within_its_limit() {
    let world = world().await;
    let limit = Duration::from_millis(200);
    let mut beating = Heartbeat::new(&world.database, chain(), "v1", limit);
    beating.beat(Position::ZERO).await.unwrap();
    let mut locker = world.database.connect("locker", &[]).await.unwrap();
    let transaction = locker.transaction().await.unwrap();
    transaction.execute("UPDATE log.verifiers SET beat_at = beat_at", &[]).await.unwrap();
    let begun = Instant::now();
    let late = beating.beat(Position::ZERO).await.unwrap_err();
    assert!(matches!(late, LogError::Unavailable(_)), "{late}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    transaction.rollback().await.unwrap();
    beating.beat(Position::ZERO).await.unwrap();
}
