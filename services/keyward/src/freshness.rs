//! What an answer of this node is worth: the position it has applied, and the lease to answer at all.
//!
//! # Why a verdict can't be older than the lease
//! 1. A heartbeat is a committed *write* to the primary. An old primary that was cut off may still
//!    answer reads, but it commits nothing that its successor would not know.
//! 2. Its answer says where the head of the log was. The head was read after `sent`, the reading of
//!    `CLOCK_BOOTTIME` before the heartbeat went out, so every event committed before `sent` is at or
//!    below it.
//! 3. Only when this node has applied that head, and the link of the chain that it carries, is the
//!    lease set to `sent + lease`. Positions are dense, so nothing below was skipped; the link covers
//!    all of the past, so it is the primary's past and not one that a failover has lost.
//! 4. A verdict reads `sent` before it looks anything up ([`Freshness::begin`]), and the clock after it
//!    was computed ([`Freshness::end`]). What it looked at held all that was committed before that
//!    `sent`; a lease that is renewed in between says nothing of it, and does not count for it.
//! 5. Before the verifier is replaced by one that is behind it, or when its history turns out not to be
//!    the primary's, the lease is withdrawn: a heartbeat that was under way then can't renew it, and a
//!    verdict that had begun is not answered. Both spoke of the verifier before.
//!
//! `tests/e2e/freshness.rs` and `freshness/tests.rs` guard these. Only the rate of the clock matters,
//! never what it shows.

mod beat;
mod trail;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventlog::{Head, Position, RecordedEvent};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::clock::{Boottime, Clock};
pub use beat::beat;
use trail::{Place, Trail};

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
    /// The last position in the verifier; for verdicts, which take no lock.
    applied: AtomicU64,
    /// The same, for those who wait for it.
    reached: watch::Sender<Position>,
    /// How often the right to answer was withdrawn.
    withdrawals: AtomicU64,
    /// Where the verifier is. Held by whoever moves it, or renews or withdraws the right to answer;
    /// never by a verdict.
    trail: Mutex<Trail>,
    /// Told to who follows the log: what it reads may not be what the primary has.
    doubts: Notify,
    /// Told to the heartbeat: somebody waits to hear what was applied.
    urge: Notify,
}

/// What was true when an answer was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    caught_up: bool,
    sent: Boottime,
    position: Position,
    withdrawals: u64,
}

/// Where this node was when a heartbeat was sent.
#[derive(Debug, Clone, Copy)]
struct Mark {
    sent: Boottime,
    applied: Position,
    withdrawals: u64,
}

impl Mark {
    const fn applied(self) -> Position {
        self.applied
    }

    const fn sent(self) -> Boottime {
        self.sent
    }
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
            applied: AtomicU64::new(0),
            reached: watch::Sender::new(Position::ZERO),
            withdrawals: AtomicU64::new(0),
            trail: Mutex::default(),
            doubts: Notify::new(),
            urge: Notify::new(),
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
    #[inline]
    #[must_use]
    pub fn applied(&self) -> Position {
        Position::new(self.applied.load(Ordering::Acquire))
    }

    /// The log whose events are applied.
    #[must_use]
    pub const fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// Notes that the verifier holds everything up to `at`, and nothing else.
    pub fn note_warm(&self, at: Head) {
        let mut trail = self.lock();
        trail.begin(at);
        self.reach(at.position);
    }

    /// Notes that `events`, the next ones of the log, are in the verifier too; `false` if the right to
    /// answer was withdrawn since it was warmed: then it must be warmed anew.
    pub fn note_applied(&self, events: &[RecordedEvent]) -> bool {
        let mut trail = self.lock();
        let tip = trail.extend(events);
        if let Some(position) = tip {
            self.reach(position);
        }
        tip.is_some()
    }

    fn reach(&self, position: Position) {
        self.applied.store(position.get(), Ordering::Release);
        self.reached.send_replace(position);
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where this node is, to be taken before a heartbeat is sent.
    fn mark(&self) -> Mark {
        let withdrawals = self.withdrawals.load(Ordering::Acquire);
        Mark { withdrawals, sent: self.clock.boottime(), applied: self.applied() }
    }

    /// How a head that was seen after `mark` lies to what is applied now.
    fn place(&self, mark: Mark, head: &Head) -> Place {
        let trail = self.lock();
        if self.withdrawals.load(Ordering::Acquire) != mark.withdrawals {
            // What was seen speaks of another verifier.
            return Place::Forgotten;
        }
        // A log only grows: one that ends before what was read of it has lost its tail.
        let lost = head.position < mark.applied;
        if head.log_id != self.log_id || lost { Place::Elsewhere } else { trail.place(head) }
    }

    /// Notes that a heartbeat sent at `mark` saw nothing that is not applied; unless the right to
    /// answer was withdrawn since then, for then it speaks of another verifier.
    fn renew(&self, mark: Mark) {
        let _turn = self.lock();
        if self.withdrawals.load(Ordering::Acquire) == mark.withdrawals {
            self.sent.fetch_max(mark.sent.nanos(), Ordering::AcqRel);
            self.caught_up.store(true, Ordering::Release);
        }
    }

    /// Takes the right to answer away until the verifier was warmed anew and a heartbeat sent after
    /// that has seen nothing that is not applied: the log is not trusted, or the verifier is about to
    /// be another one.
    pub fn withdraw(&self) {
        let mut trail = self.lock();
        trail.end();
        self.withdrawals.fetch_add(1, Ordering::AcqRel);
        self.caught_up.store(false, Ordering::Release);
        self.sent.store(Boottime::NEVER.nanos(), Ordering::Release);
        self.reach(Position::ZERO);
    }

    /// How long one heartbeat gives the right to answer.
    const fn lease(&self) -> Duration {
        self.lease
    }

    /// Tells the heartbeat not to wait for its time: something was applied that others wait for.
    pub fn urge(&self) {
        self.urge.notify_one();
    }

    async fn urged(&self) {
        self.urge.notified().await;
    }

    /// Tells who follows the log to connect anew.
    fn doubt(&self) {
        self.doubts.notify_one();
    }

    /// Returns when what is read of the log may not be what the primary has.
    pub async fn doubted(&self) {
        self.doubts.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this node has applied `position`; `false` if it takes longer than `within`.
    pub async fn wait_for(&self, position: Position, within: Duration) -> bool {
        if self.applied() >= position {
            return true;
        }
        let mut applied = self.reached.subscribe();
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

#[cfg(test)]
mod tests;
