//! The tasks that keep a node up, under supervision: one that ends before its time is logged by name,
//! and the node drains. A node that goes on without its tail, say, would only look alive.

use std::collections::HashMap;
use std::future::Future;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A part of the service that ended although nobody had told it to.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{name} {how}, and the service with it: see the log, and start it again")]
pub struct EndedEarly {
    name: &'static str,
    how: &'static str,
}

/// Tasks, each with its name and with what tells it to end.
#[derive(Default)]
pub(super) struct Upkeep {
    tasks: JoinSet<()>,
    parts: HashMap<Id, Part>,
}

struct Part {
    name: &'static str,
    until: CancellationToken,
}

impl Upkeep {
    /// Starts a task that must not end before `until` is cancelled.
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        until: &CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.parts.insert(id, Part { name, until: until.clone() });
    }

    /// Watches over the tasks from now on; the first that ends early cancels `drain`.
    pub(super) fn supervise(self, drain: CancellationToken) -> Supervision {
        let (tell, first) = watch::channel(None);
        let task = AbortOnDropHandle::new(tokio::spawn(self.watch(drain, tell)));
        Supervision { first, task }
    }

    async fn watch(mut self, drain: CancellationToken, tell: watch::Sender<Option<EndedEarly>>) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
            let Some(Part { name, until }) = self.parts.remove(&id) else {
                continue;
            };
            let how = match ended {
                Ok(_) if until.is_cancelled() => continue,
                Ok(_) => "ended by itself",
                Err(_) => "panicked",
            };
            let early = EndedEarly { name, how };
            tracing::error!(part = name, "{early}");
            drain.cancel();
            tell.send_if_modified(|first| {
                let is_first = first.is_none();
                first.get_or_insert(early);
                is_first
            });
        }
    }
}

/// The supervision of an [`Upkeep`]. Dropping it ends every task.
pub(super) struct Supervision {
    first: watch::Receiver<Option<EndedEarly>>,
    task: AbortOnDropHandle<()>,
}

impl Supervision {
    /// Waits until a task has ended early, for ever if none does.
    pub(super) async fn ended_early(&self) -> EndedEarly {
        let mut first = self.first.clone();
        loop {
            if let Some(early) = first.borrow_and_update().clone() {
                return early;
            }
            if first.changed().await.is_err() {
                // All have ended in their time.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until every task has ended.
    pub(super) async fn finish(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the supervision failed");
        }
    }
}

#[cfg(test)]
mod tests;
