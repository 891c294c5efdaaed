//! One identity provider: its keys, and the task that keeps them up to date.
//!
//! One task an issuer looks at its keys: in turn, sooner after a failure, and when a token names a key
//! that is not known, at most once a cool-down, so that forged ids can't make us hammer the provider.
//! A look that brings no good set changes nothing: the last good one stays, and is good for a day (as
//! set). A key that is no longer in the set is not known from the next look on.
//!
//! What is not known because it could not be asked is not denied: without keys, with ones that are too
//! old, or when the provider did not answer the last time and the key is unknown, the answer is that
//! nothing can be said.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use vault::JwtKey;

use super::fetch;
use super::keys::KeySet;
use super::settings::Issuer;
use super::source::Source;
use crate::clock::{Boottime, Clock};

/// The longest until the next look after one that failed.
const RETRY: Duration = Duration::from_secs(15);

/// Calls that may wait for one look at once. Anybody can make a token that waits; more get their answer
/// at once.
const MOST_WAITING: usize = 32;

/// An identity provider.
pub(super) struct Provider {
    pub(super) issuer: Issuer,
    source: Source,
    clock: Clock,
    held: ArcSwapOption<Held>,
    looks: watch::Sender<Looks>,
    waiting: Semaphore,
}

/// The last good set.
struct Held {
    set: KeySet,
    text: Bytes,
    /// When the look began that brought it last.
    at: Boottime,
}

/// The looks at the key set, counted.
#[derive(Debug, Clone, Copy)]
struct Looks {
    begun: u64,
    ended: u64,
    /// Whether the last one that ended brought no good set.
    failed: bool,
    /// Whether a token wants another one.
    wanted: bool,
    /// When a token wanted one last.
    asked_at: Boottime,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has no such key.
    Unknown,
    /// Its keys are not known here.
    Unavailable,
}

impl Provider {
    pub(super) fn new(issuer: Issuer, source: Source, clock: Clock) -> Self {
        let looks =
            Looks { begun: 0, ended: 0, failed: false, wanted: false, asked_at: Boottime::NEVER };
        Self {
            issuer,
            source,
            clock,
            held: ArcSwapOption::empty(),
            looks: watch::Sender::new(looks),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

    /// Whether its keys are in a file, which must be a good one at the start.
    pub(super) const fn in_a_file(&self) -> bool {
        matches!(self.source, Source::File(_))
    }

    /// The key of this id; waits for a look at the set if it is not known.
    ///
    /// # Errors
    /// There is none, or that can't be said.
    pub(super) async fn key(&self, kid: Option<&str>) -> Result<JwtKey, NoKey> {
        match self.find(kid) {
            Err(_) => self.look_again().await,
            found => return found,
        }
        match self.find(kid) {
            Err(NoKey::Unknown) if self.looks.borrow().failed => Err(NoKey::Unavailable),
            found => found,
        }
    }

    fn find(&self, kid: Option<&str>) -> Result<JwtKey, NoKey> {
        let held = self.held.load();
        let held = held
            .as_ref()
            .filter(|held| self.clock.boottime().since(held.at) < self.issuer.stale_after);
        let held = held.ok_or(NoKey::Unavailable)?;
        held.set.find(kid).cloned().ok_or(NoKey::Unknown)
    }

    /// Waits, bounded, for a look that is under way or may begin now.
    async fn look_again(&self) {
        let Ok(_place) = self.waiting.try_acquire() else {
            return;
        };
        if let Some(count) = self.ask() {
            let mut looks = self.looks.subscribe();
            let ended = looks.wait_for(|looks| looks.ended >= count);
            let patience = fetch::LONGEST + Duration::from_secs(1);
            let _ = timeout(patience, ended).await;
        }
    }

    /// Asks for a look, unless it is too soon; answers which one is worth waiting for.
    fn ask(&self) -> Option<u64> {
        let (now, mut worth) = (self.clock.boottime(), None);
        self.looks.send_if_modified(|looks| {
            let cool = now.since(looks.asked_at) >= self.issuer.cool_down;
            let asks = !looks.wanted && cool;
            if asks {
                (looks.wanted, looks.asked_at) = (true, now);
            }
            worth = if looks.wanted {
                Some(looks.begun + 1)
            } else {
                (looks.begun > looks.ended).then_some(looks.begun)
            };
            asks
        });
        worth
    }

    /// Looks at the key set again and again, until `stop`.
    pub(super) async fn keep_up(&self, stop: CancellationToken) {
        let mut wanted = self.looks.subscribe();
        let mut pause = if self.in_a_file() { self.issuer.refresh } else { Duration::ZERO };
        let mut complained = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause) => {}
                _ = wanted.wait_for(|looks| looks.wanted) => {}
            }
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.look() => outcome,
            };
            pause = match &outcome {
                Ok(()) => self.issuer.refresh,
                Err(_) => self.issuer.refresh.min(RETRY),
            };
            self.complain(outcome, &mut complained);
        }
    }

    /// Looks at the key set once.
    ///
    /// # Errors
    /// Why there is no good one, in words.
    pub(super) async fn look(&self) -> Result<(), String> {
        self.looks.send_modify(|looks| {
            looks.begun += 1;
            looks.wanted = false;
        });
        let at = self.clock.boottime();
        let outcome = self.source.read().await.and_then(|text| self.hold(text, at));
        self.looks.send_modify(|looks| {
            looks.ended = looks.begun;
            looks.failed = outcome.is_err();
        });
        outcome
    }

    fn hold(&self, text: Bytes, at: Boottime) -> Result<(), String> {
        let set = KeySet::parse(&text, self.issuer.algorithm).map_err(|fault| fault.to_string())?;
        let (held, keys) = (self.held.load(), set.len());
        if held.as_ref().is_none_or(|held| held.text != text) {
            tracing::info!(issuer = self.issuer.name, keys, "an identity provider's keys are new");
        }
        self.held.store(Some(Arc::new(Held { set, text, at })));
        Ok(())
    }

    /// Counts a look, and logs it if it failed in another way than the one before.
    fn complain(&self, outcome: Result<(), String>, before: &mut Option<String>) {
        let issuer = self.issuer.name.as_str();
        let word = if outcome.is_ok() { "ok" } else { "failed" };
        metrics::counter!("keyward_jwks_looks_total", "issuer" => issuer.to_owned(), "outcome" => word)
            .increment(1);
        match outcome {
            Ok(()) => *before = None,
            Err(why) if before.as_ref() != Some(&why) => {
                tracing::warn!(
                    issuer,
                    why,
                    "an identity provider's keys can't be read: the last good ones stay, as long as they may"
                );
                *before = Some(why);
            }
            Err(_) => {}
        }
    }
}
