//! A migrated database with a log, and projections that run as the service's own roles.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Event, WorkspaceId};
use eventlog::{
    Append, AppendOutcome, ChainMac, Checkpoints, Connection, Database, DatabaseOptions, EventLog,
    EventLogOptions, Expected, LOG_MIGRATIONS, Metadata, NewEvent, Position, Projection,
    ProjectionRunner, RunnerOptions, StreamAppend, StreamId, migrate,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use readmodel::config::Configs;
use readmodel::keys::Keys;
use readmodel::workspaces::Workspaces;
use sha2::Sha256;
use testkit::TestDatabase;
use uuid::Uuid;

/// Login roles with no more than the two groups give, and the groups.
const ROLES: &str = include_str!("../../../../deploy/roles.sql");
const LOGINS: &str = "CREATE ROLE service LOGIN IN ROLE keyward_writer; \
     CREATE ROLE onlooker LOGIN IN ROLE keyward_reader";

/// Every table, by projection.
pub(crate) const TABLES: [&str; 9] = [
    "keys",
    "credentials",
    "keys_quarantine",
    "configs",
    "configs_quarantine",
    "workspaces",
    "service_credentials",
    "workspaces_quarantine",
    "service_credentials_quarantine",
];

pub(crate) struct World {
    /// Dropped with the database.
    _test: TestDatabase,
    /// As a superuser.
    pub(crate) root: Database,
    /// As what runs projections.
    pub(crate) service: Database,
    pub(crate) log: EventLog,
    /// As what only reads.
    pub(crate) reader: Connection,
}

pub(crate) async fn world() -> World {
    let test = testkit::database_from("readmodel", async |url: &str| {
        let root = connect_to(url);
        let client = root.client().await.unwrap();
        client.batch_execute(ROLES).await.unwrap();
        client.batch_execute(LOGINS).await.unwrap();
        migrate(&root, &[LOG_MIGRATIONS, readmodel::migrations()]).await.unwrap();
    })
    .await;
    let root = connect_to(test.url());
    let service = connect_to(&test.url_as("service"));
    let log = EventLog::open(&service, chain(), EventLogOptions::default()).await.unwrap();
    let reader = connect_to(&test.url_as("onlooker")).connect("reader", &[]).await.unwrap();
    World { _test: test, root, service, log, reader }
}

fn connect_to(url: &str) -> Database {
    Database::new(url, DatabaseOptions::default()).unwrap()
}

pub(crate) fn chain() -> ChainMac {
    let keyed = Hmac::<Sha256>::new_from_slice(b"the chain key of the tests").unwrap();
    ChainMac::new(move |text| {
        let mut mac = keyed.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    })
}

/// Unique in a test run, without chance.
fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(7, NEXT.fetch_add(1, Ordering::Relaxed))
}

impl World {
    /// Appends facts, in order.
    pub(crate) async fn record(
        &self,
        facts: impl IntoIterator<Item = (Option<WorkspaceId>, Event)>,
    ) {
        let events = facts.into_iter().map(|(workspace_id, event)| {
            let stored = NewEvent {
                event_id: new_id(),
                kind: event.kind().to_owned(),
                schema: event.schema(),
                payload: event.encode(),
            };
            (workspace_id, event.stream(), stored)
        });
        let waiting =
            events.map(|(workspace_id, stream, event)| self.append(workspace_id, stream, event));
        // Together, so that they share commits; a handle's appends keep their order.
        futures_util::future::join_all(waiting).await;
    }

    /// Appends an event that no build can read.
    pub(crate) async fn record_unreadable(&self, workspace_id: Option<WorkspaceId>) -> Position {
        self.record_unreadable_in(workspace_id, "stream-of-another-build").await
    }

    /// Appends an event that no build can read to this stream.
    pub(crate) async fn record_unreadable_in(
        &self,
        workspace_id: Option<WorkspaceId>,
        stream: &str,
    ) -> Position {
        let event = NewEvent {
            event_id: new_id(),
            kind: "api_key.frobnicated".to_owned(),
            schema: 1,
            payload: b"{}".to_vec(),
        };
        self.append(workspace_id, stream.to_owned(), event).await
    }

    async fn append(
        &self,
        workspace_id: Option<WorkspaceId>,
        stream: String,
        event: NewEvent,
    ) -> Position {
        let append = Append {
            workspace_id: workspace_id.map(|id| id.to_string()),
            streams: vec![StreamAppend {
                stream: StreamId::new(stream).unwrap(),
                expected: Expected::Any,
                events: vec![event],
            }],
            metadata: Metadata { actor: "test".to_owned(), ..Metadata::default() },
            request: None,
        };
        match self.log.append(append).await.unwrap() {
            AppendOutcome::Appended(appended) => appended.last,
            AppendOutcome::Remembered(position) => panic!("nothing appended: {position}"),
            AppendOutcome::Repeated(stored) => panic!("repeated: {stored:?}"),
        }
    }

    pub(crate) fn runner<P: Projection>(&self, projection: P, batch: usize) -> ProjectionRunner<P> {
        ProjectionRunner::new(
            &self.service,
            chain(),
            Arc::new(projection),
            Checkpoints::new(&self.service),
            RunnerOptions { batch, ..RunnerOptions::default() },
        )
    }

    /// Brings all three projections to the end of the log, in transactions of `batch` events.
    pub(crate) async fn project_by(&self, batch: usize) {
        self.runner(Workspaces, batch).catch_up().await.unwrap();
        self.runner(Keys, batch).catch_up().await.unwrap();
        self.runner(Configs, batch).catch_up().await.unwrap();
    }

    pub(crate) async fn project(&self) {
        self.project_by(1_000).await;
    }

    /// Records and projects.
    pub(crate) async fn given(
        &self,
        facts: impl IntoIterator<Item = (Option<WorkspaceId>, Event)>,
    ) {
        self.record(facts).await;
        self.project().await;
    }

    /// Runs SQL as a superuser.
    pub(crate) async fn sql(&self, sql: &str) {
        self.root.client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// Everything in all tables.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<String>)> {
        let client = self.root.client().await.unwrap();
        let mut contents = Vec::new();
        for table in TABLES {
            let sql = format!("SELECT t::text FROM readmodel.{table} AS t ORDER BY 1");
            let rows = client.query(&sql, &[]).await.unwrap();
            contents.push((table.to_owned(), rows.iter().map(|row| row.get(0)).collect()));
        }
        contents
    }
}
