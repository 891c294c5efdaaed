//! What an answer of this node is worth: the position it has applied, and the lease to answer at all.
//!
//! # Why a verdict can't be older than the lease
//! 1. A heartbeat is a committed *write* to the primary. An old primary that was cut off may still
//!    answer reads, but it commits nothing that its successor would not know.
//! 2. Its answer says where the head of the log was. The head was read after `sent`, the reading of
//!    `CLOCK_BOOTTIME` before the heartbeat went out, so every event committed before `sent` is at or
//!    below it.
//! 3. Only when this node has applied that head is the lease set to `sent + lease`. Positions are
//!    dense, so nothing below was skipped.
//! 4. A verdict reads `sent` before it looks anything up ([`Freshness::begin`]), and the clock after it
//!    was computed ([`Freshness::end`]). What it looked at held all that was committed before that
//!    `sent`; a lease that is renewed in between says nothing of it, and does not count for it.
//! 5. Before the verifier is replaced by one that is behind it, the lease is withdrawn: a heartbeat that was under way then
//!    can't renew it, and a verdict that had begun is not answered. Both spoke of the verifier before.
//!
//! `tests/e2e/freshness.rs` and `freshness/tests.rs` guard these. Only the rate of the clock matters,
//! never what it shows.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventlog::{Heartbeat, Position};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::{Boottime, Clock};

/// The freshness of this node. Written by the tail and the heartbeat, read by every verdict.
#[derive(Debug)]
pub struct Freshness {
    clock: Clock,
    lease: Duration,
    log_id: Uuid,
    /// As tokens begin.
    log_name: String,
    caught_up: AtomicBool,
    /// Boot time at which the last heartbeat that counted was sent.
    sent: AtomicI64,
    applied: watch::Sender<Position>,
    /// How often the right to answer was withdrawn.
    withdrawals: AtomicU64,
    /// Held by whoever renews or withdraws that right, never by a verdict.
    turn: Mutex<()>,
}

/// What was true when an answer was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    caught_up: bool,
    sent: Boottime,
    position: Position,
    withdrawals: u64,
}

/// How fresh an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh {
    /// The position that had been applied when the answer was begun.
    pub position: Position,
    /// How long ago the log was known to hold nothing newer.
    pub staleness: Duration,
}

/// Why this node may not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFresh {
    /// It has not caught up with the log yet.
    StartingUp,
    /// Its lease has run out: it can't know what was revoked since.
    LeaseExpired,
}

/// A consistency token that can't be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// It is no consistency token.
    Malformed,
    /// It is of another log.
    ForeignLog,
}

impl Freshness {
    /// The freshness of a node that has applied nothing of this log yet.
    #[must_use]
    pub fn new(clock: Clock, lease: Duration, log_id: Uuid) -> Self {
        Self {
            clock,
            lease,
            log_id,
            log_name: log_id.simple().to_string(),
            caught_up: AtomicBool::new(false),
            sent: AtomicI64::new(Boottime::NEVER.nanos()),
            applied: watch::Sender::new(Position::ZERO),
            withdrawals: AtomicU64::new(0),
            turn: Mutex::new(()),
        }
    }

    /// What an answer can rest on from here on. Call it *before* anything is looked up.
    #[inline]
    #[must_use]
    pub fn begin(&self) -> Begun {
        // The order matters: a withdrawal behind the first line is seen by one of the others, or at
        // the end.
        let withdrawals = self.withdrawals.load(Ordering::Acquire);
        Begun {
            withdrawals,
            caught_up: self.caught_up.load(Ordering::Acquire),
            sent: Boottime::from_nanos(self.sent.load(Ordering::Acquire)),
            position: self.applied(),
        }
    }

    /// Whether what was computed since `begun` may be answered. Call it *after* computing.
    ///
    /// # Errors
    /// Why it may not.
    #[inline]
    pub fn end(&self, begun: Begun) -> Result<Fresh, NotFresh> {
        if !begun.caught_up || self.withdrawals.load(Ordering::Acquire) != begun.withdrawals {
            return Err(NotFresh::StartingUp);
        }
        let staleness = self.clock.boottime().since(begun.sent);
        if staleness >= self.lease {
            return Err(NotFresh::LeaseExpired);
        }
        Ok(Fresh { position: begun.position, staleness })
    }

    /// Whether this node may answer now.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(&self) -> Result<Fresh, NotFresh> {
        self.end(self.begin())
    }

    /// How long ago the log was known to hold nothing that this node had not applied.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        let sent = Boottime::from_nanos(self.sent.load(Ordering::Acquire));
        self.clock.boottime().since(sent)
    }

    /// The last position that this node has applied.
    #[must_use]
    pub fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// The log whose events are applied.
    #[must_use]
    pub const fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// Notes that everything up to `position` is in the verifier.
    pub fn note_applied(&self, position: Position) {
        self.applied.send_replace(position);
    }

    /// Notes that a heartbeat sent at `sent` saw nothing that is not applied; unless the right to
    /// answer was withdrawn since `withdrawals` was read, for then it speaks of another verifier.
    fn renew(&self, sent: Boottime, withdrawals: u64) {
        let _turn = self.take_turn();
        if self.withdrawals.load(Ordering::Acquire) == withdrawals {
            self.sent.fetch_max(sent.nanos(), Ordering::AcqRel);
            self.caught_up.store(true, Ordering::Release);
        }
    }

    /// Takes the right to answer away until a heartbeat sent after this has seen nothing that is not
    /// applied: the log is not trusted, or the verifier is about to be another one.
    pub fn withdraw(&self) {
        let _turn = self.take_turn();
        self.withdrawals.fetch_add(1, Ordering::AcqRel);
        self.caught_up.store(false, Ordering::Release);
        self.sent.store(Boottime::NEVER.nanos(), Ordering::Release);
        self.applied.send_replace(Position::ZERO);
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this node has applied `position`; `false` if it takes longer than `within`.
    pub async fn wait_for(&self, position: Position, within: Duration) -> bool {
        if self.applied() >= position {
            return true;
        }
        let mut applied = self.applied.subscribe();
        let reached = applied.wait_for(|&applied| applied >= position);
        matches!(tokio::time::timeout(within, reached).await, Ok(Ok(_)))
    }

    /// The consistency token of a position: opaque to clients, log id and position to us.
    #[must_use]
    pub fn token(&self, position: Position) -> String {
        format!("{}.{position}", self.log_name)
    }

    /// What every consistency token of this log begins with, before the dot and the position.
    #[must_use]
    pub fn log_name(&self) -> &str {
        &self.log_name
    }

    /// The position of a consistency token of this log.
    ///
    /// # Errors
    /// It is no token, or one of another log.
    pub fn read_token(&self, token: &str) -> Result<Position, TokenError> {
        let (log_id, position) = token.split_once('.').ok_or(TokenError::Malformed)?;
        let log_id: Uuid = log_id.parse().map_err(|_| TokenError::Malformed)?;
        if log_id != self.log_id {
            return Err(TokenError::ForeignLog);
        }
        let digits =
            (1..=19).contains(&position.len()) && position.bytes().all(|b| b.is_ascii_digit());
        let number = position.parse().ok().filter(|_| digits).ok_or(TokenError::Malformed)?;
        Ok(Position::new(number))
    }
}

/// Beats until `stop`: writes this node's position, and renews the lease when nothing newer was seen.
pub async fn beat(
    freshness: &Freshness,
    mut heartbeat: Heartbeat,
    every: Duration,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        // A beat that is dropped leaves nothing behind; it may wait for as long as the lease.
        tokio::select! {
            () = stop.cancelled() => break,
            () = async {
                ticks.tick().await;
                beat_once(freshness, &mut heartbeat, &mut failing).await;
            } => {}
        }
        metrics::gauge!("keyward_lease_age_seconds").set(freshness.staleness().as_secs_f64());
    }
    if let Err(error) = heartbeat.remove().await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "this verifier's row stays behind"
        );
    }
}

async fn beat_once(freshness: &Freshness, heartbeat: &mut Heartbeat, failing: &mut bool) {
    let withdrawals = freshness.withdrawals.load(Ordering::Acquire);
    let sent = freshness.clock.boottime();
    match heartbeat.beat(freshness.applied()).await {
        Ok(beat) => {
            if *failing {
                tracing::info!("heartbeats are written again");
            }
            *failing = false;
            let ours = beat.head.log_id == freshness.log_id();
            if ours && freshness.wait_for(beat.head.position, freshness.lease).await {
                freshness.renew(sent, withdrawals);
            }
        }
        Err(error) => {
            if !*failing {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no heartbeat was written: verdicts end with the lease"
                );
            }
            *failing = true;
        }
    }
}

#[cfg(test)]
mod tests;
