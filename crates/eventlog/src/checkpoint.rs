//! How far each projection has come, and waiting for one to come far enough.
//!
//! Reading only: a checkpoint moves in the transaction that applies the events, in `projection`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
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
    local: Arc<Mutex<HashMap<String, watch::Sender<Position>>>>,
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
        let mut applied = self.channel(name);
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
            let next = (now + pause).min(deadline);
            let _ = tokio::time::timeout_at(next, applied.wait_for(|at| *at >= position)).await;
            pause = (pause * 2).min(POLL_MAX);
        }
    }

    /// Tells the waiters of this program how far a projection is: after a failover that lost the log's
    /// tail, less far than before.
    pub(crate) fn publish(&self, name: &str, position: Position) {
        self.sender(name, |sender| {
            sender.send_if_modified(|known| std::mem::replace(known, position) != position);
        });
    }

    /// Forgets how far a projection is: until its runner knows again, waiters ask the database.
    pub(crate) fn forget(&self, name: &str) {
        self.publish(name, Position::ZERO);
    }

    /// Forgets how far all projections are, as after [`Checkpoints::forget`]: the log is not the one
    /// that was followed.
    pub fn forget_all(&self) {
        let local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in local.values() {
            sender.send_replace(Position::ZERO);
        }
    }

    fn channel(&self, name: &str) -> watch::Receiver<Position> {
        self.sender(name, watch::Sender::subscribe)
    }

    fn sender<T>(&self, name: &str, then: impl FnOnce(&watch::Sender<Position>) -> T) -> T {
        // A panic elsewhere cannot leave a map of numbers half changed.
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if !local.contains_key(name) {
            local.insert(name.to_owned(), watch::Sender::new(Position::ZERO));
        }
        then(&local[name])
    }
}
