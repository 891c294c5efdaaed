//! How far each projection has come, and waiting for one to come far enough.
//!
//! Reading only: a checkpoint moves in the transaction that applies the events, in `projection`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::database::Database;
use crate::error::LogError;
use crate::event::Position;

const POLL_MIN: Duration = Duration::from_millis(5);
const POLL_MAX: Duration = Duration::from_millis(50);

/// The checkpoints of all projections. Cheap to clone; runners of this program that share it wake
/// its waiters without a query.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    database: Database,
    local: Arc<Mutex<HashMap<String, Local>>>,
}

/// What waiters and the runner of one projection tell each other in this program.
#[derive(Clone, Debug, Default)]
struct Local {
    applied: watch::Sender<Position>,
    /// Somebody waits for more than is applied.
    wanted: Arc<Notify>,
}

impl Checkpoints {
    /// The checkpoints in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone(), local: Arc::default() }
    }

    /// How far a projection has come; zero if it never ran.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] or [`LogError::Configuration`].
    pub async fn read(&self, name: &str) -> Result<Position, LogError> {
        const SQL: &str = "SELECT position FROM log.checkpoints WHERE name = $1";
        let client = self.database.client().await?;
        let statement = client.prepare_cached(SQL).await?;
        match client.query_opt(&statement, &[&name]).await? {
            Some(row) => Ok(Position::from_sql(row.try_get(0)?)),
            None => Ok(Position::ZERO),
        }
    }

    /// Returns once the projection has applied `position`: read-your-writes.
    ///
    /// # Errors
    /// [`LogError::Lagging`] if it has not after `timeout`, otherwise as [`Checkpoints::read`].
    pub async fn wait_for(
        &self,
        name: &str,
        position: Position,
        timeout: Duration,
    ) -> Result<(), LogError> {
        let deadline = Instant::now() + timeout;
        let local = self.local(name);
        let mut applied = local.applied.subscribe();
        let mut pause = POLL_MIN;
        loop {
            // The local runner's word is enough, and costs no query; without one, ask the database.
            if *applied.borrow_and_update() >= position || self.read(name).await? >= position {
                return Ok(());
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(LogError::Lagging { projection: name.to_owned(), position });
            }
            // A runner that gathers events need not go on doing so.
            local.wanted.notify_one();
            let next = (now + pause).min(deadline);
            let _ = tokio::time::timeout_at(next, applied.wait_for(|at| *at >= position)).await;
            pause = (pause * 2).min(POLL_MAX);
        }
    }

    /// Tells the waiters of this program how far a projection is: after a failover that lost the log's
    /// tail, less far than before.
    pub(crate) fn publish(&self, name: &str, position: Position) {
        let local = self.local(name);
        local.applied.send_if_modified(|known| std::mem::replace(known, position) != position);
    }

    /// Returns when somebody waits for more than the projection has applied.
    pub(crate) async fn wanted(&self, name: &str) {
        self.local(name).wanted.notified().await;
    }

    /// Forgets how far a projection is: until its runner knows again, waiters ask the database.
    pub(crate) fn forget(&self, name: &str) {
        self.publish(name, Position::ZERO);
    }

    /// Forgets how far all projections are, until their runners know again: the log is not the one
    /// that was followed.
    pub fn forget_all(&self) {
        for local in self.lock().values() {
            local.applied.send_replace(Position::ZERO);
        }
    }

    fn local(&self, name: &str) -> Local {
        let mut locals = self.lock();
        if let Some(local) = locals.get(name) {
            return local.clone();
        }
        locals.entry(name.to_owned()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Local>> {
        // A panic elsewhere cannot leave a map of numbers half changed.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
