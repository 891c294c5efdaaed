//! What the writer of this program commits, told to the followers in it.
//!
//! A follower may take a batch from here instead of reading it back: it was acknowledged by the
//! database, and the follower checks position and MAC as of everything it reads. One that misses a
//! batch reads the log; nothing is kept for it.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::event::{Position, RecordedEvent};
use crate::plan::Plan;
use crate::subscription::Batch;

/// How many batches a follower may be behind before it reads the log instead.
const WAITING: usize = 32;

/// The commits of a writer in this program. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Commits {
    position: watch::Receiver<Position>,
    batches: broadcast::Sender<Arc<Batch>>,
}

impl Commits {
    /// The last position that the writer committed or saw. Changes wake followers.
    #[must_use]
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }

    /// The batches that are committed from now on.
    pub(crate) fn batches(&self) -> broadcast::Receiver<Arc<Batch>> {
        self.batches.subscribe()
    }
}

/// The writer's end.
pub(crate) struct CommitsSender {
    position: watch::Sender<Position>,
    batches: broadcast::Sender<Arc<Batch>>,
}

impl CommitsSender {
    pub(crate) fn new(at: Position) -> Self {
        Self { position: watch::Sender::new(at), batches: broadcast::Sender::new(WAITING) }
    }

    pub(crate) fn commits(&self) -> Commits {
        Commits { position: self.position.subscribe(), batches: self.batches.clone() }
    }

    /// Tells that a plan is committed.
    pub(crate) fn batch(&self, plan: &Plan<'_>) {
        if self.batches.receiver_count() > 0 {
            let events = plan.events.iter().map(|planned| recorded(planned, plan)).collect();
            // Followers may just have gone.
            let _ = self.batches.send(Arc::new(Batch { events, head: plan.head }));
        }
    }

    /// Tells where the log ends; after a failover that lost its tail, before where it did.
    pub(crate) fn reached(&self, position: Position) {
        self.position.send_if_modified(|known| std::mem::replace(known, position) != position);
    }
}

fn recorded(planned: &crate::plan::PlannedEvent<'_>, plan: &Plan<'_>) -> RecordedEvent {
    RecordedEvent {
        position: planned.position,
        stream: planned.stream.clone(),
        revision: planned.revision,
        event_id: planned.event.event_id,
        kind: planned.event.kind.clone(),
        schema: planned.event.schema,
        workspace_id: planned.workspace_id.map(str::to_owned),
        payload: planned.event.payload.clone(),
        metadata_bytes: planned.metadata.to_vec(),
        recorded_at: plan.now,
        mac: planned.mac,
        chain_key: Some(planned.chain_key),
    }
}
