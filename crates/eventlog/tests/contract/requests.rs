//! Clients' requests beside the log: those without events, and how they are cleared and forgotten.

use eventlog::{
    Append, AppendOutcome, EventLog, Expected, LogError, NewRequest, Position, RequestKey,
    Revision, StoredRequest,
};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use testkit::{Direction, FaultProxy, Moment, eventually};
use tokio_postgres::{AsyncMessage, NoTls};

use crate::setup::{SOON, World, appended, command, connect_to, one, open, part, request, world};

/// Nothing to append: `s` is as it should be, at this revision.
fn nothing(id: &str, at: u64) -> Append {
    let rests_on = Position::new(at);
    Append {
        request: Some(NewRequest { rests_on, ..request(id, 7) }),
        ..command(vec![part("s", Expected::Exact(Revision::new(at)), 0)])
    }
}

async fn stored(log: &EventLog, id: &str) -> Option<StoredRequest> {
    let NewRequest { workspace, caller, rpc, request_id, .. } = request(id, 0);
    log.find_request(&RequestKey { workspace, caller, rpc, request_id }).await.unwrap()
}

#[tokio::test]
async fn a_request_without_events_is_remembered_and_moves_nothing() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(one("s", Expected::NoStream)).await);
    let (listener, mut connection) =
        tokio_postgres::connect(world.test.url(), NoTls).await.unwrap();
    let woken = stream::poll_fn(move |cx| connection.poll_message(cx));
    let (woken, listening) = (tokio::spawn(woken.take(1).collect::<Vec<_>>()), listener);
    listening.batch_execute("LISTEN keyward_log").await.unwrap();
    let head = log.head().await.unwrap();

    let outcome = log.append(nothing("r", 1)).await.unwrap();
    assert_eq!(outcome, AppendOutcome::Remembered(Position::new(1)));
    assert_eq!(log.head().await.unwrap(), head);
    let kept = stored(&log, "r").await.unwrap();
    assert_eq!(
        (kept.position, kept.sealed_reply.as_deref()),
        (head.position, Some(&[7, 1, 2][..]))
    );
    assert_eq!(log.append(nothing("r", 1)).await.unwrap(), AppendOutcome::Repeated(kept));

    appended(log.append(one("s", Expected::Any)).await);
    let messages = woken.await.unwrap();
    let [Ok(AsyncMessage::Notification(first))] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(first.payload(), "2", "nobody was woken for the request");
    assert_eq!(world.assert_dense().await, 2);
}

#[tokio::test]
async fn a_request_without_events_is_not_remembered_once_its_streams_have_moved() {
    let world = world().await;
    let log = world.log().await;
    appended(log.append(command(vec![part("s", Expected::NoStream, 2)])).await);
    let refused = log.append(nothing("r", 1)).await.unwrap_err();
    let LogError::Conflict { actual, .. } = refused else { panic!("{refused}") };
    assert_eq!(actual, Some(Revision::new(2)));
    assert_eq!(stored(&log, "r").await, None);
}

#[tokio::test]
async fn of_many_equal_requests_without_events_one_is_remembered_and_answers_all() {
    let world = world().await;
    let logs = [world.log().await, world.log().await];
    appended(logs[0].append(one("s", Expected::NoStream)).await);
    let each = |index: usize| logs[index % 2].append(nothing("r", 1));
    let answers = join_all((0..200).map(each)).await;
    let kept = stored(&logs[0], "r").await.unwrap();
    let mut remembered = 0;
    for answer in answers {
        match answer.unwrap() {
            AppendOutcome::Remembered(position) => {
                assert_eq!(position, Position::new(1));
                remembered += 1;
            }
            AppendOutcome::Repeated(stored) => assert_eq!(stored, kept),
            AppendOutcome::Appended(appended) => panic!("{appended:?}"),
        }
    }
    assert_eq!(remembered, 1);
}

#[tokio::test]
async fn a_request_without_events_survives_a_connection_cut_around_commit() {
    let world = world().await;
    let proxy = FaultProxy::in_front_of(&world.test);
    let url = format!("{}?sslmode=disable", proxy.url_for(&world.test));
    let log = open(&connect_to(&url)).await;
    appended(log.append(one("s", Expected::NoStream)).await);
    let moments = [
        (Direction::ToServer, Moment::BeforeForwarding),
        (Direction::ToServer, Moment::AfterForwarding),
        (Direction::ToClient, Moment::BeforeForwarding),
    ];
    for (round, (direction, moment)) in moments.into_iter().enumerate() {
        let trigger = proxy.cut_at(b"COMMIT\0", direction, moment);
        let id = format!("r-{round}");
        let outcome = log.append(nothing(&id, 1)).await.unwrap();
        assert!(trigger.fired(), "round {round}: the connection was cut");
        let kept = stored(&log, &id).await.unwrap();
        let told = [AppendOutcome::Remembered(kept.position), AppendOutcome::Repeated(kept)];
        assert!(told.contains(&outcome), "round {round}: {outcome:?}");
    }
    assert_eq!(world.assert_dense().await, 1);
}

const LONG_AGO: &str = "2000-01-01T00:00:00Z";

/// So many requests whose replies were due to be cleared long ago; sealed still, or not.
async fn old(world: &World, name: &str, count: u32, reply: &str) {
    let sql = format!(
        "INSERT INTO log.requests SELECT 'ws_1', 'caller', 'Create', '{name}-' || number, \
         decode(repeat('00', 32), 'hex'), 1, {reply}, '{LONG_AGO}' \
         FROM generate_series(1, {count}) AS number"
    );
    world.sql(&sql).await;
}

#[tokio::test]
async fn old_requests_are_cleared_and_forgotten_a_thousand_at_a_time_by_several_at_once() {
    let world = world().await;
    let logs = [world.log().await, world.log().await];
    old(&world, "old", 2_500, "'\\x00'").await;
    world
        .sql(
            "CREATE TABLE changes (kind text, rows bigint); \
             CREATE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 INSERT INTO changes SELECT TG_OP, count(*) FROM changed; RETURN NULL; END $$; \
             CREATE TRIGGER cleared AFTER UPDATE ON log.requests REFERENCING NEW TABLE AS changed \
                 FOR EACH STATEMENT EXECUTE FUNCTION count_changes(); \
             CREATE TRIGGER forgotten AFTER DELETE ON log.requests REFERENCING OLD TABLE AS changed \
                 FOR EACH STATEMENT EXECUTE FUNCTION count_changes()",
        )
        .await;
    let now = LONG_AGO.parse().unwrap();
    let purged = join_all(logs.iter().map(|log| log.purge_requests(now))).await;
    assert_eq!(purged.into_iter().map(Result::unwrap).sum::<u64>(), 2_500);
    assert_eq!(world.count("SELECT count(sealed_reply) FROM log.requests").await, 0);
    let forgotten = join_all(logs.iter().map(|log| log.forget_requests(now))).await;
    assert_eq!(forgotten.into_iter().map(Result::unwrap).sum::<u64>(), 2_500);
    assert_eq!(world.count("SELECT count(*) FROM log.requests").await, 0);
    assert_eq!(world.count("SELECT max(rows) FROM changes").await, 1_000);
    assert_eq!(world.count("SELECT sum(rows)::bigint FROM changes").await, 5_000);
}

#[tokio::test]
async fn clearing_replies_does_not_read_those_cleared_before() {
    let world = world().await;
    let log = world.log().await;
    old(&world, "cleared", 5_000, "NULL").await;
    old(&world, "sealed", 3, "'\\x00'").await;
    world.sql("ANALYZE log.requests").await;
    assert_eq!(log.purge_requests(LONG_AGO.parse().unwrap()).await.unwrap(), 3);
    eventually("the look-up is counted", SOON, async || {
        let read = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes \
             WHERE indexrelname = 'requests_sealed_idx'";
        world.count(read).await == 3
    })
    .await;
    let others = "SELECT (sum(idx_tup_read) + sum(seq_tup_read))::bigint \
         FROM pg_stat_user_indexes JOIN pg_stat_user_tables USING (relid) \
         WHERE indexrelname = 'requests_expires_at_idx'";
    assert_eq!(world.count(others).await, 0);
}
