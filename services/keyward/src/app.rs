//! The running service: puts a node together, starts what keeps it fresh, serves, and drains.

mod build;
mod health;
mod past;
mod upkeep;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::envoy::service::auth::v3::authorization_server::AuthorizationServer;
use api::v1::api_key_service_server::ApiKeyServiceServer;
use api::v1::audit_service_server::AuditServiceServer;
use api::v1::workspace_service_server::WorkspaceServiceServer;
use eventlog::heartbeat::Roll;
use eventlog::{ChainMac, Heartbeat, LogError, ProjectionRunner, RunnerOptions};
use serving::{Capacity, Listener, TlsError};
use telemetry::Telemetry;
use telemetry::metrics::MetricsServer;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use upkeep::EndedEarly;
use upkeep::{Supervision, Upkeep};

use crate::clock::Clock;
use crate::config::{Config, DatabaseChoice};
use crate::freshness;
use crate::gateways::GatewaySecretError;
use crate::grpc::Services;
use crate::grpc::express::ExpressLayer;
use crate::jwt::{Issuers, IssuersError};
use crate::keyring::watch::RingWatch;
use crate::node::Node;
use crate::operator::OperatorTokenError;
use crate::reload::Reload;
use crate::server::{Limits, MESSAGE, Serving, Tls};
use crate::storage::{Managed, StorageError};
use crate::tail::Tail;
use crate::usage::Flusher;

/// How long one look at the heartbeats of all verifiers may take.
const BARRIER_LOOK: Duration = Duration::from_secs(1);
/// How long the log's writer may take to end: more than one batch can.
const LOG_CLOSES: Duration = Duration::from_secs(15);

/// A service that can't start: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database or the key ring.
    #[error("{0}")]
    Storage(#[from] StorageError),
    /// The log.
    #[error("the log can't be opened: {0}")]
    Log(#[from] LogError),
    /// The operator's token.
    #[error("{0}")]
    Operator(#[from] OperatorTokenError),
    /// The secret of gateways.
    #[error("{0}")]
    Gateways(#[from] GatewaySecretError),
    /// The identity providers.
    #[error("{0}")]
    Issuers(#[from] IssuersError),
    /// TLS.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Signals.
    #[error("can't listen for SIGHUP: {0}")]
    Signals(io::Error),
    /// Reflection.
    #[error("the descriptors for reflection can't be read")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The gRPC listener.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The metrics listener.
    #[error("can't offer metrics on {address}: {source}")]
    Metrics {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: telemetry::TelemetryError,
    },
}

/// A running service.
pub struct App {
    node: Arc<Node>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    /// Cancelled once the listener has drained.
    drained: CancellationToken,
    upkeep: Supervision,
    stop_upkeep: CancellationToken,
    drain: Duration,
    managed: Option<Managed>,
}

impl App {
    /// Starts the service: listens at once, answers verdicts once it has caught up with the log.
    ///
    /// # Errors
    /// See [`StartError`]; nothing of it is left running then.
    pub async fn start(
        config: &Config,
        clock: Clock,
        telemetry: &Telemetry,
    ) -> Result<Self, StartError> {
        Self::start_unless(&CancellationToken::new(), config, clock, telemetry).await
    }

    /// Starts the service as [`start`](Self::start) does, unless `stop` is cancelled before it is done.
    ///
    /// # Errors
    /// See [`StartError`], and [`StorageError::Stopped`] in it; nothing of it is left running then.
    pub async fn start_unless(
        stop: &CancellationToken,
        config: &Config,
        clock: Clock,
        telemetry: &Telemetry,
    ) -> Result<Self, StartError> {
        // Before the database is touched: what is wrong with a file needs none to be told.
        let issuers = Issuers::open(config.jwt_issuers.as_deref(), &clock).await?;
        let mut storage = crate::storage::open(config, stop).await?;
        let managed = storage.managed.take();
        let started = tokio::select! {
            () = stop.cancelled() => Err(StorageError::Stopped.into()),
            started = Self::start_on(config, clock, telemetry, &storage.database, issuers) => started,
        };
        match (started, managed) {
            (Ok(app), managed) => Ok(Self { managed, ..app }),
            (Err(error), managed) => {
                if let Some(managed) = managed {
                    managed.stop().await;
                }
                Err(error)
            }
        }
    }

    async fn start_on(
        config: &Config,
        clock: Clock,
        telemetry: &Telemetry,
        database: &eventlog::Database,
        issuers: Issuers,
    ) -> Result<Self, StartError> {
        let (node, chain) = build::node(config, clock, telemetry, database, issuers).await?;
        let node = Arc::new(node);
        let (health, health_service) = health::service(&node);
        let mut routes = Routes::builder();
        let services = Services(Arc::clone(&node));
        routes
            .add_service(health_service.max_decoding_message_size(MESSAGE))
            .add_service(
                ApiKeyServiceServer::new(services.clone()).max_decoding_message_size(MESSAGE),
            )
            .add_service(
                AuditServiceServer::new(services.clone()).max_decoding_message_size(MESSAGE),
            )
            .add_service(
                WorkspaceServiceServer::new(services.clone()).max_decoding_message_size(MESSAGE),
            )
            // Of a request as Envoy takes it in, with 60 KiB of headers, it may tell the path twice.
            .add_service(AuthorizationServer::new(services).max_decoding_message_size(2 * MESSAGE));
        if config.reflection {
            let reflect = || {
                tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(api::DESCRIPTORS)
                    .register_encoded_file_descriptor_set(api::ENVOY_DESCRIPTORS)
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            };
            routes
                .add_service(reflect().build_v1()?.max_decoding_message_size(MESSAGE))
                .add_service(reflect().build_v1alpha()?.max_decoding_message_size(MESSAGE));
        }
        let tls = config.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
        let reload = Reload::new(heeds_hangups(config)).map_err(StartError::Signals)?;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let express = ExpressLayer::new(Arc::clone(&node));
        let listener = bind(config, tls.as_ref(), &routes.routes(), &express).map_err(failed)?;
        let address = listener.address().map_err(failed)?;

        let stop_upkeep = CancellationToken::new();
        let mut upkeep = Upkeep::default();
        let metrics_address = offer_metrics(config, telemetry, &mut upkeep, &stop_upkeep).await?;
        let standby = crate::storage::followed(config)?;
        keep_up(&node, config, &chain, standby, &mut upkeep, &stop_upkeep);
        keep_files(&node, config, reload, tls, &mut upkeep, &stop_upkeep);
        let report = health::report(health, Arc::clone(&node), stop_upkeep.clone());
        upkeep.spawn("the report of health", &stop_upkeep, report);
        let drained = CancellationToken::new();
        let serving = serve(listener, node.stopping.clone(), config.drain, drained.clone());
        upkeep.spawn("the listener", &node.stopping, serving);
        let upkeep = upkeep.supervise(node.stopping.clone());
        let drain = config.drain;
        Ok(Self {
            node,
            address,
            metrics_address,
            drained,
            upkeep,
            stop_upkeep,
            drain,
            managed: None,
        })
    }

    /// Where gRPC is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served, if they are.
    #[must_use]
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The node, for those who run in the same process.
    #[must_use]
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Waits, bounded, until the node may answer verdicts; `false` if it takes longer.
    pub async fn ready(&self, within: Duration) -> bool {
        let ready = async {
            while self.node.freshness.check().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(within, ready).await.is_ok()
    }

    /// Waits until a part of the service has ended that should not have. The node drains by then; what
    /// is left to do is to [`stop`](Self::stop) it. Never comes back while all is well.
    pub async fn ended_early(&self) -> EndedEarly {
        self.upkeep.ended_early().await
    }

    /// Drains: no new calls, those under way finish, then everything stops, the private Postgres last.
    pub async fn stop(self) {
        let drain_ends = Instant::now() + self.drain;
        self.node.stopping.cancel();
        self.drained.cancelled().await;
        self.finish_calls(drain_ends).await;
        self.stop_upkeep.cancel();
        self.upkeep.finish().await;
        if timeout(LOG_CLOSES, self.node.commands.log().close()).await.is_err() {
            tracing::warn!("changes were still being written when the service stopped");
        }
        self.node.database.pool().close();
        if let Some(managed) = self.managed {
            managed.stop().await;
        }
    }

    /// Lets the calls finish whose clients did not wait for the answer.
    async fn finish_calls(&self, until: Instant) {
        let calls = &self.node.calls;
        calls.close();
        if !calls.is_empty() {
            tracing::info!(calls = calls.len(), "waiting for calls whose clients have gone");
        }
        if timeout_at(until, calls.wait()).await.is_err() {
            tracing::warn!(calls = calls.len(), "calls were still under way when the drain ended");
        }
    }
}

/// Binds the listener and starts its threads.
fn bind(
    config: &Config,
    tls: Option<&Arc<Tls>>,
    routes: &Routes,
    express: &ExpressLayer,
) -> io::Result<Listener> {
    let capacity = Capacity {
        threads: config.serving_threads,
        connections: config.max_connections,
        connections_per_address: config.max_connections_per_address,
    };
    let limits = Limits::new(config);
    Listener::bind(config.listen, capacity, "serve", || {
        let (tls, answering) = (tls.cloned(), (routes.clone(), express.clone()));
        move |stop| Serving::new(limits, tls, answering, stop)
    })
}

/// Serves until `stop`, drains, and says so, in whatever way it ends.
async fn serve(
    listener: Listener,
    stop: CancellationToken,
    drain: Duration,
    drained: CancellationToken,
) {
    let _drained = drained.drop_guard();
    listener.serve(stop, drain).await;
}

/// Whether SIGHUP means that files are to be read again. To a program that was only tried it comes from its
/// terminal, and ends it.
fn heeds_hangups(config: &Config) -> bool {
    match config.database {
        DatabaseChoice::Url(_) => true,
        DatabaseChoice::Managed { .. } => config.tls.is_some(),
    }
}

/// Starts what reads files again.
fn keep_files(
    node: &Arc<Node>,
    config: &Config,
    reload: Reload,
    tls: Option<Arc<Tls>>,
    upkeep: &mut Upkeep,
    stop: &CancellationToken,
) {
    if let Some(tls) = tls {
        let keeping = tls.keep(node.clock.clone(), reload.subscribe(), stop.clone());
        upkeep.spawn("the certificates", stop, keeping);
    }
    let watching = RingWatch::new(Arc::clone(node), config.clone(), reload.subscribe());
    upkeep.spawn("the watch over the key ring", stop, watching.run(stop.clone()));
    let gateways = Arc::clone(&node.gateways).keep(reload.subscribe(), stop.clone());
    upkeep.spawn("the secret of gateways", stop, gateways);
    upkeep.spawn("the signal to read files again", stop, reload.run(stop.clone()));
}

/// Starts the tail, the heartbeat, the projections, the flush of usage and the clearing of what is past.
fn keep_up(
    node: &Arc<Node>,
    config: &Config,
    chain: &ChainMac,
    standby: Option<eventlog::Database>,
    upkeep: &mut Upkeep,
    stop: &CancellationToken,
) {
    let tail = Tail::new(Arc::clone(node), chain.clone(), standby);
    upkeep.spawn("the tail of the log", stop, tail.run(stop.clone()));
    // One that hangs must leave time for the next before the lease ends.
    let patience = config.lease / 3;
    let id = node.verifier_id.clone();
    let heartbeat = Heartbeat::new(&node.database, chain.clone(), id, config.lease, patience);
    let (freshness, every, stopping) =
        (Arc::clone(&node.freshness), config.heartbeat, stop.clone());
    let log = node.commands.log().clone();
    upkeep.spawn("the heartbeat", stop, async move {
        freshness::beat(&freshness, heartbeat, &log, every, patience, stopping).await;
    });
    let (waited, roll) = (Arc::clone(node), Roll::new(&node.database, BARRIER_LOOK));
    let stopping = stop.clone();
    upkeep.spawn("the barrier", stop, async move { waited.barrier.run(roll, stopping).await });
    project("the projection of keys", node, chain, readmodel::keys::Keys, upkeep, stop);
    project(
        "the projection of configurations",
        node,
        chain,
        readmodel::config::Configs,
        upkeep,
        stop,
    );
    project(
        "the projection of workspaces",
        node,
        chain,
        readmodel::workspaces::Workspaces,
        upkeep,
        stop,
    );
    if let Some(every) = config.usage_flush {
        let flushing = Flusher::new(Arc::clone(node)).run(every, stop.clone());
        upkeep.spawn("the flush of usage", stop, flushing);
    }
    let (issuers, stopping) = (Arc::clone(&node.issuers), stop.clone());
    upkeep.spawn("the keys of identity providers", stop, async move {
        issuers.keep_up(stopping).await;
    });
    let clearing = past::keep_small(Arc::clone(node), stop.clone());
    upkeep.spawn("the clearing of what is past", stop, clearing);
}

fn project<P: eventlog::Projection>(
    name: &'static str,
    node: &Node,
    chain: &ChainMac,
    projection: P,
    upkeep: &mut Upkeep,
    stop: &CancellationToken,
) {
    let options = RunnerOptions {
        committed: Some(node.commands.log().commits().position()),
        // Under load this spares most of the projections' transactions.
        gather: Duration::from_millis(50),
        // Reads wait for this after an outage.
        backoff_max: Duration::from_secs(1),
        ..RunnerOptions::default()
    };
    let (chain, checkpoints) = (chain.clone(), node.checkpoints.clone());
    let projection = Arc::new(projection);
    let runner = ProjectionRunner::new(&node.database, chain, projection, checkpoints, options);
    upkeep.spawn(name, stop, runner.run(stop.clone()));
}

async fn offer_metrics(
    config: &Config,
    telemetry: &Telemetry,
    upkeep: &mut Upkeep,
    stop: &CancellationToken,
) -> Result<Option<SocketAddr>, StartError> {
    let Some(address) = config.metrics_listen else {
        return Ok(None);
    };
    let failed = |source| StartError::Metrics { address, source };
    let server = MetricsServer::bind(address, telemetry.metrics().clone()).await.map_err(failed)?;
    let bound = server.local_addr();
    upkeep.spawn("the metrics", stop, server.serve(stop.clone().cancelled_owned()));
    Ok(Some(bound))
}
