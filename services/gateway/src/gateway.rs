//! The running gateway: put together, served, drained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serving::{Capacity, Listener, TlsError};
use telemetry::Telemetry;
use telemetry::metrics::MetricsServer;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Endpoint;

use crate::canonical::RoutesError;
use crate::config::{Config, ConfigError, VerifyFailMode};
use crate::files::Files;
use crate::node::{Node, Shared};
use crate::server::Serving;
use crate::upstream;

/// A gateway that can't start: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The routes.
    #[error("{0}")]
    Routes(#[from] RoutesError),
    /// TLS.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The way to the service.
    #[error("{0}")]
    Service(#[from] ConfigError),
    /// The HTTP listener.
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

/// A running gateway. Dropping it stops accepting; only [`stop`](Self::stop) drains.
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    serving: AbortOnDropHandle<()>,
    metrics: Option<AbortOnDropHandle<()>>,
    stop_metrics: CancellationToken,
    _keeping: AbortOnDropHandle<()>,
}

impl Gateway {
    /// Starts the gateway: listens at once, whether the service is there or not.
    ///
    /// # Errors
    /// See [`StartError`]; nothing of it is left running then.
    pub async fn start(config: Config, telemetry: &Telemetry) -> Result<Self, StartError> {
        let service = upstream::endpoint(&config.service)?;
        let files = Arc::new(Files::new(&config)?);
        match config.verify_fail_mode {
            VerifyFailMode::Closed => {}
            VerifyFailMode::Open => tracing::warn!(
                "--verify-fail-mode open: while the service is down, /verify lets everybody through who presents anything"
            ),
        }
        let (listen, drain, metrics) = (config.listen, config.drain, config.metrics_listen);
        let shared = Arc::new(Shared::new(config, Arc::clone(&files), telemetry)?);
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = bind(&shared, &service).map_err(failed)?;
        let address = listener.address().map_err(failed)?;
        let stop_metrics = CancellationToken::new();
        let (mut metrics_address, mut metrics_task) = (None, None);
        if let Some(address) = metrics {
            let failed = |source| StartError::Metrics { address, source };
            let server = MetricsServer::bind(address, telemetry.metrics().clone()).await;
            let server = server.map_err(failed)?;
            metrics_address = Some(server.local_addr());
            let serving = server.serve(stop_metrics.clone().cancelled_owned());
            metrics_task = Some(AbortOnDropHandle::new(tokio::spawn(serving)));
        }
        let keeping = files.keep(shared.stopping.clone());
        let keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
        let serving =
            AbortOnDropHandle::new(tokio::spawn(listener.serve(shared.stopping.clone(), drain)));
        let metrics = metrics_task;
        Ok(Self {
            shared,
            address,
            metrics_address,
            serving,
            metrics,
            stop_metrics,
            _keeping: keeping,
        })
    }

    /// Where HTTP is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served, if they are.
    #[must_use]
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Reads its files again now: certificate, credential and secret.
    pub fn reload(&self) {
        self.shared.files.read_again();
    }

    /// Drains: no new requests, those under way finish, streams end.
    pub async fn stop(mut self) {
        self.shared.stopping.cancel();
        if let Err(error) = (&mut self.serving).await {
            tracing::error!(%error, "the listener failed");
        }
        self.stop_metrics.cancel();
        if let Some(metrics) = self.metrics.take() {
            // It ends by itself; how is of no interest any more.
            let _ = metrics.await;
        }
    }
}

/// Binds the listener and starts its threads, each with a channel to the service of its own.
fn bind(shared: &Arc<Shared>, service: &Endpoint) -> io::Result<Listener> {
    let config = &shared.config;
    let capacity = Capacity {
        threads: config.threads,
        connections: config.max_connections,
        connections_per_address: config.max_connections_per_address,
    };
    Listener::bind(config.listen, capacity, "gateway", || {
        let (shared, service) = (Arc::clone(shared), service.clone());
        move |_| Serving::new(Arc::new(Node::new(shared, &service)))
    })
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}
