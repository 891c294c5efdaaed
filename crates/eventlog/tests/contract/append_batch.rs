//! Commands that share a batch, wait for one, or are given up while they wait.

use std::time::Duration;

use eventlog::{
    Append, AppendOutcome, EventLog, EventLogOptions, Expected, LogError, Position, Revision,
};
use futures_util::future::poll_immediate;
use testkit::eventually;

use crate::setup::{SOON, appended, chain, command, one, part, request, stream, world};

#[tokio::test]
async fn a_conflict_inside_one_batch_fails_only_its_own_command() {
    let world = world().await;
    let log = world.log().await;
    let send = |append: Append| {
        let log = log.clone();
        tokio::spawn(async move { log.append(append).await })
    };
    let filler = one("filler", Expected::Any);
    let mut waiting = Vec::new();
    world
        .while_head_is_locked(async {
            // The filler becomes a batch of its own, which waits; the others gather behind it.
            waiting.push(send(filler));
            world.writers_wait(1).await;
            waiting.push(send(command(vec![part("s", Expected::NoStream, 2)])));
            waiting.push(send(one("s", Expected::NoStream)));
            waiting.push(send(one("s", Expected::Exact(Revision::new(2)))));
            waiting.push(send(one("t", Expected::NoStream)));
            tokio::task::yield_now().await;
        })
        .await;
    let mut answers = Vec::new();
    for task in waiting {
        answers.push(task.await.unwrap());
    }
    let refused = answers.remove(2).unwrap_err();
    let LogError::Conflict { actual, .. } = refused else { panic!("{refused}") };
    assert_eq!(actual, Some(Revision::new(2)), "the neighbour's revision was seen");
    let places: Vec<_> = answers.into_iter().map(appended).collect();
    assert_eq!(places[1].recorded_at, places[3].recorded_at, "they shared a batch");
    assert_eq!(places.iter().map(|p| p.last.get()).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(world.assert_dense().await, 5);
}

#[tokio::test]
async fn a_request_repeated_inside_one_batch_is_written_once() {
    let world = world().await;
    let log = world.log().await;
    let again = || Append { request: Some(request("r", 3)), ..one("s", Expected::Any) };
    let same_ids = one("ids", Expected::NoStream);
    let (filler, first, second, third, fourth) = tokio::join!(
        log.append(one("filler", Expected::Any)),
        log.append(again()),
        log.append(again()),
        log.append(same_ids.clone()),
        log.append(same_ids),
    );
    appended(filler);
    let first = appended(first);
    let AppendOutcome::Repeated(repeated) = second.unwrap() else { panic!("not repeated") };
    assert_eq!((repeated.position, repeated.content_digest), (first.last, [3; 32]));
    assert_eq!(third.unwrap(), fourth.unwrap(), "the same events are in one place");
    assert_eq!(world.assert_dense().await, 3);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing_it_took() {
    let world = world().await;
    let options = EventLogOptions { queue: 2, ..EventLogOptions::default() };
    let log = EventLog::open(&world.database, chain(), options).await.unwrap();
    let mut in_work = Box::pin(log.append(one("s", Expected::Any)));
    let mut first = Box::pin(log.append(one("s", Expected::Any)));
    let mut second = Box::pin(log.append(one("s", Expected::Any)));
    world
        .while_head_is_locked(async {
            assert!(poll_immediate(&mut in_work).await.is_none());
            world.writers_wait(1).await;
            assert!(poll_immediate(&mut first).await.is_none());
            assert!(poll_immediate(&mut second).await.is_none());
            let refused = poll_immediate(log.append(one("s", Expected::Any))).await;
            assert!(matches!(refused, Some(Err(LogError::Overloaded))));
        })
        .await;
    appended(in_work.await);
    appended(first.await);
    appended(second.await);
    assert_eq!(world.assert_dense().await, 3);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_batch() {
    let world = world().await;
    let log = world.log().await;
    world
        .while_head_is_locked(async {
            let appending = log.append(one("s", Expected::NoStream));
            let gone = tokio::time::timeout(Duration::from_millis(50), appending).await;
            assert!(gone.is_err());
            world.writers_wait(1).await;
        })
        .await;
    eventually("the batch is committed", SOON, async || {
        log.head().await.unwrap().position == Position::new(1)
    })
    .await;
    assert_eq!(log.read_stream(&stream("s")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn closing_the_log_waits_for_the_append_under_way_and_refuses_others() {
    let world = world().await;
    let log = world.log().await;
    let mut under_way = None;
    world
        .while_head_is_locked(async {
            let clone = log.clone();
            let append = async move { clone.append(one("s", Expected::Any)).await };
            under_way = Some(tokio::spawn(append));
            world.writers_wait(1).await;
            let closed = tokio::time::timeout(Duration::from_millis(50), log.clone().close()).await;
            assert!(closed.is_err(), "it waits");
            let refused = log.append(one("s", Expected::Any)).await.unwrap_err();
            assert!(matches!(refused, LogError::Unavailable(_)), "{refused}");
        })
        .await;
    log.close().await;
    assert_eq!(world.count("SELECT count(*) FROM log.events").await, 1);
    let answered = under_way.unwrap().await.unwrap();
    assert_eq!(appended(answered).last, Position::new(1));
    log.close().await;
}
