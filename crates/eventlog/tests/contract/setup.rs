//! A migrated log in a database of its own, and short ways to say what is appended.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eventlog::{
    Append, AppendOutcome, Appended, ChainMac, Database, DatabaseOptions, EventLog,
    EventLogOptions, Expected, LOG_MIGRATIONS, LogError, Metadata, NewEvent, NewRequest, Position,
    StreamAppend, StreamId, migrate,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use testkit::{TestDatabase, eventually};
use uuid::Uuid;

use crate::tally::TALLY_MIGRATIONS;

pub(crate) const ROLES: &str = include_str!("../../../../deploy/roles.sql");
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A database with an empty log in it.
pub(crate) struct World {
    pub(crate) test: TestDatabase,
    pub(crate) database: Database,
}

pub(crate) async fn world() -> World {
    let test = testkit::database_from("eventlog", async |url: &str| {
        let database = connect_to(url);
        database.client().await.unwrap().batch_execute(ROLES).await.unwrap();
        migrate(&database, &[LOG_MIGRATIONS, TALLY_MIGRATIONS]).await.unwrap();
    })
    .await;
    let database = connect_to(test.url());
    World { test, database }
}

pub(crate) fn connect_to(url: &str) -> Database {
    Database::new(url, DatabaseOptions::default()).unwrap()
}

impl World {
    pub(crate) async fn log(&self) -> EventLog {
        open(&self.database).await
    }

    /// Runs SQL as a superuser who has put the triggers out of force.
    pub(crate) async fn tamper(&self, sql: &str) {
        let sql = format!("BEGIN; SET LOCAL session_replication_role = replica; {sql}; COMMIT");
        self.sql(&sql).await;
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.database.client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.database.client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Ends the connections that serve this purpose; says how many.
    pub(crate) async fn terminate(&self, purpose: &str) -> i64 {
        self.count(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'keyward/{purpose}'"
        ))
        .await
    }

    /// The positions in the log are 1, 2, 3 ... up to the head.
    pub(crate) async fn assert_dense(&self) -> u64 {
        let verified = eventlog::verify_log(&self.database, &chain(), |_, _| {}).await.unwrap();
        let stored = self.count("SELECT count(*) FROM log.events").await;
        assert_eq!(stored.cast_unsigned(), verified.position.get());
        verified.position.get()
    }

    /// Runs `during` while nobody can append, then lets them go on.
    pub(crate) async fn while_head_is_locked(&self, during: impl Future<Output = ()>) {
        let mut locker = self.database.connect("locker", &[]).await.unwrap();
        let transaction = locker.transaction().await.unwrap();
        transaction.query_one("SELECT * FROM log.head FOR UPDATE", &[]).await.unwrap();
        during.await;
        transaction.rollback().await.unwrap();
    }

    /// Waits until so many writers wait for the head.
    pub(crate) async fn writers_wait(&self, wanted: i64) {
        eventually("writers wait for the head", SOON, async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock' \
                 AND application_name = 'keyward/writer'";
            self.count(waiting).await == wanted
        })
        .await;
    }
}

pub(crate) async fn open(database: &Database) -> EventLog {
    EventLog::open(database, chain(), EventLogOptions::default()).await.unwrap()
}

/// The chain key of all tests.
pub(crate) fn chain() -> ChainMac {
    chain_with(b"the chain key of the tests")
}

pub(crate) fn chain_with(key: &[u8]) -> ChainMac {
    let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap();
    ChainMac::new(move |text| {
        let mut mac = keyed.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    })
}

/// Unique among the programs of one test run, without chance.
pub(crate) fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(std::process::id().into(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

pub(crate) fn event(kind: &str) -> NewEvent {
    let payload = format!("{{\"kind\": \"{kind}\"}}").into_bytes();
    NewEvent { event_id: new_id(), kind: kind.to_owned(), schema: 1, payload }
}

pub(crate) fn part(name: &str, expected: Expected, events: usize) -> StreamAppend {
    let events = (0..events).map(|_| event("thing.happened")).collect();
    StreamAppend { stream: stream(name), expected, events }
}

pub(crate) fn command(parts: Vec<StreamAppend>) -> Append {
    Append {
        workspace_id: Some("ws_1".to_owned()),
        streams: parts,
        metadata: Metadata { actor: "test".to_owned(), ..Metadata::default() },
        request: None,
    }
}

/// One event on one stream.
pub(crate) fn one(name: &str, expected: Expected) -> Append {
    command(vec![part(name, expected, 1)])
}

pub(crate) fn request(id: &str, digest: u8) -> NewRequest {
    NewRequest {
        workspace: "ws_1".to_owned(),
        caller: "caller".to_owned(),
        rpc: "Create".to_owned(),
        request_id: id.to_owned(),
        content_digest: [digest; 32],
        sealed_reply: vec![digest, 1, 2],
        expires_at: "2100-01-01T00:00:00Z".parse().unwrap(),
        rests_on: Position::ZERO,
    }
}

pub(crate) fn appended(outcome: Result<AppendOutcome, LogError>) -> Appended {
    match outcome.unwrap() {
        AppendOutcome::Appended(appended) => appended,
        AppendOutcome::Remembered(position) => panic!("nothing appended: {position}"),
        AppendOutcome::Repeated(stored) => panic!("repeated: {stored:?}"),
    }
}

/// Appends `count` events, one command each, over four streams.
pub(crate) async fn fill(log: &EventLog, count: usize) -> Position {
    let mut last = Position::ZERO;
    for number in 0..count {
        let outcome = log.append(one(&format!("s-{}", number % 4), Expected::Any)).await;
        last = appended(outcome).last;
    }
    last
}
