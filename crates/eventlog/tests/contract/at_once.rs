//! A writer that nobody disturbs writes in one round trip; whatever it took for granted and is not so
//! costs a second look and nothing else.

use std::time::Duration;

use eventlog::{
    Append, AppendOutcome, EventLog, EventLogOptions, Expected, Fault, LogError, Position, Revision,
};
use jiff::{SignedDuration, Timestamp};
use testkit::{Direction, FaultProxy, Moment};

use crate::setup::{World, appended, chain, command, connect_to, event, one, open, part, world};
use crate::setup::{new_id, request, stream};

/// The event after the given number of events of a stream.
fn nth(name: &str, before: u64) -> Append {
    one(name, expected(before))
}

fn expected(before: u64) -> Expected {
    if before == 0 { Expected::NoStream } else { Expected::Exact(Revision::new(before)) }
}

/// A writer that has found itself alone; its stream "warm" has as many events as are answered.
async fn alone(log: &EventLog) -> u64 {
    for before in 0..3 {
        appended(log.append(nth("warm", before)).await);
    }
    3
}

/// What the writer last sent.
async fn last_statement(world: &World) -> String {
    let sql = "SELECT query FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name = 'keyward/writer'";
    world.database.client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
}

async fn wrote_at_once(world: &World) -> bool {
    last_statement(world).await.starts_with("WITH moved")
}

#[tokio::test]
async fn a_lone_writer_writes_in_one_round_trip() {
    let world = world().await;
    let log = world.log().await;
    let before = alone(&log).await;
    assert!(wrote_at_once(&world).await);
    let stored = appended(log.append(nth("warm", before)).await);
    assert_eq!((stored.first, stored.last), (Position::new(4), Position::new(4)));
    let several = command(vec![part("a", Expected::NoStream, 2), part("b", Expected::NoStream, 1)]);
    let stored = appended(log.append(several).await);
    assert_eq!((stored.first, stored.last), (Position::new(5), Position::new(7)));
    assert!(wrote_at_once(&world).await);
    assert_eq!(world.assert_dense().await, 7);
    // What leaves open where its stream is has to be looked at.
    appended(log.append(one("warm", Expected::Any)).await);
    assert!(!wrote_at_once(&world).await);
    world.assert_dense().await;
}

type Wanted = fn(&Result<AppendOutcome, LogError>) -> bool;

#[tokio::test]
async fn a_wrong_guess_is_answered_as_if_nothing_had_been_guessed() {
    let world = world().await;
    let log = world.log().await;
    alone(&log).await;
    let named = Append { request: Some(request("r", 1)), ..nth("warm", 3) };
    let first = appended(log.append(named).await);
    let id = new_id();
    let mut known = nth("ids", 0);
    known.streams[0].events[0].event_id = id;
    appended(log.append(known.clone()).await);

    for round in 0..3 {
        assert!(wrote_at_once(&world).await, "{round}");
        let (refused, wanted): (Append, Wanted) = match round {
            0 => (
                nth("warm", 2),
                |answer| matches!(answer, Err(LogError::Conflict { actual: Some(at), .. }) if at.get() > 3),
            ),
            1 => (nth("warm", 0), |answer| matches!(answer, Err(LogError::Conflict { .. }))),
            _ => {
                let mut taken = nth("other", 0);
                taken.streams[0].events[0].event_id = id;
                (taken, |answer| matches!(answer, Err(LogError::DuplicateEvent { .. })))
            }
        };
        let answer = log.append(refused).await;
        assert!(wanted(&answer), "{round}: {answer:?}");
        // Back to one round trip.
        for _ in 0..3 {
            let at = log.read_stream(&stream("warm")).await.unwrap().len() as u64;
            appended(log.append(nth("warm", at)).await);
        }
    }
    let again = Append { request: Some(request("r", 1)), ..nth("elsewhere", 0) };
    let AppendOutcome::Repeated(stored) = log.append(again).await.unwrap() else {
        panic!("the request was answered before");
    };
    assert_eq!(stored.position, first.last);
    // The same events again are told where they are.
    let told = appended(log.append(known).await);
    assert_eq!(log.read_from(told.first, 0).await.unwrap().len(), 0);
    assert_eq!(log.read_stream(&stream("ids")).await.unwrap().len(), 1);
    world.assert_dense().await;
}

#[tokio::test]
async fn commands_of_one_batch_that_disagree_each_get_the_truth() {
    let world = world().await;
    let log = world.log().await;
    let at = alone(&log).await;
    let mut right = 0;
    world
        .while_head_is_locked(async {
            // The first goes alone and waits for the head; the others gather behind it.
            let mut waiting = Vec::new();
            for _ in 0..8 {
                let log = log.clone();
                waiting.push(tokio::spawn(async move { log.append(nth("warm", at)).await }));
            }
            world.writers_wait(1).await;
            right = waiting.len();
            tokio::spawn(async move {
                let mut stored = 0;
                for answer in waiting {
                    match answer.await.unwrap() {
                        Ok(_) => stored += 1,
                        Err(LogError::Conflict { actual, .. }) => {
                            assert_eq!(actual, Some(Revision::new(at + 1)));
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                assert_eq!(stored, 1);
            });
        })
        .await;
    assert_eq!(right, 8);
    appended(log.append(nth("after", 0)).await);
    assert_eq!(log.read_stream(&stream("warm")).await.unwrap().len() as u64, at + 1);
    world.assert_dense().await;
}

#[tokio::test]
async fn writers_that_disturb_each_other_write_one_dense_log() {
    let world = world().await;
    let (left, right) = (world.log().await, world.log().await);
    let mut counts = [0, 0];
    // Each has runs in which it finds itself alone, and then finds out that it is not.
    for run in [1, 4, 2, 6, 1, 5] {
        for (side, log) in [&left, &right].into_iter().enumerate() {
            for _ in 0..run {
                appended(log.append(nth(["left", "right"][side], counts[side])).await);
                counts[side] += 1;
            }
        }
    }
    assert_eq!(world.assert_dense().await, counts[0] + counts[1]);
}

#[tokio::test]
async fn a_head_that_was_tampered_with_is_not_written_upon() {
    for sql in [
        "UPDATE log.head SET mac = sha256('x')",
        "UPDATE log.head SET epoch = epoch + 1",
        "UPDATE log.head SET position = position - 1, \
             mac = (SELECT mac FROM log.events WHERE position = 2)",
    ] {
        let world = world().await;
        let log = world.log().await;
        let at = alone(&log).await;
        world.tamper(sql).await;
        let refused = log.append(nth("warm", at)).await.unwrap_err();
        assert!(matches!(refused, LogError::Corrupt { .. }), "{sql}: {refused}");
        assert_eq!(world.count("SELECT count(*) FROM log.events").await, 3, "{sql}");
    }
    let world = world().await;
    let log = world.log().await;
    let at = alone(&log).await;
    world.tamper("UPDATE log.head SET log_id = gen_random_uuid()").await;
    let refused = log.append(nth("warm", at)).await.unwrap_err();
    assert!(matches!(refused, LogError::Corrupt { what: Fault::OtherLog { .. }, .. }), "{refused}");
}

#[tokio::test]
async fn an_event_carries_the_databases_time_although_the_database_was_not_asked() {
    let world = world().await;
    let log = world.log().await;
    let mut at = alone(&log).await;
    let database_time = async || -> Timestamp {
        let sql = "SELECT clock_timestamp()";
        world.database.client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    };
    let slack = SignedDuration::from_millis(50);
    for _ in 0..20 {
        let before = database_time().await;
        let stored = appended(log.append(nth("warm", at)).await);
        let after = database_time().await;
        at += 1;
        assert!(stored.recorded_at > before - slack, "{} {before}", stored.recorded_at);
        assert!(stored.recorded_at < after + slack, "{} {after}", stored.recorded_at);
    }
    assert!(wrote_at_once(&world).await);
}

#[tokio::test]
async fn an_unknown_outcome_of_one_round_trip_is_resolved_by_reading_the_log() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let log = open(&connect_to(&format!("{}?sslmode=disable", proxy.url_for(&world.test)))).await;
    let mut at = 0;
    for round in 0..12 {
        for _ in 0..3 {
            appended(log.append(nth("s", at)).await);
            at += 1;
        }
        assert!(wrote_at_once(&world).await, "{round}");
        let mut append = nth("s", at);
        append.streams[0].events = vec![event(&format!("thing.cut{round}"))];
        let kind = append.streams[0].events[0].kind.clone();
        let trigger = match round % 3 {
            0 => proxy.cut_at(kind.as_bytes(), Direction::ToServer, Moment::BeforeForwarding),
            1 => proxy.cut_at(kind.as_bytes(), Direction::ToServer, Moment::AfterForwarding),
            _ => proxy.cut_at(b"SELECT 1\0", Direction::ToClient, Moment::BeforeForwarding),
        };
        let stored = appended(log.append(append.clone()).await);
        at += 1;
        assert!(trigger.fired(), "round {round}: the connection was cut");
        assert_eq!(stored.last, Position::new(at), "round {round}: written once");
        assert_eq!(appended(log.append(append).await), stored, "round {round}");
    }
    assert_eq!(world.assert_dense().await, at);
}

#[tokio::test]
async fn a_batch_that_comes_through_late_is_not_written_a_second_time() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let options = EventLogOptions {
        round_trip_timeout: Duration::from_millis(200),
        resolve_for: Duration::from_secs(20),
        ..EventLogOptions::default()
    };
    let database = connect_to(&format!("{}?sslmode=disable", proxy.url_for(&world.test)));
    let log = EventLog::open(&database, chain(), options).await.unwrap();
    let mut at = 0;
    for _ in 0..5 {
        for _ in 0..3 {
            appended(log.append(nth("s", at)).await);
            at += 1;
        }
        // The statement is held until the writer has given it up and is on its second look; then
        // both come through, in whatever order.
        proxy.pause();
        let accepted = proxy.accepted();
        let writing = tokio::spawn({
            let (log, append) = (log.clone(), nth("s", at));
            async move { log.append(append).await }
        });
        testkit::eventually("the writer connects anew", crate::setup::SOON, async || {
            proxy.accepted() > accepted
        })
        .await;
        proxy.resume();
        let stored = appended(writing.await.unwrap());
        at += 1;
        assert_eq!(stored.last, Position::new(at));
    }
    assert_eq!(world.assert_dense().await, at);
}
