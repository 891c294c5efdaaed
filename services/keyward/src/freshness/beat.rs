//! The heartbeats of this node: each commits how far it is, and renews the lease if the head that it
//! saw is the place, in position and in history, that the verifier has reached.

use std::time::Duration;

use eventlog::{Head, Heartbeat};
use tokio_util::sync::CancellationToken;

use super::trail::Place;
use super::{Freshness, Mark};

/// Beats until `stop`. `patience` bounds how long the tail may take to reach a head that was seen.
pub async fn beat(
    freshness: &Freshness,
    mut heartbeat: Heartbeat,
    every: Duration,
    patience: Duration,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        // A beat that is dropped leaves nothing behind.
        tokio::select! {
            () = stop.cancelled() => break,
            () = async {
                ticks.tick().await;
                beat_once(freshness, &mut heartbeat, patience, &mut failing).await;
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

async fn beat_once(
    freshness: &Freshness,
    heartbeat: &mut Heartbeat,
    patience: Duration,
    failing: &mut bool,
) {
    let mark = freshness.mark();
    match heartbeat.beat(mark.applied()).await {
        Ok(beat) => {
            if *failing {
                tracing::info!("heartbeats are written again");
            }
            *failing = false;
            hear(freshness, mark, &beat.head, patience).await;
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

/// Draws the conclusion from a heartbeat that was sent at `mark` and saw `head`.
pub(super) async fn hear(freshness: &Freshness, mark: Mark, head: &Head, patience: Duration) {
    if freshness.place(mark, head) == Place::Ahead {
        freshness.wait_for(head.position, patience).await;
    }
    match freshness.place(mark, head) {
        Place::Applied => freshness.renew(mark),
        // Whoever follows may hang on a server that is no primary any more.
        Place::Ahead => freshness.doubt(),
        Place::Forgotten => {}
        Place::Elsewhere => {
            tracing::error!(
                position = %head.position, log_id = %head.log_id, epoch = head.epoch,
                "the primary has another history than this node: nothing is answered until it is read anew"
            );
            freshness.withdraw();
            freshness.doubt();
        }
    }
}
