//! Puts keys into a verifier on a thread of its own, while the next rows are read: for a million keys,
//! each takes as long as the other.
//!
//! The rows are trusted. No MAC covers them, other than the log's events: whoever can write the schema
//! `readmodel` (`keyward_writer`, so the service's own role, `keyward_owner`, a superuser) can revive or
//! widen a key from the next warm start on. It takes the pepper as well to make one up, since digests are
//! MACs. What rules it out is `keyward rebuild all` before the start, which folds the checked log anew.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use domain::api_key::ApiKey;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use verifier::Verifier;

const BATCH: usize = 1_024;
/// Batches that may wait: enough that neither side stands still for long, few enough to hold.
const WAITING: usize = 16;

/// See the module.
pub(super) struct Loader {
    batch: Vec<ApiKey>,
    batches: SyncSender<Vec<ApiKey>>,
    loading: JoinHandle<()>,
}

impl Loader {
    pub(super) fn new(verifier: Arc<Verifier>) -> Self {
        let (batches, waiting) = sync_channel::<Vec<ApiKey>>(WAITING);
        let loading = spawn_blocking(move || {
            for batch in waiting {
                batch.iter().for_each(|key| verifier.load_key(key));
            }
        });
        Self { batch: Vec::with_capacity(BATCH), batches, loading }
    }

    /// Takes one key. Blocks while too many wait: nothing else can go on before they are in.
    pub(super) fn load(&mut self, key: ApiKey) {
        self.batch.push(key);
        if self.batch.len() == BATCH {
            self.hand_over();
        }
    }

    /// Waits until every key is in.
    ///
    /// # Errors
    /// The loading thread panicked.
    pub(super) async fn end(mut self) -> Result<(), JoinError> {
        self.hand_over();
        drop(self.batches);
        self.loading.await
    }

    fn hand_over(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        // A thread that is gone has panicked, which `end` tells.
        let _ = self.batches.send(batch);
    }
}
