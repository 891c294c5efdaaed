//! The task that writes what was tallied: every few seconds, for a bounded time, over a connection of its
//! own. What can't be written now is kept, merged with what comes, and tried again.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Connection, Database, LogError};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backlog::Backlog;
use super::recorder::Tallies;
use super::tally::{Place, Tally};
use super::write;
use crate::node::Node;

/// Tallies that wait at most: more than are taken in at once.
const WAITING: usize = 131_072;
/// Tallies that one statement writes.
const BATCH: usize = 1_000;
/// The part of the time that may be spent on writing; what is left of the tallies waits for the next flush,
/// so that usage never becomes a burden to the database.
const SHARE: u32 = 100;
/// How long a batch may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the last flush may take.
const LAST: Duration = Duration::from_secs(2);

const DROPPED: &str = "keyward_usage_dropped_total";
const FAILED: &str = "keyward_usage_flush_failures_total";
const BACKLOG: &str = "keyward_usage_backlog";

/// Says what the numbers of this module mean.
pub(crate) fn describe_metrics() {
    metrics::describe_counter!(DROPPED, "Verdicts that are missing in the usage of their keys");
    metrics::describe_counter!(FAILED, "Batches of usage that could not be written at once");
    metrics::describe_gauge!(BACKLOG, "Credentials whose usage waits to be written");
    metrics::counter!(DROPPED).increment(0);
    metrics::counter!(FAILED).increment(0);
}

/// Writes the usage of a node.
pub(crate) struct Flusher {
    node: Arc<Node>,
    spare: Tallies,
    backlog: Backlog,
    line: Line,
    failing: bool,
}

impl Flusher {
    /// For what `node` records.
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let line = Line { database: node.database.clone(), connection: None };
        Self {
            node,
            spare: Tallies::default(),
            backlog: Backlog::of(WAITING),
            line,
            failing: false,
        }
    }

    /// Flushes after every pause until `stop`, and then once more, all that is left.
    pub(crate) async fn run(mut self, every: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(every) => {}
            }
            self.take();
            let until = Instant::now() + every / SHARE;
            self.flush(|| stop.is_cancelled() || Instant::now() >= until).await;
        }
        self.take();
        if timeout(LAST, self.flush(|| false)).await.is_err() || self.backlog.len() > 0 {
            let credentials = self.backlog.len();
            tracing::warn!(credentials, "the last usage of keys was not written in time");
        }
    }

    fn take(&mut self) {
        let backlog = &mut self.backlog;
        let mut late = 0;
        let dropped = self.node.usage.take(&mut self.spare, |place, tally| {
            late += backlog.add(place, tally);
        });
        metrics::counter!(DROPPED).increment(dropped + late);
    }

    /// Writes at least one batch of what waits, and more until `enough`. The first that fails ends it.
    async fn flush(&mut self, enough: impl Fn() -> bool) {
        loop {
            let batch = self.backlog.next(BATCH);
            if batch.is_empty() {
                break;
            }
            let written = self.line.write(&batch).await;
            let failed = written.is_err();
            self.note(written, batch);
            if failed || enough() {
                break;
            }
        }
        metrics::gauge!(BACKLOG).set(self.backlog.len() as f64);
    }

    /// Puts a batch back that was not written, unless it never can be.
    fn note(&mut self, written: Result<(), Unwritten>, batch: Vec<(Place, Tally)>) {
        let Err(unwritten) = written else {
            self.failing = false;
            return;
        };
        metrics::counter!(FAILED).increment(1);
        let refused = matches!(unwritten, Unwritten::Refused(_));
        if !std::mem::replace(&mut self.failing, true) || refused {
            let error = &unwritten as &dyn std::error::Error;
            tracing::warn!(error, "the usage of keys was not written");
        }
        let lost: u64 = match refused {
            true => batch.iter().map(|(_, tally)| tally.accepted() + tally.denied()).sum(),
            false => batch.into_iter().map(|(place, tally)| self.backlog.add(place, tally)).sum(),
        };
        metrics::counter!(DROPPED).increment(lost);
    }
}

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    /// No connection.
    #[error("the database can't be reached")]
    Unreachable(#[from] LogError),
    /// It has not answered, or said no.
    #[error("the database has not written it")]
    Failed(#[source] tokio_postgres::Error),
    /// It never will: something in it is no value of its column.
    #[error("the database refuses the values")]
    Refused(#[source] tokio_postgres::Error),
    /// It has not answered in time.
    #[error("the database has not written it in time")]
    Late,
}

/// The connection, made anew after every failure.
struct Line {
    database: Database,
    connection: Option<Connection>,
}

impl Line {
    async fn write(&mut self, batch: &[(Place, Tally)]) -> Result<(), Unwritten> {
        // Taken out, so that one whose state is unknown is dropped.
        let line = self.connection.take();
        let writing = async {
            let connection = match line {
                Some(connection) => connection,
                None => connect(&self.database).await?,
            };
            write::batch(&connection, batch).await.map_err(|error| {
                // Class 22: data exception.
                match error.code().is_some_and(|code| code.code().starts_with("22")) {
                    true => Unwritten::Refused(error),
                    false => Unwritten::Failed(error),
                }
            })?;
            Ok::<_, Unwritten>(connection)
        };
        self.connection = Some(timeout(PATIENCE, writing).await.map_err(|_| Unwritten::Late)??);
        Ok(())
    }
}

/// Nobody waits for these commits to be durable: a crash of the database may lose some of them.
async fn connect(database: &Database) -> Result<Connection, LogError> {
    let settings = [("statement_timeout", "5000"), ("synchronous_commit", "off")];
    database.connect("usage", &settings).await
}
