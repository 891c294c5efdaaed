//! One command at a time: what is stored, what is refused, what is repeated.

use eventlog::{
    Append, AppendOutcome, EventLog, EventLogOptions, Expected, Fault, LogError, MAX_BATCH_EVENTS,
    Position, Revision,
};
use tokio_postgres::error::SqlState;

use crate::setup::{
    appended, chain, chain_with, command, connect_to, event, one, part, request, stream, world,
};

#[tokio::test]
async fn what_was_appended_is_given_back_byte_for_byte() {
    let world = world().await;
    let log = world.log().await;
    let mut append = one("s", Expected::NoStream);
    append.streams[0].events[0].payload = b"{\"b\": 1,  \"a\":\"\\u0000\"}".to_vec();
    append.metadata.traceparent = Some("00-aa-bb-01".to_owned());
    let stored = appended(log.append(append.clone()).await);
    assert_eq!((stored.first, stored.last), (Position::new(1), Position::new(1)));

    let read = log.read_stream(&stream("s")).await.unwrap();
    let given = &append.streams[0].events[0];
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].payload, given.payload);
    assert_eq!((read[0].event_id, &read[0].kind), (given.event_id, &given.kind));
    assert_eq!(read[0].metadata().unwrap(), append.metadata);
    assert_eq!(read[0].recorded_at, stored.recorded_at);
    assert_eq!(read[0].revision, Revision::new(1));
    assert_eq!(read, log.read_from(Position::ZERO, 10).await.unwrap());
    assert_eq!(log.head().await.unwrap().mac, read[0].mac);
}

#[tokio::test]
async fn a_stale_expectation_is_a_conflict_and_writes_nothing() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(command(vec![part("s", Expected::NoStream, 2)])).await);
    for expected in [Expected::NoStream, Expected::Exact(Revision::new(1))] {
        let refused = log.append(one("s", expected)).await.unwrap_err();
        let LogError::Conflict { actual, .. } = refused else { panic!("{refused}") };
        assert_eq!(actual, Some(Revision::new(2)));
    }
    let refused = log.append(one("none", Expected::Exact(Revision::new(1)))).await.unwrap_err();
    assert!(matches!(refused, LogError::Conflict { actual: None, .. }), "{refused}");
    let next = log.append(one("s", Expected::Exact(Revision::new(2)))).await;
    assert_eq!(appended(next).first, Position::new(3));
}

#[tokio::test]
async fn an_append_over_two_streams_is_atomic() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(one("b", Expected::NoStream)).await);
    let both = |expected| command(vec![part("a", Expected::NoStream, 2), part("b", expected, 1)]);
    let refused = log.append(both(Expected::NoStream)).await.unwrap_err();
    assert!(matches!(refused, LogError::Conflict { .. }), "{refused}");
    assert!(log.read_stream(&stream("a")).await.unwrap().is_empty());
    let stored = appended(log.append(both(Expected::Exact(Revision::new(1)))).await);
    assert_eq!((stored.first, stored.last), (Position::new(2), Position::new(4)));
}

#[tokio::test]
async fn a_stream_without_events_is_a_condition_only() {
    let world = world().await;
    let log = world.log().await;
    let guarded = |expected| command(vec![part("guard", expected, 0), part("s", Expected::Any, 1)]);
    let refused = log.append(guarded(Expected::Exact(Revision::new(1)))).await.unwrap_err();
    assert!(matches!(refused, LogError::Conflict { .. }), "{refused}");
    appended(log.append(guarded(Expected::NoStream)).await);
    assert!(log.read_stream(&stream("guard")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_repeated_request_is_answered_from_the_first_and_writes_nothing() {
    let world = world().await;
    let log = world.log().await;
    let first = Append { request: Some(request("r1", 7)), ..one("s", Expected::Any) };
    let stored = appended(log.append(first).await);
    for digest in [7, 8] {
        let again = Append { request: Some(request("r1", digest)), ..one("s", Expected::Any) };
        let outcome = log.append(again).await.unwrap();
        let AppendOutcome::Repeated(repeated) = outcome else { panic!("{outcome:?}") };
        assert_eq!(repeated.content_digest, [7; 32], "the first request's, to compare with");
        assert_eq!(repeated.position, stored.last);
        assert_eq!(repeated.sealed_reply, Some(vec![7, 1, 2]));
    }
    let other = Append { request: Some(request("r2", 7)), ..one("s", Expected::Any) };
    appended(log.append(other).await);
    assert_eq!(world.assert_dense().await, 2);
}

#[tokio::test]
async fn a_purged_request_keeps_its_id_and_loses_its_reply() {
    let world = world().await;
    let log = world.log().await;
    let append = Append { request: Some(request("r1", 7)), ..one("s", Expected::Any) };
    appended(log.append(append).await);
    let key = eventlog::RequestKey {
        workspace: "ws_1".into(),
        caller: "caller".into(),
        rpc: "Create".into(),
        request_id: "r1".into(),
    };
    assert_eq!(log.purge_requests("2099-12-31T00:00:00Z".parse().unwrap()).await.unwrap(), 0);
    assert!(log.find_request(&key).await.unwrap().unwrap().sealed_reply.is_some());
    assert_eq!(log.purge_requests("2100-01-01T00:00:00Z".parse().unwrap()).await.unwrap(), 1);
    assert_eq!(log.find_request(&key).await.unwrap().unwrap().sealed_reply, None);
    assert_eq!(log.forget_requests("2100-01-01T00:00:00Z".parse().unwrap()).await.unwrap(), 1);
    assert_eq!(log.find_request(&key).await.unwrap(), None);
}

#[tokio::test]
async fn appending_the_same_event_ids_again_says_where_they_are() {
    let world = world().await;
    let log = world.log().await;
    let mut append = command(vec![part("s", Expected::NoStream, 3)]);
    append.request = Some(request("r", 1));
    let first = log.append(append.clone()).await.unwrap();
    assert_eq!(log.append(append.clone()).await.unwrap(), first);
    append.streams[0].events[1].payload.push(b' ');
    append.request = None;
    let refused = log.append(append).await.unwrap_err();
    assert!(matches!(refused, LogError::DuplicateEvent { .. }), "{refused}");
    assert_eq!(world.assert_dense().await, 3);
}

#[tokio::test]
async fn what_could_fail_a_neighbours_batch_is_refused_at_the_door() {
    let world = world().await;
    let log = world.log().await;
    let with_kind = |kind: &str| {
        let mut append = one("s", Expected::Any);
        append.streams[0].events[0].kind = kind.to_owned();
        append
    };
    let twice = event("e");
    let mut doubled = one("s", Expected::Any);
    doubled.streams[0].events = vec![twice.clone(), twice];
    let refused = [
        with_kind("a\0b"),
        with_kind(""),
        Append { workspace_id: Some("\0".to_owned()), ..one("s", Expected::Any) },
        command(vec![]),
        command(vec![part("s", Expected::Any, 0)]),
        command(vec![part("s", Expected::Any, 1), part("s", Expected::Any, 1)]),
        command(vec![part("s", Expected::Any, MAX_BATCH_EVENTS + 1)]),
        doubled,
    ];
    for append in refused {
        let refused = log.append(append).await.unwrap_err();
        assert!(matches!(refused, LogError::Invalid(_)), "{refused}");
    }
    let most = command(vec![part("s", Expected::Any, MAX_BATCH_EVENTS)]);
    assert_eq!(appended(log.append(most).await).last, Position::new(2_048));
}

#[tokio::test]
async fn another_chain_key_is_refused_at_the_door() {
    let world = world().await;
    for _ in 0..2 {
        let options = EventLogOptions::default();
        let log = EventLog::open(&world.database, chain(), options).await.unwrap();
        appended(log.append(one("s", Expected::Any)).await);
        log.close().await;
        let other = chain_with(b"another key");
        let refused = EventLog::open(&world.database, other, options).await.unwrap_err();
        assert!(matches!(refused, LogError::Corrupt { what: Fault::MacMismatch, .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_writer_refuses_a_log_that_was_put_in_the_place_of_its_own() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(one("s", Expected::Any)).await);
    world.sql("UPDATE log.head SET log_id = gen_random_uuid()").await;
    for _ in 0..2 {
        let refused = log.append(one("s", Expected::Any)).await.unwrap_err();
        assert!(
            matches!(refused, LogError::Corrupt { what: Fault::OtherLog { .. }, .. }),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn events_cannot_be_changed_or_removed_not_even_by_a_superuser() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(one("s", Expected::Any)).await);
    world.sql("CREATE ROLE clerk LOGIN IN ROLE keyward_writer").await;
    let clerk = connect_to(&world.test.url_as("clerk"));
    let client = world.database.client().await.unwrap();
    let changes = [
        "UPDATE log.events SET kind = 'x'",
        "UPDATE log.events SET kind = 'x' WHERE false",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
    ];
    for sql in changes {
        let by_trigger = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(by_trigger.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
        assert!(by_trigger.as_db_error().unwrap().message().contains("append-only"), "{sql}");
        let by_grant = clerk.client().await.unwrap().batch_execute(sql).await.unwrap_err();
        assert_eq!(by_grant.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
        assert!(by_grant.as_db_error().unwrap().message().contains("permission denied"), "{sql}");
    }
    let log = EventLog::open(&clerk, chain(), EventLogOptions::default()).await.unwrap();
    appended(log.append(one("s", Expected::Any)).await);
    world.sql("DROP OWNED BY clerk; DROP ROLE clerk").await;
}
