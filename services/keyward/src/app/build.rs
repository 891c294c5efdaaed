//! A node from its configuration: key ring, log, freshness, and an empty verifier.

use std::sync::Arc;

use arc_swap::ArcSwap;
use eventlog::{ChainMac, Checkpoints, Database, EventLog, EventLogOptions};
use telemetry::Telemetry;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use crate::barrier::Barrier;
use crate::clock::Clock;
use crate::commands::Commands;
use crate::config::{Config, DatabaseChoice};
use crate::counts::Counts;
use crate::data_keys::DataKeys;
use crate::freshness::Freshness;
use crate::gateways::Gateways;
use crate::guesses::Guesses;
use crate::jwt::Issuers;
use crate::keyring::LiveRing;
use crate::node::{self, MOST_WATCHES, Node};
use crate::operator::OperatorToken;
use crate::usage::{self, Recorder};
use crate::{entropy, storage};

/// The node, and the MAC of its log's chain.
pub(super) async fn node(
    config: &Config,
    clock: Clock,
    telemetry: &Telemetry,
    database: &Database,
    issuers: Issuers,
) -> Result<(Node, ChainMac), StartError> {
    let gateways = Gateways::new(config.gateway_trust.clone(), telemetry.metrics())?;
    let ring = storage::key_ring(config)?;
    let known = storage::check_key_ring(database, &ring).await?;
    let ring = Arc::new(LiveRing::new(ring, known));
    let operator = match config.database {
        DatabaseChoice::Managed { .. } => OperatorToken::load_or_make(&config.operator_token_file)?,
        DatabaseChoice::Url(_) => OperatorToken::load(&config.operator_token_file)?,
    };
    let chain = ring.chain_mac();
    let log = EventLog::open(database, chain.clone(), EventLogOptions::default()).await?;
    let head = log.head().await?;
    eventlog::describe_metrics();
    usage::describe_metrics();
    crate::keyring::watch::describe_metrics();
    let verifier_id =
        entropy::uuid_v7(clock.now()).map_err(crate::operator::OperatorTokenError::from)?;
    let node = Node {
        freshness: Arc::new(Freshness::new(clock.clone(), config.lease, head.log_id)),
        commands: Commands::new(log, clock.clone()),
        clock,
        brand: config.brand.clone(),
        database: database.clone(),
        checkpoints: Checkpoints::new(database),
        verifier: ArcSwap::from_pointee(node::verifier(&config.brand, ring.load().chain())),
        applying: std::sync::RwLock::new(()),
        verifier_id: verifier_id.to_string(),
        barrier: Barrier::default(),
        data_keys: DataKeys::new(database.clone(), Arc::clone(&ring)),
        ring,
        operator,
        operator_identities: config.operator_identities.clone(),
        gateways: Arc::new(gateways),
        issuers: Arc::new(issuers),
        sampler: telemetry.sampler(),
        ai_providers: config.ai_providers.clone(),
        ext_authz: config.ext_authz.clone(),
        counts: Counts::new(telemetry.metrics()),
        guesses: Guesses::new(config.guess_limit, telemetry.metrics()),
        usage: match config.usage_flush {
            Some(_) => Recorder::new(config.serving_threads),
            None => Recorder::off(),
        },
        control: tokio::runtime::Handle::current(),
        calls: TaskTracker::new(),
        admission: Arc::new(Semaphore::new(config.max_management_calls)),
        caller_reads: Arc::new(Semaphore::new(config.max_management_calls)),
        watches: Arc::new(Semaphore::new(MOST_WATCHES)),
        stopping: CancellationToken::new(),
    };
    Ok((node, chain))
}
