//! What one running node is made of: the parts that every RPC may use, put together once by `app`.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::config::Provider;
use domain::{
    Binding, Brand, CredentialKind, CredentialRecord, DigestAlgorithm, Env, PepperId,
    SECRET_LENGTH, SecretDigest, SecretText, SpiffeId, WorkspaceId,
};
use eventlog::{Checkpoints, Database, Position};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use vault::{ChainKey, NoEntropy};
use verifier::Verifier;

use crate::barrier::Barrier;
use crate::clock::Clock;
use crate::commands::Commands;
use crate::config::ExtAuthz;
use crate::counts::Counts;
use crate::data_keys::DataKeys;
use crate::entropy;
use crate::freshness::Freshness;
use crate::gateways::Gateways;
use crate::guesses::Guesses;
use crate::imported::Foreign;
use crate::jwt::Issuers;
use crate::keyring::LiveRing;
use crate::operator::OperatorToken;
use crate::usage::Recorder;

/// How long a write waits until this node's own verifier has it, before it answers all the same.
const OWN_VERIFIER: Duration = Duration::from_secs(1);

/// Streams of events that a node holds: each reads the log whenever it has grown.
pub const MOST_WATCHES: usize = 32;

/// One running node.
pub struct Node {
    /// The clocks.
    pub clock: Clock,
    /// What credentials begin with.
    pub brand: Brand,
    /// The command loop, and through it the log.
    pub commands: Commands,
    /// The database, for the read models.
    pub database: Database,
    /// How far the read models are.
    pub checkpoints: Checkpoints,
    /// The index that verdicts come from. Swapped whole if it has to be built anew.
    pub verifier: ArcSwap<Verifier>,
    /// Taken for writing while one event is applied, for reading by a batch of verdicts.
    pub applying: RwLock<()>,
    /// This run of this node, as its heartbeats name it.
    pub verifier_id: String,
    /// Whether this node may answer.
    pub freshness: Arc<Freshness>,
    /// For writes that must be known everywhere.
    pub barrier: Barrier,
    /// For digests of secrets and of requests, page tokens and stored replies. May be another one at the
    /// next look.
    pub ring: Arc<LiveRing>,
    /// For sealed values.
    pub data_keys: DataKeys,
    /// The operator's token.
    pub operator: OperatorToken,
    /// Whose certificates are operators', too.
    pub operator_identities: Vec<SpiffeId>,
    /// Who is believed when it says for whom it calls.
    pub(crate) gateways: Arc<Gateways>,
    /// The identity providers whose JWTs are taken.
    pub(crate) issuers: Arc<Issuers>,
    /// Which calls are traced.
    pub sampler: telemetry::Sampler,
    /// The AI providers whose keys are taken; any, if there are none.
    pub ai_providers: Vec<Provider>,
    /// How Envoy's requests are read and answered.
    pub ext_authz: ExtAuthz,
    /// What is counted.
    pub counts: Counts,
    /// Keys that were asked for and are none.
    pub(crate) guesses: Guesses,
    /// How keys are used.
    pub(crate) usage: Recorder,
    /// The runtime of everything that is not a verdict.
    pub control: tokio::runtime::Handle,
    /// Management calls under way, those whose clients have gone among them.
    pub calls: TaskTracker,
    /// Management calls that may begin.
    pub admission: Arc<Semaphore>,
    /// Reads that may begin to find out who calls. Apart from `admission`, of which most that need one
    /// hold a part already.
    pub caller_reads: Arc<Semaphore>,
    /// Streams of events that may begin.
    pub watches: Arc<Semaphore>,
    /// Cancelled once this node drains.
    pub stopping: CancellationToken,
}

/// An empty verifier for this brand, that finds keys imported under the first chain key. That one is
/// the same in every ring that follows, so it may be kept.
#[must_use]
pub fn verifier(brand: &Brand, chain: &Arc<ChainKey>) -> Verifier {
    let chain = Arc::clone(chain);
    Verifier::new(brand.clone())
        .finding_imported(Box::new(move |text| Foreign::of(text).parts(&chain)))
}

/// A credential just drawn: the text to show once, the record to keep.
pub struct Drawn {
    /// To be shown once.
    pub text: SecretText,
    /// To be kept.
    pub record: CredentialRecord,
}

impl Node {
    /// The check of a presented secret against what is kept of it, for the verifier.
    #[inline]
    pub fn secret_check(
        &self,
    ) -> impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool {
        |binding, secret, pepper, digest| {
            self.ring.load().peppers().matches(binding, secret, pepper, digest)
        }
    }

    /// An empty verifier of this deployment.
    #[must_use]
    pub fn new_verifier(&self) -> Verifier {
        verifier(&self.brand, self.ring.load().chain())
    }

    /// Draws a credential of `resource`.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn draw(
        &self,
        kind: CredentialKind,
        env: Env,
        workspace: Option<WorkspaceId>,
        resource: Uuid,
    ) -> Result<Drawn, NoEntropy> {
        let (kid, secret) = (entropy::kid()?, entropy::secret()?);
        let binding = Binding { workspace, resource, kid, env, kind };
        let (pepper, digest) = self.ring.load().peppers().digest(&binding, secret.expose());
        let algorithm = DigestAlgorithm::HmacSha256;
        Ok(Drawn {
            text: SecretText::new(&self.brand, kind, env, kid, &secret),
            record: CredentialRecord { kid, pepper, algorithm, digest },
        })
    }

    /// Keeps the verifier as it is until this is dropped. Only for work of microseconds: the tail
    /// waits for it. A single verdict needs none, as it is of one moment anyway.
    pub fn still(&self) -> RwLockReadGuard<'_, ()> {
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, bounded, until this node's verifier has `position`, so that the caller's next call here
    /// sees its own write. A slow node answers all the same: the write is done.
    pub async fn settle(&self, position: Position) {
        if !self.freshness.wait_for(position, OWN_VERIFIER).await {
            tracing::warn!(%position, "answered a write before this node's verifier had applied it");
        }
    }
}
