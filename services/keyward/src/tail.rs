//! The tail: warms the verifier from the read models, then follows the log into it, for ever.
//!
//! An event is never skipped. One that can't be read quarantines what it is about, or takes the node's
//! right to answer away if that may be anything; a log that is not what it must be takes that right
//! away, is checked from its first event, and only if it is sound is the verifier built anew.

mod fold;
mod loader;
mod ring;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::service_credential::Proof;
use eventlog::{
    ChainMac, Database, LogError, Position, RecordedEvent, StartAt, Subscription,
    SubscriptionOptions,
};
use readmodel::{ReadError, snapshot};
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use fold::Boundless;
use loader::Loader;
use ring::Lacking;

/// The pause after a failed read; it doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The pause before a log that is not sound is looked at again.
const UNSOUND_PAUSE: Duration = Duration::from_secs(30);

/// Why a round of following ended.
enum Trouble {
    /// The database does not answer; try again soon.
    Passing(LogError),
    /// The log is not what it must be.
    Unsound(Box<dyn std::error::Error + Send + Sync>),
    /// The log holds what this build can't know the reach of.
    Newer(Boundless),
    /// Other nodes use a key that this one's key ring lacks.
    RingBehind(Box<dyn std::error::Error + Send + Sync>),
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        if matches!(error, LogError::Corrupt { .. }) {
            return Self::Unsound(Box::new(error));
        }
        if matches!(error, LogError::UnknownChainKey { .. }) {
            return Self::RingBehind(Box::new(error));
        }
        Self::Passing(error)
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(error) => Self::Passing(error.into()),
            ReadError::Checkpoint(error) => error.into(),
            ReadError::Corrupt { .. } | ReadError::ForeignCursor => Self::Unsound(Box::new(error)),
        }
    }
}

/// The database that is named holds another log than the one that this node began with.
#[derive(Debug, thiserror::Error)]
#[error("the database holds the log {0} now, another than this node started on: restart it")]
struct ForeignLog(uuid::Uuid);

/// A heartbeat saw that the primary's history is not the one that was followed.
#[derive(Debug, thiserror::Error)]
#[error("the primary has another history than the one that was followed")]
struct OtherHistory;

/// What the read models had when the verifier was warmed from them.
#[derive(Clone, Copy)]
struct Warm {
    keys: Position,
    workspaces: Position,
}

/// Keeps the verifier of one node at the end of the log.
pub struct Tail {
    node: Arc<Node>,
    source: Source,
    chain: ChainMac,
}

/// Where the log is followed.
enum Source {
    /// At the primary, which the node writes to.
    Primary(Database),
    /// At a hot standby of it. Heartbeats go to the primary all the same, so a standby that falls behind
    /// costs this node its lease, and never makes a verdict older than that.
    Standby(Database),
}

impl Source {
    const fn database(&self) -> &Database {
        match self {
            Self::Primary(database) | Self::Standby(database) => database,
        }
    }

    fn options(&self, node: &Node) -> SubscriptionOptions {
        let usual = SubscriptionOptions::default();
        match self {
            Self::Primary(_) => {
                let commits = Some(node.commands.log().commits());
                SubscriptionOptions { commits, ..usual }
            }
            // It refuses LISTEN, and what this node commits it has a little later than this node.
            Self::Standby(_) => SubscriptionOptions {
                listen: false,
                poll_min: Duration::from_millis(1),
                poll_max: Duration::from_millis(4),
                ..usual
            },
        }
    }
}

impl Tail {
    /// A tail for `node`, which follows the log at `standby` if there is one.
    #[must_use]
    pub fn new(node: Arc<Node>, chain: ChainMac, standby: Option<Database>) -> Self {
        let primary = Source::Primary(node.database.clone());
        Self { node, source: standby.map_or(primary, Source::Standby), chain }
    }

    /// Warms and follows until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = SHORTEST_PAUSE;
        let mut mistrust = SHORTEST_PAUSE;
        loop {
            let began = std::time::Instant::now();
            // From before the round: a ring that comes while it ends is not missed.
            let ring = self.node.ring.replacements();
            let trouble = tokio::select! {
                () = stop.cancelled() => return,
                trouble = self.round() => trouble,
            };
            let wait = match trouble {
                Trouble::Passing(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the log can't be followed now"
                    );
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause
                }
                Trouble::Unsound(error) => {
                    self.node.freshness.withdraw();
                    self.node.checkpoints.forget_all();
                    tracing::error!(
                        error = &*error as &dyn std::error::Error,
                        "the log is not what it must be: this node answers nothing until it is"
                    );
                    // Examining a log is work for the database too: less often, the less it helps.
                    if began.elapsed() > UNSOUND_PAUSE {
                        mistrust = SHORTEST_PAUSE;
                    }
                    mistrust = (mistrust * 2).min(UNSOUND_PAUSE);
                    if self.examine().await { mistrust } else { UNSOUND_PAUSE }
                }
                Trouble::Newer(error) => return self.stand_still(&error, &stop).await,
                Trouble::RingBehind(error) => {
                    self.wait_for_ring(&*error, &stop, ring).await;
                    continue;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Checks the whole log after it was found unsound. A sound one (after a failover that lost its
    /// tail, say) is followed again soon; the other stays unanswered.
    async fn examine(&self) -> bool {
        match eventlog::verify_log(self.source.database(), &self.chain, |_, _| {}).await {
            Ok(head) => {
                tracing::warn!(position = %head.position, "the log is sound from its first event: building the verifier anew");
                true
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the log is not sound: see the runbook"
                );
                false
            }
        }
    }

    /// Answers nothing until `stop`. The verifier is not built anew: a newer node may have projected
    /// the event meanwhile, and then this one would pass over it.
    async fn stand_still(&self, error: &Boundless, stop: &CancellationToken) {
        self.node.freshness.withdraw();
        loop {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a newer version of Keyward wrote this; upgrade: this node answers nothing"
            );
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(UNSOUND_PAUSE) => {}
            }
        }
    }

    /// Answers nothing until this node has another key ring, or until `stop`. Nothing is wrong with the
    /// log, as far as anybody here can tell; but what comes next in it can't be judged.
    async fn wait_for_ring(
        &self,
        error: &(dyn std::error::Error + Send + Sync + 'static),
        stop: &CancellationToken,
        mut ring: tokio::sync::watch::Receiver<()>,
    ) {
        self.node.freshness.withdraw();
        loop {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "this node's key ring lacks a key that others use: it answers nothing until it has the newest ring"
            );
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ring.changed() => return,
                () = tokio::time::sleep(UNSOUND_PAUSE) => {}
            }
        }
    }

    /// One life of the verifier: warm it, follow, until something is wrong.
    async fn round(&self) -> Trouble {
        match self.warm().await {
            Ok((subscription, warm)) => self.follow(subscription, warm).await,
            Err(trouble) => trouble,
        }
    }

    async fn warm(&self) -> Result<(Subscription, Warm), Trouble> {
        let began = std::time::Instant::now();
        let verifier = Arc::new(self.node.new_verifier());
        let mut loader = Loader::new(Arc::clone(&verifier));
        let lacking = Lacking::of(&self.node.ring);
        // A million rows take longer than any statement of the service may.
        let mut connection =
            self.source.database().connect("warm start", &[("statement_timeout", "0")]).await?;
        let loaded = snapshot::load(
            &mut connection,
            |workspace| {
                lacking.note(workspace.token.pepper);
                verifier.load_workspace(&workspace);
            },
            |credential| {
                if let Proof::Secret(record) = &credential.proof {
                    lacking.note(record.pepper);
                }
                verifier.load_service_credential(&credential);
            },
            |key| {
                key.credentials.iter().for_each(|one| lacking.note(one.record.pepper));
                loader.load(key);
            },
        )
        .await?;
        lacking.check()?;
        loader.end().await.map_err(|error| Trouble::Unsound(Box::new(error)))?;
        for quarantined in &loaded.quarantined {
            fold::quarantine(&verifier, quarantined.suspect);
        }
        verifier.quarantine_as(&self.node.verifier.load());
        let start = loaded.follow_from();
        let (database, options) = (self.source.database(), self.source.options(&self.node));
        let start_at = StartAt::After(start);
        let subscription =
            Subscription::open(database, self.chain.clone(), start_at, options).await?;
        let at = subscription.verified();
        if at.log_id != self.node.freshness.log_id() {
            return Err(Trouble::Unsound(Box::new(ForeignLog(at.log_id))));
        }
        // Behind the old verifier for a moment: what was promised of the old one does not hold for it.
        // The first one never is; a lease that an empty log gave before it goes on.
        if start < self.node.freshness.applied() {
            self.node.freshness.withdraw();
        }
        self.node.verifier.store(verifier);
        // Erasures may be among the events that were passed over.
        self.node.data_keys.forget();
        self.node.freshness.note_warm(at);
        tracing::info!(keys = loaded.key_count, position = %start, took = ?began.elapsed(), "the verifier is warm");
        Ok((subscription, Warm { keys: loaded.keys, workspaces: loaded.workspaces }))
    }

    async fn follow(&self, mut subscription: Subscription, warm: Warm) -> Trouble {
        let verifier = self.node.verifier.load_full();
        loop {
            let next = tokio::select! {
                next = subscription.next_batch() => next,
                () = self.node.freshness.doubted() => {
                    subscription.reconnect();
                    if !self.node.freshness.note_applied(&[]) {
                        return Trouble::Unsound(Box::new(OtherHistory));
                    }
                    continue;
                }
            };
            let batch = match next {
                Ok(batch) => batch,
                Err(error) if error.is_transient() => {
                    // The subscription pauses before it connects anew.
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the log was not read"
                    );
                    continue;
                }
                Err(error) => return error.into(),
            };
            let (mut awaited, mut erased) = (false, false);
            for recorded in &batch.events {
                if let Err(trouble) = ring::check(&self.node.ring, recorded) {
                    return trouble;
                }
                // One event at a time: a batch of verdicts that waits, waits for no more than that.
                let _turn = self.node.applying.write().unwrap_or_else(PoisonError::into_inner);
                match fold::apply(&verifier, recorded, warm) {
                    Ok(applied) => {
                        awaited |= applied.awaited;
                        erased |= applied.erased;
                    }
                    Err(error) => return Trouble::Newer(error),
                }
            }
            if erased {
                // Before anybody is told that this node has applied it.
                self.node.data_keys.forget();
            }
            if !self.node.freshness.note_applied(&batch.events) {
                return Trouble::Unsound(Box::new(OtherHistory));
            }
            if awaited {
                self.node.freshness.urge();
            }
            self.measure(&batch.events, batch.head.position);
        }
    }

    fn measure(&self, events: &[RecordedEvent], head: Position) {
        let behind = head.since(self.node.freshness.applied());
        let age = match events.last() {
            Some(last) if behind > 0 => {
                let now = self.node.clock.now_micros().0;
                now.saturating_sub(last.recorded_at.as_microsecond()).max(0)
            }
            Some(_) | None => 0,
        };
        if let Some(last) = events.last() {
            let now = self.node.clock.now_micros().0;
            let took = now.saturating_sub(last.recorded_at.as_microsecond()).max(0);
            metrics::histogram!("keyward_commit_to_applied_seconds")
                .record(Duration::from_micros(took.unsigned_abs()));
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge of a lag needs no 53 bits")]
        {
            metrics::gauge!("keyward_follower_lag_positions").set(behind as f64);
            metrics::gauge!("keyward_follower_lag_seconds").set(age as f64 / 1e6);
        }
    }
}
