//! Followers: woken in every way, stopped by nothing but corruption.

use std::time::{Duration, Instant};

use eventlog::{
    Expected, LogError, Position, RecordedEvent, Revision, StartAt, Subscription,
    SubscriptionOptions,
};
use testkit::FaultProxy;

use crate::setup::{SOON, World, appended, chain, connect_to, fill, one, world};

async fn follower(world: &World, options: SubscriptionOptions) -> Subscription {
    let start = StartAt::After(Position::ZERO);
    Subscription::open(&world.database, chain(), start, options).await.unwrap()
}

/// Reads on, over outages, until the position is reached.
async fn follow_to(follower: &mut Subscription, position: Position) -> Vec<RecordedEvent> {
    let following = async {
        let mut events = Vec::new();
        while follower.position() < position {
            match follower.next_batch().await {
                Ok(batch) => events.extend(batch.events),
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
        }
        events
    };
    tokio::time::timeout(SOON, following).await.unwrap()
}

/// A pause so long that a test which needs it would fail.
fn never_polling() -> SubscriptionOptions {
    let never = Duration::from_secs(3_600);
    SubscriptionOptions { poll_min: never, poll_max: never, ..SubscriptionOptions::default() }
}

#[tokio::test]
async fn a_follower_reads_in_batches_and_knows_when_it_caught_up() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 25).await;
    let options = SubscriptionOptions { batch: 10, ..SubscriptionOptions::default() };
    let mut follower = follower(&world, options).await;
    let mut sizes = Vec::new();
    loop {
        let batch = follower.next_batch().await.unwrap();
        sizes.push(batch.events.len());
        assert_eq!(batch.head.position, Position::new(25));
        if batch.caught_up(follower.position()) {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    let idle = follower.next_batch().await.unwrap();
    assert!(idle.events.is_empty() && idle.caught_up(follower.position()));
    assert_eq!(follower.verified(), log.head().await.unwrap());
}

#[tokio::test]
async fn a_local_commit_wakes_a_follower_that_does_not_listen() {
    let world = world().await;
    let log = world.log().await;
    let options =
        SubscriptionOptions { listen: false, commits: Some(log.commits()), ..never_polling() };
    let mut follower = follower(&world, options).await;
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    let (read, _) = tokio::join!(follow_to(&mut follower, Position::new(3)), fill(&log, 3));
    assert_eq!(read.len(), 3);
}

#[tokio::test]
async fn what_is_committed_here_is_not_read_back() {
    let world = world().await;
    let log = world.log().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let database = connect_to(&format!("{}?sslmode=disable", proxy.url_for(&world.test)));
    let options = SubscriptionOptions { commits: Some(log.commits()), ..never_polling() };
    let start = StartAt::After(Position::ZERO);
    let mut follower = Subscription::open(&database, chain(), start, options).await.unwrap();
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    proxy.pause();
    let (read, _) = tokio::join!(follow_to(&mut follower, Position::new(20)), fill(&log, 20));
    assert_eq!(follower.verified(), log.head().await.unwrap());
    // The same as what is stored, to the byte.
    proxy.resume();
    let stored = log.read_from(Position::ZERO, 100).await.unwrap();
    assert_eq!(format!("{read:?}"), format!("{stored:?}"));
}

#[tokio::test]
async fn what_others_commit_between_local_commits_is_read_in_its_place() {
    let world = world().await;
    let (here, elsewhere) = (world.log().await, world.log().await);
    let options = SubscriptionOptions {
        batch: 3,
        listen: false,
        commits: Some(here.commits()),
        ..never_polling()
    };
    let mut follower = follower(&world, options).await;
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    let mut read = Vec::new();
    for run in [1, 5, 0, 40, 2] {
        fill(&elsewhere, run).await;
        let position = fill(&here, 1 + run).await;
        read.extend(follow_to(&mut follower, position).await);
    }
    let positions: Vec<_> = read.iter().map(|event| event.position.get()).collect();
    assert_eq!(positions, (1..=101).collect::<Vec<_>>());
    assert_eq!(follower.verified(), here.head().await.unwrap());
}

#[tokio::test]
async fn a_local_commit_on_another_history_stops_the_follower() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 5).await;
    let options = SubscriptionOptions { commits: Some(log.commits()), ..never_polling() };
    let mut follower = follower(&world, options).await;
    assert_eq!(follower.next_batch().await.unwrap().events.len(), 5);
    // Another event at the last position, and a writer that has gone on from there.
    world
        .tamper(
            "DELETE FROM log.events WHERE position = 5; UPDATE log.head SET position = 4, \
             mac = (SELECT mac FROM log.events WHERE position = 4)",
        )
        .await;
    log.append(one("s", Expected::Any)).await.unwrap_err();
    fill(&log, 2).await;
    let stopped = follower.next_batch().await.unwrap_err();
    assert!(matches!(stopped, LogError::Corrupt { .. }), "{stopped}");
}

#[tokio::test]
async fn a_notification_wakes_a_follower_of_another_program() {
    let world = world().await;
    let log = world.log().await;
    let mut follower = follower(&world, never_polling()).await;
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    let (read, _) = tokio::join!(follow_to(&mut follower, Position::new(3)), fill(&log, 3));
    assert_eq!(read.len(), 3);
}

#[tokio::test]
async fn a_writer_that_is_told_so_wakes_nobody_until_told_otherwise() {
    let world = world().await;
    let log = world.log().await;
    let mut follower = follower(&world, never_polling()).await;
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    log.notify_others(false);
    // Both ways to write: one that leaves open where its stream is, and several that do not.
    fill(&log, 1).await;
    for revision in 1..4 {
        let expected = Expected::Exact(Revision::new(revision));
        appended(log.append(one("s-0", expected)).await);
    }
    let quiet = tokio::time::timeout(Duration::from_millis(300), follower.next_batch()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    log.notify_others(true);
    appended(log.append(one("s-0", Expected::Exact(Revision::new(4)))).await);
    assert_eq!(follow_to(&mut follower, Position::new(5)).await.len(), 5);
}

#[tokio::test]
async fn without_notifications_a_follower_is_late_by_one_pause_only() {
    let world = world().await;
    let log = world.log().await;
    let options = SubscriptionOptions { listen: false, ..SubscriptionOptions::default() };
    let mut follower = follower(&world, options).await;
    assert!(follower.next_batch().await.unwrap().events.is_empty());
    let position = fill(&log, 3).await;
    let begun = Instant::now();
    let read = follow_to(&mut follower, position).await;
    assert_eq!(read.len(), 3);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_lost_connection_costs_no_event() {
    let world = world().await;
    let log = world.log().await;
    let mut follower = follower(&world, never_polling()).await;
    let mut read = Vec::new();
    for round in 1..=5 {
        read.extend(follow_to(&mut follower, fill(&log, 4).await).await);
        assert_eq!(world.terminate("follower").await, 1, "round {round}");
        let lost = loop {
            match follower.next_batch().await {
                Ok(batch) => assert!(batch.events.is_empty()),
                Err(error) => break error,
            }
        };
        assert!(matches!(lost, LogError::Unavailable(_)), "{lost}");
    }
    let position = fill(&log, 4).await;
    read.extend(follow_to(&mut follower, position).await);
    let positions: Vec<_> = read.iter().map(|event| event.position.get()).collect();
    assert_eq!(positions, (1..=24).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_silent_database_is_unavailable_within_the_read_timeout() {
    let world = world().await;
    let log = world.log().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let database = connect_to(&format!("{}?sslmode=disable", proxy.url_for(&world.test)));
    let options = SubscriptionOptions {
        read_timeout: Duration::from_millis(200),
        ..SubscriptionOptions::default()
    };
    let start = StartAt::After(Position::ZERO);
    let mut follower = Subscription::open(&database, chain(), start, options).await.unwrap();
    follower.next_batch().await.unwrap();
    proxy.blackhole();
    let begun = Instant::now();
    let silent = follower.next_batch().await.unwrap_err();
    assert!(matches!(silent, LogError::Unavailable(_)), "{silent}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    proxy.resume();
    let position = fill(&log, 2).await;
    assert_eq!(follow_to(&mut follower, position).await.len(), 2);
}

#[tokio::test]
async fn a_dropped_read_loses_no_event() {
    let world = world().await;
    let log = world.log().await;
    let position = fill(&log, 40).await;
    let options = SubscriptionOptions { batch: 7, ..SubscriptionOptions::default() };
    let mut follower = follower(&world, options).await;
    let mut read = Vec::new();
    let mut patience = Duration::from_micros(20);
    while follower.position() < position {
        patience *= 2;
        if let Ok(batch) = tokio::time::timeout(patience, follower.next_batch()).await {
            read.extend(batch.unwrap().events);
            patience = Duration::from_micros(20);
        }
    }
    let positions: Vec<_> = read.iter().map(|event| event.position.get()).collect();
    assert_eq!(positions, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_follower_starts_where_it_is_told() {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 10).await;
    let open =
        |start| Subscription::open(&world.database, chain(), start, SubscriptionOptions::default());
    for after in [0, 1, 2, 9, 10] {
        let mut follower = open(StartAt::After(Position::new(after))).await.unwrap();
        let events = follower.next_batch().await.unwrap().events;
        assert_eq!(u64::try_from(events.len()).unwrap(), 10 - after, "after {after}");
    }
    let beyond = open(StartAt::After(Position::new(11))).await.unwrap_err();
    assert!(matches!(beyond, LogError::Corrupt { .. }), "{beyond}");

    let known = log.head().await.unwrap();
    appended(log.append(one("s", Expected::Any)).await);
    let mut follower = open(StartAt::Known(known)).await.unwrap();
    assert_eq!(follower.next_batch().await.unwrap().events.len(), 1);
    let forged = eventlog::Head { mac: [0; 32], ..known };
    let mut follower = open(StartAt::Known(forged)).await.unwrap();
    assert!(matches!(follower.next_batch().await, Err(LogError::Corrupt { .. })));
}
