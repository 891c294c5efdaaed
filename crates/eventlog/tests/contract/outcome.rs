//! Connections that die around COMMIT: none lost, none doubled, and never a guess.

use std::time::Duration;

use eventlog::{
    Append, Database, DatabaseOptions, EventLog, EventLogOptions, Expected, LogError, Position,
    Revision,
};
use testkit::{Direction, FaultProxy, Moment, eventually};

use crate::setup::{SOON, World, appended, chain, connect_to, one, open, request, stream, world};

const COMMIT: &[u8] = b"COMMIT\0";

async fn through(world: &World, proxy: &FaultProxy) -> EventLog {
    let url = format!("{}?sslmode=disable", proxy.url_for(&world.test));
    open(&connect_to(&url)).await
}

#[tokio::test]
async fn an_unknown_outcome_is_resolved_by_reading_the_log() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let log = through(&world, &proxy).await;
    let moments = [
        (Direction::ToServer, Moment::BeforeForwarding),
        (Direction::ToServer, Moment::AfterForwarding),
        (Direction::ToClient, Moment::BeforeForwarding),
    ];
    let mut written = 0;
    for round in 0..30 {
        let (direction, moment) = moments[round % moments.len()];
        let trigger = proxy.cut_at(COMMIT, direction, moment);
        let digest = u8::try_from(round).unwrap();
        let append = Append {
            request: Some(request(&format!("r-{round}"), digest)),
            ..one("s", Expected::Any)
        };
        let stored = appended(log.append(append.clone()).await);
        assert!(trigger.fired(), "round {round}: the connection was cut");
        written += 1;
        assert_eq!(stored.last, Position::new(written), "round {round}: written once");
        assert_eq!(
            appended(log.append(append).await),
            stored,
            "round {round}: answered with truth"
        );
    }
    assert_eq!(world.assert_dense().await, written);
    let read = log.read_stream(&stream("s")).await.unwrap();
    assert_eq!(u64::try_from(read.len()).unwrap(), written);
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_said_so_and_told_later() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let url = format!("{}?sslmode=disable", proxy.url_for(&world.test));
    let options = EventLogOptions {
        resolve_for: Duration::from_millis(200),
        retry_for: Duration::from_millis(200),
        ..EventLogOptions::default()
    };
    let log = EventLog::open(&connect_to(&url), chain(), options).await.unwrap();
    for (direction, moment) in [
        (Direction::ToClient, Moment::BeforeForwarding),
        (Direction::ToServer, Moment::BeforeForwarding),
    ] {
        let before = world.count("SELECT count(*) FROM log.events").await;
        let trigger = proxy.cut_all_at(COMMIT, direction, moment);
        let append = one("s", Expected::Any);
        let unknown = log.append(append.clone()).await.unwrap_err();
        assert!(trigger.fired());
        assert!(matches!(unknown, LogError::OutcomeUnknown(_)), "{unknown}");
        let refused = log.append(one("t", Expected::Any)).await.unwrap_err();
        assert!(matches!(refused, LogError::Unavailable(_)), "nothing of it was sent: {refused}");
        proxy.resume();
        appended(log.append(append).await);
        assert_eq!(world.count("SELECT count(*) FROM log.events").await, before + 1);
    }
    world.assert_dense().await;
}

#[tokio::test]
async fn a_database_that_falls_silent_is_noticed_and_nothing_is_doubled() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let url = format!("{}?sslmode=disable", proxy.url_for(&world.test));
    let short = Duration::from_millis(300);
    let database = DatabaseOptions { connect_timeout: short, ..DatabaseOptions::default() };
    let database = Database::new(&url, database).unwrap();
    let options = EventLogOptions {
        round_trip_timeout: short,
        retry_for: short,
        ..EventLogOptions::default()
    };
    let log = EventLog::open(&database, chain(), options).await.unwrap();
    appended(log.append(one("s", Expected::Any)).await);
    proxy.blackhole();
    let append = one("s", Expected::Any);
    let refused = log.append(append.clone()).await.unwrap_err();
    assert!(matches!(refused, LogError::Unavailable(_)), "{refused}");
    proxy.resume();
    appended(log.append(append).await);
    assert_eq!(world.assert_dense().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_killed_under_load_lose_and_double_nothing() {
    const WRITERS: usize = 8;
    let world = world().await;
    let log = world.log().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (log, stop) = (log.clone(), stop.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                while !stop.is_cancelled() {
                    // Half of them let the writer guess where their stream is.
                    let expected = match u64::try_from(acknowledged.len()).unwrap() {
                        _ if writer % 2 == 0 => Expected::Any,
                        0 => Expected::NoStream,
                        revision => Expected::Exact(Revision::new(revision)),
                    };
                    let append = one(&format!("w-{writer}"), expected);
                    let id = append.streams[0].events[0].event_id;
                    acknowledged.push((id, appended(log.append(append).await).last));
                }
                acknowledged
            })
        })
        .collect();
    let mut killed = 0;
    eventually("many backends were killed", SOON * 3, async || {
        killed += world.terminate("writer").await;
        killed >= 40
    })
    .await;
    stop.cancel();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let count = world.assert_dense().await;
    assert_eq!(count, u64::try_from(acknowledged.len()).unwrap(), "one event each, none doubled");
    acknowledged.sort_by_key(|(_, position)| *position);
    let mut after = Position::ZERO;
    for chunk in acknowledged.chunks(500) {
        let stored = log.read_from(after, chunk.len()).await.unwrap();
        for ((id, position), event) in chunk.iter().zip(&stored) {
            assert_eq!((event.event_id, event.position), (*id, *position));
            after = event.position;
        }
    }
}
