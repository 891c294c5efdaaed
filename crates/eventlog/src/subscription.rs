//! Following the log: every event once, in order, verified, on a connection of its own.
//!
//! Truth comes from reading by primary key. Local commits, NOTIFY and time only say when to read;
//! losing any of them costs latency, never an event. A follower never skips: the first fault stops it
//! for good, and what to do then (rebuild, or an operator's decision) is deliberately not here.

use std::sync::Arc;
use std::time::Duration;

use postgres_types::ToSql;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_postgres::Statement;

use crate::chain::{ChainMac, Tip};
use crate::commits::Commits;
use crate::database::{Connection, Database};
use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent};
use crate::read;
use crate::row::{self, Head, SELECT_EVENTS_FROM, SELECT_HEAD};
use crate::session::CHANNEL;
use crate::wake::Wake;
use crate::writer::same_log;

/// Where a subscription starts.
#[derive(Clone, Copy, Debug)]
pub enum StartAt {
    /// After this position, whose MAC is read from the log and believed.
    After(Position),
    /// After a place that was verified before; another log, epoch or event there is a fault.
    Known(Head),
}

/// How a subscription reads.
#[derive(Clone, Debug)]
pub struct SubscriptionOptions {
    /// The most events of one batch.
    pub batch: usize,
    /// The longest that one read may take.
    pub read_timeout: Duration,
    /// The pause after the first empty read; it doubles up to [`poll_max`](Self::poll_max).
    pub poll_min: Duration,
    /// The longest pause of an idle follower.
    pub poll_max: Duration,
    /// Whether to LISTEN. A hot standby refuses that; then the subscription polls.
    pub listen: bool,
    /// [`EventLog::commits`](crate::EventLog::commits) of the writer in this program, if any: what it
    /// commits is taken from it, and not read back.
    pub commits: Option<Commits>,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        Self {
            batch: 1_000,
            read_timeout: Duration::from_secs(2),
            poll_min: Duration::from_millis(25),
            poll_max: Duration::from_millis(250),
            listen: true,
            commits: None,
        }
    }
}

/// What one read brought.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In order and without a gap; empty if nothing was new.
    pub events: Vec<RecordedEvent>,
    /// The head as it was when the read began. The follower has caught up with it if its last
    /// event's position is not smaller.
    pub head: Head,
}

/// A follower of the log.
#[derive(Debug)]
pub struct Subscription {
    database: Database,
    chain: ChainMac,
    options: SubscriptionOptions,
    local: Option<broadcast::Receiver<Arc<Batch>>>,
    wake: Arc<Wake>,
    line: Option<Line>,
    tip: Tip,
    known: Head,
    pause: Pause,
    stopped: Option<LogError>,
}

/// When to read next.
#[derive(Clone, Copy, Debug)]
enum Pause {
    /// There may be more.
    None,
    /// Nothing was new: wait to be woken, at most this long.
    Idle(Duration),
    /// The connection failed: wait this long, woken or not.
    Failed(Duration),
}

#[derive(Debug)]
struct Line {
    connection: Connection,
    head: Statement,
    events: Statement,
}

impl Subscription {
    /// Opens a follower. Reads the log once, over the pool, to know where it stands.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if the start is not what the log holds, [`LogError::Unavailable`] or
    /// [`LogError::Configuration`] if the log cannot be read.
    pub async fn open(
        database: &Database,
        chain: ChainMac,
        start: StartAt,
        options: SubscriptionOptions,
    ) -> Result<Self, LogError> {
        let head = read::head(database, &chain).await?;
        let (position, verified) = match start {
            StartAt::After(position) => (position, None),
            StartAt::Known(known) => (known.position, Some(known)),
        };
        let wanted = verified.unwrap_or(Head { position, ..head });
        same_log(&wanted, &head)?;
        let tip = match verified {
            // The first read compares it with the log.
            Some(known) => Tip::from(&known),
            None => read::tip_at(database, &chain, &head, position).await?,
        };
        Ok(Self {
            database: database.clone(),
            chain,
            local: options.commits.as_ref().map(Commits::batches),
            options,
            wake: Arc::default(),
            line: None,
            known: Head { position: tip.position, mac: tip.mac, ..wanted },
            tip,
            pause: Pause::None,
            stopped: None,
        })
    }

    /// The last position that was handed out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.tip.position
    }

    /// The place that was verified last, to start from again by [`StartAt::Known`].
    #[must_use]
    pub fn verified(&self) -> Head {
        Head { position: self.tip.position, mac: self.tip.mac, ..self.known }
    }

    /// Reads over a new connection from here on: the present one may lead to a server that is no
    /// primary any more and knows of no news.
    pub fn reconnect(&mut self) {
        self.line = None;
        self.pause = Pause::None;
    }

    /// Reads once and returns what is new. After an empty read the next call first waits: for a
    /// local commit, a NOTIFY, or at most the polling pause. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] (or [`LogError::Configuration`]): call again, it reconnects after
    /// a back-off. [`LogError::Corrupt`]: the subscription has stopped; every further call says the
    /// same.
    pub async fn next_batch(&mut self) -> Result<Batch, LogError> {
        if let Some(fault) = &self.stopped {
            return Err(fault.clone());
        }
        let read = match self.rest().await {
            Some(local) => self.take(&local),
            None => self.read().await,
        };
        match &read {
            Ok(batch) if batch.events.is_empty() => self.pause = Pause::Idle(self.next_idle()),
            Ok(batch) if batch.caught_up(self.tip.position) => {
                self.pause = Pause::Idle(self.options.poll_min);
            }
            Ok(_) => self.pause = Pause::None,
            Err(fault @ LogError::Corrupt { .. }) => self.stopped = Some(fault.clone()),
            Err(_) => {
                self.line = None;
                self.pause = Pause::Failed(self.next_failed());
            }
        }
        read
    }

    fn next_idle(&self) -> Duration {
        match self.pause {
            Pause::Idle(last) => (last * 2).min(self.options.poll_max),
            Pause::None | Pause::Failed(_) => self.options.poll_min,
        }
    }

    fn next_failed(&self) -> Duration {
        match self.pause {
            Pause::Failed(last) => (last * 2).min(Duration::from_secs(1)),
            Pause::None | Pause::Idle(_) => Duration::from_millis(20),
        }
    }

    /// Waits until there may be something new. Returns it, if it is the next that was committed here;
    /// then the log need not be read.
    async fn rest(&mut self) -> Option<Arc<Batch>> {
        let pause = match self.pause {
            Pause::None => return self.waiting(),
            Pause::Idle(pause) => pause,
            Pause::Failed(pause) => {
                tokio::time::sleep(pause).await;
                return None;
            }
        };
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                committed = committed(self.local.as_mut()) => match self.next(committed) {
                    Next::Known => {}
                    Next::Here(batch) => return Some(batch),
                    Next::Elsewhere => return None,
                },
                () = self.wake.heard_beyond(self.tip.position) => return None,
                () = &mut over => return None,
            }
        }
    }

    /// What was committed here meanwhile, if it is the next.
    fn waiting(&mut self) -> Option<Arc<Batch>> {
        loop {
            let received = self.local.as_mut()?.try_recv();
            let committed = match received {
                Ok(batch) => Some(batch),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
                Err(TryRecvError::Lagged(_)) => None,
            };
            match self.next(committed) {
                Next::Known => {}
                Next::Here(batch) => return Some(batch),
                Next::Elsewhere => return None,
            }
        }
    }

    fn next(&self, committed: Option<Arc<Batch>>) -> Next {
        let Some(batch) = committed else {
            return Next::Elsewhere;
        };
        match batch.events.first() {
            Some(first) if first.position == self.tip.position.next() => Next::Here(batch),
            // A place that was passed, unless the log fell back: reading tells.
            Some(_) if batch.head.position == self.tip.position => Next::Known,
            Some(_) | None if batch.head.position < self.tip.position => Next::Known,
            Some(_) | None => Next::Elsewhere,
        }
    }

    /// Takes what was committed here as if it had been read.
    fn take(&mut self, local: &Batch) -> Result<Batch, LogError> {
        let known = Head { position: self.known.position.min(local.head.position), ..self.known };
        same_log(&known, &local.head)?;
        let mut tip = self.tip;
        for event in &local.events {
            tip.follow(&self.chain, event)?;
        }
        check_end(tip, &local.head, false)?;
        self.tip = tip;
        if local.head.position > self.known.position {
            self.known = local.head;
        }
        Ok(Batch { events: local.events.clone(), head: self.known })
    }

    async fn read(&mut self) -> Result<Batch, LogError> {
        let limit = self.options.read_timeout;
        if self.line.is_none() {
            let line = Line::open(&self.database, &self.options, Arc::clone(&self.wake)).await?;
            self.line = Some(line);
        }
        let Some(line) = &self.line else {
            return Err(LogError::timed_out("connect"));
        };
        // The head first: whatever it says must then be visible to the second statement.
        let (from, count) = read::window(self.tip.position, self.options.batch);
        let range: [&(dyn ToSql + Sync); 2] = [&from, &count];
        let reads = async {
            tokio::join!(
                biased;
                line.connection.query_one(&line.head, &[]),
                line.connection.query(&line.events, &range),
            )
        };
        let (head, rows) = tokio::time::timeout(limit, reads)
            .await
            .map_err(|_| LogError::timed_out("read the log"))?;
        let head = row::head(&head?, |log_id| self.chain.genesis(log_id))?;
        same_log(&self.known, &head)?;
        let events = self.tip.follow_from_tip(&self.chain, row::events(&rows?)?)?;
        check_end(self.tip, &head, events.is_empty())?;
        self.known = Head { position: head.position.max(self.known.position), ..head };
        Ok(Batch { events, head })
    }
}

/// A read that brought nothing, or reached the head exactly, must agree with the head.
fn check_end(tip: Tip, head: &Head, nothing_new: bool) -> Result<(), LogError> {
    if nothing_new && head.position > tip.position {
        return Err(LogError::corrupt(tip.position.next(), Fault::Missing));
    }
    if head.position == tip.position && head.mac != tip.mac {
        return Err(LogError::corrupt(head.position, Fault::HeadMac));
    }
    Ok(())
}

/// What a batch that was committed here is to a follower.
enum Next {
    /// It has it already.
    Known,
    /// It comes next.
    Here(Arc<Batch>),
    /// Others come before it: read the log.
    Elsewhere,
}

/// Resolves when the local writer has committed a batch, to `None` if some were missed; never, if
/// there is no writer.
async fn committed(local: Option<&mut broadcast::Receiver<Arc<Batch>>>) -> Option<Arc<Batch>> {
    match local {
        Some(local) => match local.recv().await {
            Ok(batch) => Some(batch),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

impl Line {
    async fn open(
        database: &Database,
        options: &SubscriptionOptions,
        wake: Arc<Wake>,
    ) -> Result<Self, LogError> {
        let timeout = options.read_timeout.as_millis().to_string();
        let settings = [
            ("statement_timeout", timeout.as_str()),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
        ];
        let connection = database.connect_waking("follower", &settings, wake).await?;
        let preparing = async {
            if options.listen
                && let Err(error) = connection.batch_execute(&format!("LISTEN {CHANNEL}")).await
            {
                tracing::debug!(%error, "no LISTEN here, polling");
            }
            let head = connection.prepare(SELECT_HEAD).await?;
            Ok::<_, LogError>((head, connection.prepare(SELECT_EVENTS_FROM).await?))
        };
        let (head, events) = tokio::time::timeout(options.read_timeout * 2, preparing)
            .await
            .map_err(|_| LogError::timed_out("prepare the follower's statements"))??;
        Ok(Self { connection, head, events })
    }
}

impl Batch {
    /// True if there is nothing between this batch's last event (or `applied`, if it is empty) and
    /// the head.
    #[must_use]
    pub fn caught_up(&self, applied: Position) -> bool {
        self.events.last().map_or(applied, |event| event.position) >= self.head.position
    }
}
