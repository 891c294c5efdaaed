//! The one task of a program that writes to the log: group commit.
//!
//! It takes the commands that are waiting, commits them in one transaction and answers everyone;
//! meanwhile the next batch gathers in the channel. It deliberately holds no state that matters: a
//! killed writer leaves either a whole batch or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::append::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Prepared};
use crate::chain::ChainMac;
use crate::commits::CommitsSender;
use crate::database::Database;
use crate::database_clock::DatabaseClock;
use crate::error::{Fault, LogError};
use crate::event::Position;
use crate::guess::expected_past;
use crate::plan::{Answer, Plan};
use crate::read;
use crate::row::Head;
use crate::session::{Failure, Session};

/// After how many undisturbed batches a writer takes it that nobody else writes. A wrong guess costs a
/// round trip under the eyes of those who wait for the head.
const ALONE_AFTER: u32 = 2;

/// A command that waits for its answer.
pub(crate) struct Pending {
    pub(crate) command: Prepared,
    pub(crate) since: Instant,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// How patient the writer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one round trip.
    pub(crate) round_trip: Duration,
    /// For a batch of which nothing was written.
    pub(crate) not_written: Duration,
    /// For a batch that may have been written.
    pub(crate) unknown: Duration,
}

pub(crate) struct Writer {
    pub(crate) database: Database,
    pub(crate) chain: ChainMac,
    pub(crate) patience: Patience,
    pub(crate) queue: mpsc::Receiver<Pending>,
    pub(crate) commits: CommitsSender,
    /// Whether followers in other programs are to be woken.
    pub(crate) notify: Arc<AtomicBool>,
    /// The head as this writer last saw it; none once the log turned out not to have grown from it.
    pub(crate) known: Option<Head>,
    pub(crate) log_id: Uuid,
    /// How many batches in a row found the head where this writer had left it.
    pub(crate) undisturbed: u32,
    pub(crate) clock: DatabaseClock,
    pub(crate) session: Option<Session>,
    /// A command that did not fit the last batch.
    pub(crate) held: Option<Pending>,
}

impl Writer {
    /// Runs until every handle is gone and the queue is empty.
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            let events: usize = batch.iter().map(|pending| pending.command.events).sum();
            let span = tracing::info_span!("log.append", commands = batch.len(), events);
            let answers = self.write(&batch).instrument(span).await;
            for (pending, answer) in batch.into_iter().zip(answers) {
                if matches!(answer, Err(LogError::Conflict { .. })) {
                    counter!("keyward_append_conflicts_total").increment(1);
                }
                histogram!("keyward_append_duration_seconds").record(pending.since.elapsed());
                // A caller that has gone is not told; its events are in the log all the same.
                let _ = pending.reply.send(answer);
            }
        }
    }

    async fn gather(&mut self) -> Option<Vec<Pending>> {
        loop {
            let first = match self.held.take() {
                Some(pending) => pending,
                None => self.queue.recv().await?,
            };
            let (mut events, mut bytes) = (first.command.events, first.command.bytes);
            let mut batch = vec![first];
            while let Ok(next) = self.queue.try_recv() {
                events += next.command.events;
                bytes += next.command.bytes;
                if events > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES {
                    self.held = Some(next);
                    break;
                }
                batch.push(next);
            }
            // Nobody waits for these any more, and nothing of them was begun.
            batch.retain(|pending| !pending.reply.is_closed());
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    /// Writes one batch, over outages, until every command has an answer.
    async fn write(&mut self, batch: &[Pending]) -> Vec<Answer> {
        let commands: Vec<&Prepared> = batch.iter().map(|pending| &pending.command).collect();
        let begun = Instant::now();
        let mut unknown = false;
        let mut pause = Duration::from_millis(10);
        loop {
            let error = match self.attempt(&commands).await {
                Ok(answers) => return answers,
                Err(Failure::NotWritten(error)) => error,
                Err(Failure::Unknown(error)) => {
                    unknown = true;
                    counter!("keyward_append_unknown_outcomes_total").increment(1);
                    error
                }
            };
            self.session = None;
            let patience = if unknown { self.patience.unknown } else { self.patience.not_written };
            if !error.is_transient() || begun.elapsed() + pause > patience {
                tracing::warn!(error = &error as &dyn std::error::Error, unknown, "batch given up");
                let error = if unknown { outcome_unknown(error) } else { error };
                return commands.iter().map(|_| Err(error.clone())).collect();
            }
            tracing::debug!(error = &error as &dyn std::error::Error, unknown, "batch retried");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    async fn attempt(&mut self, commands: &[&Prepared]) -> Result<Vec<Answer>, Failure> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                self.undisturbed = 0;
                Session::open(&self.database, self.patience.round_trip)
                    .await
                    .map_err(Failure::NotWritten)?
            }
        };
        if let Some(plan) = self.attempt_at_once(&session, commands).await? {
            self.session = Some(session);
            return Ok(self.settle(plan));
        }
        let known = match self.known {
            Some(known) => known,
            None => self.adopt().await.map_err(Failure::NotWritten)?,
        };
        let locked = session.lock(&self.chain, &known, commands).await;
        if matches!(locked, Err(LogError::Corrupt { .. })) {
            // Nothing is written on top of what is not understood. The next batch looks anew.
            self.known = None;
        }
        let past = locked.map_err(Failure::NotWritten)?;
        self.undisturbed = if past.head == known { self.undisturbed + 1 } else { 0 };
        self.clock.note(past.now);
        let plan = Plan::new(past, &self.chain, commands.iter().copied());
        if plan.is_empty() && plan.answers.iter().all(Result::is_err) {
            // Nothing was written and nothing is acknowledged; how the rollback goes is all the same.
            if session.abandon().await.is_ok() {
                self.session = Some(session);
            }
        } else {
            // Also where all was there before: after a crash of the primary what is there may be what no
            // standby has. This transaction has written too, the lock of the head; its commit waits.
            session.commit(&plan, self.notifies()).await?;
            self.session = Some(session);
        }
        Ok(self.settle(plan))
    }

    /// Writes the batch without a look at the past, if nobody else wrote lately; `None` if it has to be
    /// looked at.
    async fn attempt_at_once<'a>(
        &mut self,
        session: &Session,
        commands: &[&'a Prepared],
    ) -> Result<Option<Plan<'a>>, Failure> {
        let alone = self.undisturbed >= ALONE_AFTER;
        let (Some(known), Some(now), true) = (self.known, self.clock.now(), alone) else {
            return Ok(None);
        };
        let Some(past) = expected_past(known, now, commands) else {
            return Ok(None);
        };
        let plan = Plan::new(past, &self.chain, commands.iter().copied());
        match session.commit_at_once(&known, &plan, self.notifies()).await? {
            Some(shown) => {
                self.clock.note(shown);
                Ok(Some(plan))
            }
            None => {
                self.undisturbed = 0;
                counter!("keyward_append_second_looks_total").increment(1);
                Ok(None)
            }
        }
    }

    fn notifies(&self) -> bool {
        self.notify.load(Ordering::Relaxed)
    }

    /// Takes note of what is committed, and tells followers in this program.
    fn settle(&mut self, plan: Plan<'_>) -> Vec<Answer> {
        self.known = Some(plan.head);
        if !plan.events.is_empty() {
            histogram!("keyward_append_batch_size").record(event_count(&plan));
            self.commits.batch(&plan);
        }
        self.commits.reached(plan.head.position);
        plan.answers
    }

    /// Goes on from where the log ends now, as a writer that has just started would: a failover that
    /// lost the tail is no reason to refuse writes for ever. Another log is.
    async fn adopt(&mut self) -> Result<Head, LogError> {
        let head = read::head(&self.database, &self.chain).await?;
        if head.log_id != self.log_id {
            let fault = Fault::OtherLog { expected: self.log_id, found: head.log_id };
            return Err(LogError::corrupt(head.position, fault));
        }
        let head = read::checked_head(&self.database, &self.chain).await?;
        tracing::warn!(position = %head.position, epoch = head.epoch, "the log is another one than this writer knew: going on from its end");
        self.commits.reached(head.position);
        self.known = Some(head);
        Ok(head)
    }
}

fn event_count(plan: &Plan<'_>) -> f64 {
    // At most 1,024.
    u32::try_from(plan.events.len()).map_or(f64::INFINITY, f64::from)
}

/// Refuses a head that cannot have grown out of the one that was seen before, whose event now has
/// the link `there`.
pub(crate) fn check_grown(known: &Head, head: &Head, there: Option<&[u8]>) -> Result<(), LogError> {
    same_log(known, head)?;
    if head.position == known.position && head.mac != known.mac {
        return Err(LogError::corrupt(head.position, Fault::HeadMac));
    }
    if known.position > Position::ZERO && there != Some(&known.mac) {
        return Err(LogError::corrupt(known.position, Fault::Replaced));
    }
    Ok(())
}

/// Log id, epoch and progress: what every follower compares.
pub(crate) fn same_log(known: &Head, head: &Head) -> Result<(), LogError> {
    if head.log_id != known.log_id {
        let fault = Fault::OtherLog { expected: known.log_id, found: head.log_id };
        return Err(LogError::corrupt(head.position, fault));
    }
    if head.epoch != known.epoch {
        let fault = Fault::OtherEpoch { expected: known.epoch, found: head.epoch };
        return Err(LogError::corrupt(head.position, fault));
    }
    if head.position < known.position {
        let fault = Fault::Truncated { head: head.position };
        return Err(LogError::corrupt(head.position.next(), fault));
    }
    Ok(())
}

fn outcome_unknown(error: LogError) -> LogError {
    if let LogError::Unavailable(cause) = error {
        return LogError::OutcomeUnknown(cause);
    }
    LogError::OutcomeUnknown(Arc::new(error))
}
