//! The handle through which a program writes to the log.
//!
//! Cheap to clone; all clones share one writer task. It deliberately offers no transaction to the
//! caller: what must be atomic is one [`Append`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::append::{Append, AppendOutcome, Prepared, RequestKey, StoredRequest};
use crate::audit::{self, AuditFilter, AuditPage, AuditScan};
use crate::chain::{ChainMac, Tip};
use crate::commits::{Commits, CommitsSender};
use crate::confirm;
use crate::database::Database;
use crate::database_clock::DatabaseClock;
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision, StreamId};
use crate::read;
use crate::requests;
use crate::row::Head;
use crate::session::Session;
use crate::verify::{self, Checked, Part};
use crate::writer::{Patience, Pending, Writer};

/// How the writer behaves.
#[derive(Clone, Copy, Debug)]
pub struct EventLogOptions {
    /// How many commands may wait; more are refused as [`LogError::Overloaded`].
    pub queue: usize,
    /// The longest that one round trip to the database may take.
    pub round_trip_timeout: Duration,
    /// How long a batch of which nothing was written is retried.
    pub retry_for: Duration,
    /// How long a batch that may have been written is resolved.
    pub resolve_for: Duration,
}

impl Default for EventLogOptions {
    fn default() -> Self {
        Self {
            queue: 4_096,
            round_trip_timeout: Duration::from_secs(3),
            retry_for: Duration::from_secs(3),
            resolve_for: Duration::from_secs(10),
        }
    }
}

/// The append-only log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventLog {
    database: Database,
    chain: ChainMac,
    /// Taken away from all clones at once when the log is closed.
    queue: Arc<RwLock<Option<mpsc::Sender<Pending>>>>,
    commits: Commits,
    notify: Arc<AtomicBool>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl EventLog {
    /// Checks the end of the log against the chain key and starts the writer task.
    ///
    /// The first writer of a new log sets its genesis MAC.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if the tail does not match the head or the chain key,
    /// [`LogError::Configuration`] if schema or grants are missing, [`LogError::Unavailable`] if the
    /// database is.
    pub async fn open(
        database: &Database,
        chain: ChainMac,
        options: EventLogOptions,
    ) -> Result<Self, LogError> {
        let head = read::checked_head(database, &chain).await?;
        let session = Session::open(database, options.round_trip_timeout).await?;
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let commits = CommitsSender::new(head.position);
        let seen = commits.commits();
        let notify = Arc::new(AtomicBool::new(true));
        let writer = Writer {
            database: database.clone(),
            chain: chain.clone(),
            patience: Patience {
                round_trip: options.round_trip_timeout,
                not_written: options.retry_for,
                unknown: options.resolve_for,
            },
            queue: waiting,
            commits,
            notify: Arc::clone(&notify),
            known: Some(head),
            log_id: head.log_id,
            undisturbed: 0,
            clock: DatabaseClock::default(),
            session: Some(session),
            held: None,
        };
        let task = tokio::spawn(writer.run());
        Ok(Self {
            database: database.clone(),
            chain,
            queue: Arc::new(RwLock::new(Some(queue))),
            commits: seen,
            notify,
            writer: Arc::new(Mutex::new(Some(task))),
        })
    }

    /// Appends one command's events, all of them or none.
    ///
    /// Dropping the future does not take back a command whose batch has begun. Appending again with
    /// the same event ids answers with where they are.
    ///
    /// # Errors
    /// [`LogError::Conflict`], [`LogError::DuplicateEvent`], [`LogError::Invalid`],
    /// [`LogError::Overloaded`], [`LogError::Unavailable`], [`LogError::Configuration`]: nothing was
    /// written. [`LogError::Corrupt`]: nobody may write. [`LogError::OutcomeUnknown`]: see there.
    pub async fn append(&self, append: Append) -> Result<AppendOutcome, LogError> {
        let command = Prepared::new(append)?;
        let (reply, answer) = oneshot::channel();
        let pending = Pending { command, since: Instant::now(), reply };
        self.enqueue(pending)?;
        // The writer answers everything it took; it can only go missing together with its runtime.
        answer.await.map_err(|_| LogError::OutcomeUnknown(Arc::new(Closed)))?
    }

    /// Says whether followers in other programs are to be woken by NOTIFY, which is a fifth of what a
    /// lone append costs. They are, until told otherwise. One that is not woken finds what is new by
    /// polling.
    pub fn notify_others(&self, yes: bool) {
        self.notify.store(yes, Ordering::Relaxed);
    }

    /// What this program's writer commits, for followers in it.
    #[must_use]
    pub fn commits(&self) -> Commits {
        self.commits.clone()
    }

    /// The end of the log.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] or [`LogError::Configuration`].
    pub async fn head(&self) -> Result<Head, LogError> {
        read::head(&self.database, &self.chain).await
    }

    /// All events of a stream, in order.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if a revision is missing, otherwise as [`EventLog::head`].
    pub async fn read_stream(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LogError> {
        self.read_stream_after(stream, Revision::ZERO).await
    }

    /// The events of a stream after a revision, in order.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream_after(
        &self,
        stream: &StreamId,
        after: Revision,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        read::stream(&self.database, stream, after).await
    }

    /// Up to `limit` events after a position, in order and without a gap.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] on a gap, otherwise as [`EventLog::head`].
    pub async fn read_from(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let events = read::from(&self.database, after.next(), limit).await?;
        let mut due = after;
        for event in &events {
            due = due.next();
            if event.position != due {
                return Err(LogError::corrupt(due, Fault::Missing));
            }
        }
        Ok(events)
    }

    /// A page of the events of one workspace. What is read over the pool is not checked against the
    /// chain.
    ///
    /// # Errors
    /// As [`EventLog::head`]; [`LogError::Corrupt`] if an event that was looked at can't be read.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        scan: &AuditScan,
    ) -> Result<AuditPage, LogError> {
        audit::page(&self.database, filter, scan).await
    }

    /// Checks the chain of a part of the log.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] with the first bad position and what is wrong there; otherwise as
    /// [`EventLog::head`].
    pub async fn verify_part(&self, part: &Part) -> Result<Checked, LogError> {
        verify::verify_part(&self.database, &self.chain, part).await
    }

    /// The request under this key, if one was answered. What is found is as safe as what was just
    /// committed: it may be acknowledged again.
    ///
    /// # Errors
    /// As [`EventLog::head`]; [`LogError::OutcomeUnknown`] if it was found and no standby is known to
    /// have it.
    pub async fn find_request(&self, key: &RequestKey) -> Result<Option<StoredRequest>, LogError> {
        let found = read::find_request(&self.database, key).await?;
        if found.is_some() {
            self.confirm().await?;
        }
        Ok(found)
    }

    /// Waits until everything that is visible now would survive a failover. It is so already, unless
    /// the primary has crashed: then it shows commits whose wait for a synchronous standby never ended.
    ///
    /// # Errors
    /// As [`EventLog::head`]; [`LogError::OutcomeUnknown`] if it is not known to be so in time.
    pub async fn confirm(&self) -> Result<(), LogError> {
        confirm::confirm(&self.database).await
    }

    /// Removes the sealed replies that expired at or before `now`; the requests stay known. Returns
    /// how many. In batches: dropped or failed, it has done a part.
    ///
    /// # Errors
    /// As [`EventLog::head`], and [`LogError::OutcomeUnknown`].
    pub async fn purge_requests(&self, now: Timestamp) -> Result<u64, LogError> {
        requests::purge(&self.database, now).await
    }

    /// Removes every sealed reply of requests in this workspace, expired or not; the requests stay known.
    ///
    /// # Errors
    /// As [`EventLog::head`].
    pub async fn drop_replies(&self, workspace: &str) -> Result<u64, LogError> {
        requests::drop_replies(&self.database, workspace).await
    }

    /// Forgets the requests that expired at or before `before`: their ids may be used anew. Returns
    /// how many. In batches, as [`EventLog::purge_requests`].
    ///
    /// # Errors
    /// As [`EventLog::purge_requests`].
    pub async fn forget_requests(&self, before: Timestamp) -> Result<u64, LogError> {
        requests::forget(&self.database, before).await
    }

    /// Closes the log for all clones: refuses new commands, and waits until everything that the writer
    /// took is written or answered otherwise. Each batch is bounded by the options, their number is
    /// not; a caller that gives up waiting takes nothing back, and may call again.
    pub async fn close(&self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        let mut writer = self.writer.lock().await;
        // Left in its place while it is waited for: this future may be dropped.
        if let Some(task) = writer.as_mut()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer did not end well");
        }
        *writer = None;
    }

    fn enqueue(&self, pending: Pending) -> Result<(), LogError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or_else(|| LogError::unavailable(Closed))?;
        queue.try_send(pending).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => LogError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => LogError::unavailable(Closed),
        })
    }
}

/// The writer task has ended.
#[derive(Debug, thiserror::Error)]
#[error("the writer has stopped")]
struct Closed;

/// The tip that a head stands for.
impl From<&Head> for Tip {
    fn from(head: &Head) -> Self {
        Self { position: head.position, mac: head.mac }
    }
}
