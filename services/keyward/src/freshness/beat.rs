//! The heartbeats of this node: each commits how far it is, and renews the lease if the head that it
//! saw is the place, in position and in history, that the verifier has reached.

use std::time::Duration;

use eventlog::{EventLog, Head, Heartbeat, Sign};
use tokio_util::sync::CancellationToken;

use super::trail::Place;
use super::{Freshness, Mark};
use crate::clock::Boottime;

/// Two heartbeats that are urged are never closer to each other than this.
const SHORTEST: Duration = Duration::from_millis(5);

/// How far the database's clock may be from this machine's, in microseconds, before that is an alarm.
const FAR: u64 = 500_000;

/// What the heartbeats so far have come to.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// When the last one that was committed, and said that this node answers, was sent.
    pub(super) registered: Option<Boottime>,
    /// Whether the last one found this node at the head of the log.
    at_head: bool,
    failing: bool,
    /// Whether the database's clock was far from this machine's.
    off: bool,
}

/// How soon the next heartbeat is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    AtOnce,
    InTime,
}

/// Beats until `stop`, and tells the `log` whether others follow it. `patience` bounds how long the tail may take to reach a head that was seen.
pub async fn beat(
    freshness: &Freshness,
    mut heartbeat: Heartbeat,
    log: &EventLog,
    every: Duration,
    patience: Duration,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut course = Course::default();
    let mut next = Next::InTime;
    loop {
        // A beat that is dropped leaves nothing behind.
        tokio::select! {
            () = stop.cancelled() => break,
            () = async {
                if next == Next::InTime {
                    tokio::select! {
                        _ = ticks.tick() => {}
                        () = freshness.urged() => ticks.reset(),
                    }
                }
                next = course.beat(freshness, &mut heartbeat, log, patience).await;
                if next == Next::InTime {
                    tokio::time::sleep(SHORTEST.min(every)).await;
                }
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

impl Course {
    /// One heartbeat, and what follows from it.
    async fn beat(
        &mut self,
        freshness: &Freshness,
        heartbeat: &mut Heartbeat,
        log: &EventLog,
        patience: Duration,
    ) -> Next {
        let mark = freshness.mark();
        let answers = self.at_head || freshness.check().is_ok();
        let clock = freshness.clock();
        let before = clock.machine();
        match heartbeat.beat(Sign { applied: mark.applied(), answers }).await {
            Ok(beat) => {
                self.note_offset(clock.compare(before, beat.database_time, clock.machine()));
                if self.failing {
                    tracing::info!("heartbeats are written again");
                }
                self.failing = false;
                log.notify_others(beat.others);
                let counts = self.committed(mark.sent(), answers, freshness.lease());
                let place = hear(freshness, mark, &beat.head, counts, patience).await;
                self.at_head = place == Place::Applied;
                // The one that registers gives no right; the next one does.
                if self.at_head && !counts { Next::AtOnce } else { Next::InTime }
            }
            Err(error) => {
                if !self.failing {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "no heartbeat was written: verdicts end with the lease"
                    );
                }
                self.failing = true;
                Next::InTime
            }
        }
    }

    /// Says when the database's clock is far from this machine's. Verdicts go by both; what is recorded
    /// here goes by this one.
    fn note_offset(&mut self, ahead: i64) {
        metrics::gauge!("keyward_clock_offset_seconds").set(ahead as f64 / 1e6);
        let off = ahead.unsigned_abs() > FAR;
        if off && !self.off {
            let seconds = ahead as f64 / 1e6;
            tracing::error!(
                seconds,
                "the database's clock is ahead of this machine's, or behind if negative: set the wrong one right"
            );
        }
        self.off = off;
    }

    /// Takes note of a heartbeat that was sent at `sent`, said whether this node `answers`, and is
    /// committed. Answers whether it can give the right to answer: only if those who wait for all
    /// verifiers have been able to see this one since before it was sent, and still do (see
    /// `eventlog::heartbeat`). One that says no takes this node out of their sight.
    pub(super) fn committed(&mut self, sent: Boottime, answers: bool, lease: Duration) -> bool {
        let before = self.registered;
        self.registered = answers.then_some(sent);
        answers && before.is_some_and(|before| sent.since(before) <= lease)
    }
}

/// Draws the conclusion from a heartbeat that was sent at `mark` and saw `head`; whether it `counts`
/// for the lease.
pub(super) async fn hear(
    freshness: &Freshness,
    mark: Mark,
    head: &Head,
    counts: bool,
    patience: Duration,
) -> Place {
    if freshness.place(mark, head) == Place::Ahead {
        freshness.wait_for(head.position, patience).await;
    }
    let place = freshness.place(mark, head);
    match place {
        Place::Applied if counts => freshness.renew(mark),
        Place::Applied | Place::Forgotten => {}
        // Whoever follows may hang on a server that is no primary any more.
        Place::Ahead => freshness.doubt(),
        Place::Elsewhere => {
            tracing::error!(
                position = %head.position, log_id = %head.log_id, epoch = head.epoch,
                "the primary has another history than this node: nothing is answered until it is read anew"
            );
            freshness.withdraw();
            freshness.doubt();
        }
    }
    place
}
