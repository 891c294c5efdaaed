//! Projections: folds of the log into tables, and the runner that keeps one up to date.
//!
//! Rows and checkpoint move in one transaction, so a projection may be stopped anywhere. Whoever
//! locks the checkpoint row works: there is no leader. What the tables mean is the projection's own
//! business; filling them anew is in `rebuild`.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::Transaction;
use futures_util::future::BoxFuture;
use metrics::{counter, gauge, histogram};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::chain::{ChainMac, Tip};
use crate::checkpoint::Checkpoints;
use crate::database::{Connection, Database};
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent};
use crate::read;
use crate::row::{self, SELECT_EVENTS_FROM};

/// Why a projection could not apply a batch.
pub type ProjectionError = Box<dyn Error + Send + Sync + 'static>;

/// A fold of the log into tables.
pub trait Projection: Send + Sync + 'static {
    /// The name of its checkpoint; never changes.
    fn name(&self) -> &'static str;

    /// The schema its tables live in.
    fn schema(&self) -> &'static str;

    /// Its tables, without schema, so that a rebuild can make new ones. It must write no others.
    fn tables(&self) -> &'static [&'static str];

    /// Applies events that follow each other in the log.
    ///
    /// Tables are named without schema: the search path leads to the live ones, or, in a rebuild, to
    /// the new ones. Each write is guarded by position, so that applying twice is applying once.
    fn apply<'a>(
        &'a self,
        transaction: &'a Transaction<'_>,
        batch: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ProjectionError>>;
}

/// How a runner works.
#[derive(Clone, Debug)]
pub struct RunnerOptions {
    /// The most events of one transaction.
    pub batch: usize,
    /// The shortest pause of an idle runner; it doubles up to [`poll_max`](Self::poll_max).
    pub poll_min: Duration,
    /// The longest pause of an idle runner.
    pub poll_max: Duration,
    /// The pause after a batch that was not full: what is appended meanwhile goes into one batch
    /// instead of many. It ends when a reader in this program waits for more.
    pub gather: Duration,
    /// The longest pause of a failing runner.
    pub backoff_max: Duration,
    /// The longest that one batch may take.
    pub batch_timeout: Duration,
    /// [`Commits::position`](crate::Commits::position) of the writer in this program, if any.
    pub committed: Option<watch::Receiver<Position>>,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            batch: 1_000,
            poll_min: Duration::from_millis(25),
            poll_max: Duration::from_millis(250),
            gather: Duration::ZERO,
            backoff_max: Duration::from_secs(5),
            batch_timeout: Duration::from_secs(30),
            committed: None,
        }
    }
}

/// Why a batch did not move the checkpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the projection refuses a batch after position {after}")]
    Apply {
        after: Position,
        #[source]
        cause: ProjectionError,
    },
}

impl From<tokio_postgres::Error> for RunError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Log(error.into())
    }
}

/// What one look at the log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Events were applied up to here.
    Applied(Position),
    /// Nothing is new after here.
    UpToDate(Position),
    /// Another runner is at work.
    Taken,
}

/// Keeps one projection up to date.
#[derive(Debug)]
pub struct ProjectionRunner<P> {
    database: Database,
    chain: ChainMac,
    projection: Arc<P>,
    checkpoints: Checkpoints,
    options: RunnerOptions,
    connection: Option<Connection>,
}

impl<P: Projection> ProjectionRunner<P> {
    /// A runner that tells `checkpoints` how far it has come.
    #[must_use]
    pub fn new(
        database: &Database,
        chain: ChainMac,
        projection: Arc<P>,
        checkpoints: Checkpoints,
        options: RunnerOptions,
    ) -> Self {
        let database = database.clone();
        Self { database, chain, projection, checkpoints, options, connection: None }
    }

    /// Runs until `stop` is cancelled. A failure is logged when it begins and when it ends, counted,
    /// and tried again after a bounded back-off; no event is ever skipped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut idle = self.options.poll_min;
        let mut backoff = Duration::ZERO;
        let mut applied = Position::ZERO;
        let checkpoints = self.checkpoints.clone();
        while !stop.is_cancelled() {
            let name = self.projection.name();
            // Dropping a step rolls it back: stopping never waits for a slow batch.
            let step = tokio::select! {
                () = stop.cancelled() => return,
                step = self.step() => step,
            };
            let pause = match step {
                Ok(progress) => {
                    if backoff > Duration::ZERO {
                        tracing::info!(projection = name, "projection works again");
                    }
                    backoff = Duration::ZERO;
                    match progress {
                        Progress::Applied(position) => {
                            idle = self.options.poll_min;
                            let full = position.since(applied) >= self.options.batch as u64;
                            applied = position;
                            if !full {
                                self.gather(&stop).await;
                            }
                            Duration::ZERO
                        }
                        Progress::UpToDate(_) | Progress::Taken => idle,
                    }
                }
                Err(error) => {
                    self.connection = None;
                    self.checkpoints.forget(name);
                    counter!("keyward_projection_errors_total", "projection" => name).increment(1);
                    if backoff.is_zero() {
                        let error = &error as &dyn Error;
                        tracing::error!(projection = name, error, "projection stands still");
                    }
                    backoff =
                        (backoff * 2).clamp(Duration::from_millis(50), self.options.backoff_max);
                    backoff
                }
            };
            if pause.is_zero() {
                continue;
            }
            if backoff.is_zero() {
                idle = (idle * 2).min(self.options.poll_max);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                () = self.woken(), if backoff.is_zero() => {}
                () = checkpoints.wanted(name), if backoff.is_zero() => {}
            }
        }
    }

    /// Applies everything that is in the log now, then returns how far it came.
    ///
    /// # Errors
    /// The first failure, unlike [`ProjectionRunner::run`].
    pub async fn catch_up(&mut self) -> Result<Position, ProjectionError> {
        loop {
            match self.step().await {
                Ok(Progress::Applied(_)) => {}
                Ok(Progress::UpToDate(position)) => return Ok(position),
                Ok(Progress::Taken) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => {
                    self.connection = None;
                    return Err(error.into());
                }
            }
        }
    }

    /// Lets events come together for a while, unless somebody waits for them.
    async fn gather(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(self.options.gather) => {}
            () = self.checkpoints.wanted(self.projection.name()) => {}
        }
    }

    async fn woken(&mut self) {
        if let Some(committed) = &mut self.options.committed
            && committed.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// One look, and one batch if there is one.
    async fn step(&mut self) -> Result<Progress, RunError> {
        let limit = self.options.batch_timeout;
        let name = self.projection.name();
        let begun = Instant::now();
        let step = async {
            if self.connection.is_none() {
                self.connection = Some(connect(&self.database, name).await?);
            }
            let Some(connection) = &mut self.connection else {
                return Err(LogError::timed_out("connect").into());
            };
            if let Some(position) = look(connection, name).await? {
                return Ok(Progress::UpToDate(position));
            }
            let batch = Work { chain: &self.chain, limit: self.options.batch };
            let span = tracing::info_span!("projection.batch", projection = name);
            batch.run(connection, self.projection.as_ref()).instrument(span).await
        };
        let progress = tokio::time::timeout(limit, step)
            .await
            .map_err(|_| LogError::timed_out("apply a batch"))??;
        match progress {
            Progress::Applied(position) => {
                let labels = [("projection", name)];
                histogram!("keyward_projection_batch_duration_seconds", &labels)
                    .record(begun.elapsed());
                self.checkpoints.publish(name, position);
            }
            Progress::UpToDate(position) => self.checkpoints.publish(name, position),
            Progress::Taken => {}
        }
        Ok(progress)
    }
}

/// The projection's own connection, with its checkpoint row made.
async fn connect(database: &Database, name: &str) -> Result<Connection, LogError> {
    const MAKE: &str = "INSERT INTO log.checkpoints (name, position, updated_at) \
         VALUES ($1, 0, clock_timestamp()) ON CONFLICT DO NOTHING";
    let connection = database.connect("projection", &[("statement_timeout", "20000")]).await?;
    connection.execute(MAKE, &[&name]).await?;
    Ok(connection)
}

/// Looks how far behind the projection is, without a lock; returns the checkpoint if it is not.
async fn look(connection: &Connection, name: &'static str) -> Result<Option<Position>, LogError> {
    const LOOK: &str = "SELECT at.position, head.position, \
         (SELECT extract(epoch FROM clock_timestamp() - next.recorded_at)::float8 \
          FROM log.events AS next WHERE next.position = at.position + 1) \
         FROM log.checkpoints AS at, log.head WHERE at.name = $1";
    let statement = connection.prepare_cached(LOOK).await?;
    let row = connection.query_one(&statement, &[&name]).await?;
    let at = Position::from_sql(row.try_get(0)?);
    let head = Position::from_sql(row.try_get(1)?);
    let waiting: Option<f64> = row.try_get(2)?;
    let behind = u32::try_from(head.since(at)).map_or(f64::INFINITY, f64::from);
    gauge!("keyward_projection_lag_positions", "projection" => name).set(behind);
    gauge!("keyward_projection_lag_seconds", "projection" => name)
        .set(waiting.unwrap_or(0.0).max(0.0));
    if at > head {
        return Err(LogError::corrupt(at, Fault::Truncated { head }));
    }
    Ok((at == head).then_some(at))
}

/// One batch of work.
struct Work<'a> {
    chain: &'a ChainMac,
    limit: usize,
}

impl Work<'_> {
    async fn run(
        &self,
        connection: &mut Connection,
        projection: &impl Projection,
    ) -> Result<Progress, RunError> {
        const LOCK: &str =
            "SELECT position FROM log.checkpoints WHERE name = $1 FOR UPDATE SKIP LOCKED";
        let transaction = connection.transaction().await?;
        prepare_transaction(&transaction, projection.schema()).await?;
        let lock = transaction.prepare_cached(LOCK).await?;
        let Some(row) = transaction.query_opt(&lock, &[&projection.name()]).await? else {
            return Ok(Progress::Taken);
        };
        let after = Position::from_sql(row.try_get(0)?);
        let (events, tip) = read_after(&transaction, self.chain, after, self.limit).await?;
        if events.is_empty() {
            return Ok(Progress::UpToDate(after));
        }
        projection
            .apply(&transaction, &events)
            .await
            .map_err(|cause| RunError::Apply { after, cause })?;
        store(&transaction, projection.name(), tip.position).await?;
        transaction.commit().await?;
        Ok(Progress::Applied(tip.position))
    }
}

/// The transaction's settings: what can be rebuilt need not wait for the disk, and unqualified
/// names lead to `schema` alone.
pub(crate) async fn prepare_transaction(
    transaction: &Transaction<'_>,
    schema: &str,
) -> Result<(), LogError> {
    let sql = format!("SET LOCAL synchronous_commit = off; SET LOCAL search_path = \"{schema}\"");
    Ok(transaction.batch_execute(&sql).await?)
}

/// Reads the events after a position, dense and with an unbroken chain from that position on.
pub(crate) async fn read_after(
    transaction: &Transaction<'_>,
    chain: &ChainMac,
    after: Position,
    limit: usize,
) -> Result<(Vec<RecordedEvent>, Tip), LogError> {
    let statement = transaction.prepare_cached(SELECT_EVENTS_FROM).await?;
    let (from, count) = read::window(after, limit);
    let rows = transaction.query(&statement, &[&from, &count]).await?;
    let events = row::events(&rows)?;
    let mac = match events.first() {
        Some(event) if event.position == after => event.mac,
        Some(_) | None if after > Position::ZERO => {
            return Err(LogError::corrupt(after, Fault::Missing));
        }
        Some(_) | None => {
            let log_id = transaction.query_one("SELECT log_id FROM log.head", &[]).await?;
            chain.genesis(log_id.try_get(0)?)
        }
    };
    let mut tip = Tip { position: after, mac };
    let events = tip.follow_from_tip(chain, events)?;
    Ok((events, tip))
}

pub(crate) async fn store(
    transaction: &Transaction<'_>,
    name: &str,
    position: Position,
) -> Result<(), LogError> {
    const STORE: &str = "INSERT INTO log.checkpoints (name, position, updated_at) \
         VALUES ($1, $2, clock_timestamp()) ON CONFLICT (name) DO UPDATE \
         SET position = excluded.position, updated_at = excluded.updated_at";
    let statement = transaction.prepare_cached(STORE).await?;
    transaction.execute(&statement, &[&name, &position.to_sql()]).await?;
    Ok(())
}
