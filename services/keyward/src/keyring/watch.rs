//! The watch over the key ring: notices a new one, by itself and at SIGHUP, checks it, and lets the node
//! go on with it. A bad one changes nothing and is said once.
//!
//! In this order, so that others can rest on it:
//! 1. The new ring is compared with what the database knows, and a key that becomes active is noted there
//!    as one that may be in use.
//! 2. The node uses the new ring.
//! 3. It tells which keys it has and which are active. Whoever reads that a key is there, or is not active
//!    any more, may rely on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vault::{KeyPurpose, KeyRing};

use super::{Known, known};
use crate::config::Config;
use crate::node::Node;
use crate::storage::{self, StorageError};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often the command is run.
const ASK: Duration = Duration::from_secs(60);
/// How often this node says again which keys it has, in case what it said was forgotten.
const SAY: Duration = Duration::from_secs(60);

const ACTIVE: &str = "keyward_keyring_active_id";
const NEWEST: &str = "keyward_keyring_newest_id";
const RELOADS: &str = "keyward_keyring_reloads_total";

/// Says what the numbers of this module mean.
pub(crate) fn describe_metrics() {
    metrics::describe_gauge!(ACTIVE, "The key that new values are made under, by purpose");
    metrics::describe_gauge!(NEWEST, "The highest id of a key in this node's ring, by purpose");
    metrics::describe_counter!(RELOADS, "Key rings that were noticed, by what became of them");
    for outcome in ["used", "refused"] {
        metrics::counter!(RELOADS, "outcome" => outcome).increment(0);
    }
}

/// Keeps a node's ring the newest one.
pub(crate) struct RingWatch {
    node: Arc<Node>,
    config: Arc<Config>,
    /// What was said of the ring that is refused, so that it is said once.
    refused: Option<String>,
    said: Option<std::time::Instant>,
    /// Changes when it is to be looked at now.
    asked: watch::Receiver<()>,
}

impl RingWatch {
    /// A watch for `node`, whose ring is where `config` says.
    pub(crate) fn new(node: Arc<Node>, config: Config, asked: watch::Receiver<()>) -> Self {
        Self { node, config: Arc::new(config), refused: None, said: None, asked }
    }

    /// Watches until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        show(&self.node.ring.load());
        let every = if self.config.keyring_command.is_some() { ASK } else { LOOK };
        loop {
            self.say().await;
            let asked = tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(every) => false,
                () = heard(&mut self.asked) => true,
            };
            self.look(asked).await;
        }
        if let Err(error) = known::leave(&self.node.database, &self.node.verifier_id).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "what this node's key ring holds stays told");
        }
    }

    /// Looks once. `asked`: whoever asked is told, also that nothing is new.
    async fn look(&mut self, asked: bool) {
        let config = Arc::clone(&self.config);
        // It may block: on a program, or on a disk that is far away.
        let read = tokio::task::spawn_blocking(move || storage::present_key_ring(&config)).await;
        let Ok(read) = read else {
            return;
        };
        let checked = match read {
            Ok(ring) if self.is_used(&ring) => {
                self.refused = None;
                if asked {
                    tracing::info!(keys = listed(&ring), "the key ring is the same as before");
                }
                return;
            }
            Ok(ring) => known::check(&self.node.database, &ring).await.map(|known| (ring, known)),
            Err(error) => Err(error),
        };
        match checked {
            Ok((ring, known)) => self.take(ring, known).await,
            Err(error) => self.refuse(&error, asked),
        }
    }

    fn is_used(&self, ring: &KeyRing) -> bool {
        let used = self.node.ring.load();
        used.keys() == ring.keys()
            && ring.key_check_values().iter().all(|one| used.key_check_values().contains(one))
    }

    async fn take(&mut self, ring: KeyRing, known: Known) {
        let keys = listed(&ring);
        self.refused = None;
        self.node.ring.replace(ring, known);
        show(&self.node.ring.load());
        metrics::counter!(RELOADS, "outcome" => "used").increment(1);
        tracing::info!(keys, "a new key ring is used");
        self.said = None;
        self.say().await;
    }

    fn refuse(&mut self, error: &StorageError, asked: bool) {
        let said = error.to_string();
        if asked || self.refused.as_ref() != Some(&said) {
            metrics::counter!(RELOADS, "outcome" => "refused").increment(1);
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the new key ring is not used, the one before is"
            );
        }
        self.refused = Some(said);
    }

    /// Tells which keys this node has, now and then.
    async fn say(&mut self) {
        if self.said.is_some_and(|at| at.elapsed() < SAY) {
            return;
        }
        let used = Arc::clone(&self.node.ring.load());
        match known::announce(&self.node.database, &self.node.verifier_id, &used).await {
            Ok(()) => self.said = Some(std::time::Instant::now()),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "what this node's key ring holds was not told");
            }
        }
    }
}

async fn heard(asked: &mut watch::Receiver<()>) {
    if asked.changed().await.is_err() {
        std::future::pending().await
    }
}

fn show(ring: &KeyRing) {
    for purpose in KeyPurpose::ALL {
        let keys = || ring.keys().iter().filter(move |key| key.purpose == purpose);
        let active = keys().find(|key| key.active).map(|key| key.id).unwrap_or_default();
        let newest = keys().map(|key| key.id).max().unwrap_or_default();
        metrics::gauge!(ACTIVE, "purpose" => purpose.as_str()).set(f64::from(active));
        metrics::gauge!(NEWEST, "purpose" => purpose.as_str()).set(f64::from(newest));
    }
}

/// The ids of a ring's keys, in one line.
fn listed(ring: &KeyRing) -> String {
    let key = |key: &vault::RingKey| {
        let active = if key.active { " (active)" } else { "" };
        format!("{} {}{active}", key.purpose, key.id)
    };
    ring.keys().iter().map(key).collect::<Vec<_>>().join(", ")
}
