//! The barrier: a write that takes rights away returns when no verifier can accept the old state.
//!
//! # Why nobody accepts what a barrier has passed
//! 1. Whoever may hold a lease is in the table of heartbeats when a look at it *begins* after the commit
//!    (`eventlog::heartbeat::Roll` says why). A verifier that is not there holds none, and takes
//!    its next one from a heartbeat whose head is at or past the commit.
//! 2. A heartbeat says a position only once everything up to it is in that verifier. So one that says
//!    the commit's position or more denies from then on; should it be built anew, its lease is withdrawn
//!    first, and the next one needs a head that is past the commit.
//! 3. A verifier that does not say so has taken its last lease from a heartbeat that was sent before the
//!    commit; for one sent later sees the commit, and must have applied it to count. That lease ends
//!    before the commit plus its length, by a clock that the verifier reads after each verdict. The
//!    barrier waits that long, and [`MARGIN`] for clocks that run at different rates: such a verifier is
//!    fenced.
//! 4. If the table can't be read, the longest lease that there may be is waited for.
//!
//! `tests/e2e/barrier.rs` guards these. All who wait share one look at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use eventlog::heartbeat::Roll;
use eventlog::{LogError, Position, VerifierBeat};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// What is waited for beyond a lease.
const MARGIN: Duration = Duration::from_millis(50);
/// The longest lease that a verifier may take.
const LONGEST_LEASE: Duration = Duration::from_secs(5);
/// The pause between two looks while somebody waits.
const PAUSE: Duration = Duration::from_millis(3);

/// How a wait for all verifiers ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Verifiers that said that they have applied the change.
    pub confirmed: usize,
    /// Verifiers that said nothing, until they had lost the right to answer.
    pub fenced: usize,
    /// From the commit to the end of the wait.
    pub elapsed: Duration,
}

/// One look at all verifiers that may answer.
#[derive(Debug, Default)]
struct Look {
    /// Looks are numbered as they begin.
    number: u64,
    verifiers: Vec<VerifierBeat>,
}

/// Waits for all verifiers.
#[derive(Debug, Default)]
pub struct Barrier {
    begun: AtomicU64,
    seen: watch::Sender<Arc<Look>>,
    waiting: AtomicUsize,
    wanted: Notify,
}

impl Barrier {
    /// Looks, as long as somebody waits, until `stop`.
    pub async fn run(&self, mut roll: Roll, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wanted.notified() => {}
            }
            let mut failing = false;
            while self.waiting.load(Ordering::Acquire) > 0 && !stop.is_cancelled() {
                match self.look(&mut roll).await {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        failing = true;
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "can't see who has applied a change: waiting until nobody can accept it"
                        );
                    }
                    Err(_) => {}
                }
                sleep(PAUSE).await;
            }
        }
    }

    async fn look(&self, roll: &mut Roll) -> Result<(), LogError> {
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let verifiers = roll.answering().await?;
        self.seen.send_replace(Arc::new(Look { number, verifiers }));
        Ok(())
    }

    /// Returns when no verifier accepts the state before `position`, whose commit was acknowledged at
    /// `committed`.
    pub async fn pass(&self, position: Position, committed: Instant) -> Passed {
        let _waiting = Waiting::begin(self);
        let before = self.begun.load(Ordering::Acquire);
        let mut seen = self.seen.subscribe();
        // Until a look has told how long the leases are.
        let mut deadline = committed + LONGEST_LEASE + MARGIN;
        let mut confirmed = HashSet::new();
        let mut silent: Option<HashSet<String>> = None;
        loop {
            let look = Arc::clone(&seen.borrow_and_update());
            // One that began before now may have missed a verifier, or what it said.
            if look.number > before {
                let (applied, behind): (Vec<_>, Vec<_>) =
                    look.verifiers.iter().partition(|other| other.applied_position >= position);
                confirmed.extend(applied.into_iter().map(|other| other.verifier_id.clone()));
                let behind = behind.into_iter().filter(|other| {
                    // Who comes later has no lease without the change.
                    silent.as_ref().is_none_or(|silent| silent.contains(&other.verifier_id))
                });
                let mut lease = Duration::ZERO;
                let names = behind.map(|other| {
                    lease = lease.max(other.lease);
                    other.verifier_id.clone()
                });
                let still: HashSet<String> = names.collect();
                deadline = deadline.min(committed + lease + MARGIN);
                let done = still.is_empty();
                silent = Some(still);
                if done {
                    break;
                }
            }
            if timeout_at(deadline, seen.changed()).await.is_err() {
                break;
            }
        }
        let fenced = silent.map_or(0, |silent| silent.len());
        let confirmed = confirmed.len();
        let passed = Passed { confirmed, fenced, elapsed: committed.elapsed() };
        passed.count();
        passed
    }
}

impl Passed {
    fn count(self) {
        metrics::histogram!("keyward_barrier_duration_seconds").record(self.elapsed);
        if self.fenced > 0 {
            let fenced = u64::try_from(self.fenced).unwrap_or(u64::MAX);
            metrics::counter!("keyward_barrier_fenced_total").increment(fenced);
            tracing::warn!(
                fenced,
                confirmed = self.confirmed,
                elapsed = ?self.elapsed,
                "verifiers were silent until their leases had ended"
            );
        }
    }
}

/// Counts one who waits, for as long as it does.
struct Waiting<'a>(&'a Barrier);

impl<'a> Waiting<'a> {
    fn begin(barrier: &'a Barrier) -> Self {
        barrier.waiting.fetch_add(1, Ordering::AcqRel);
        barrier.wanted.notify_one();
        Self(barrier)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
