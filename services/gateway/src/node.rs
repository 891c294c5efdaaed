//! What answering a request needs: one a serving thread, and what all threads share.

use std::sync::Arc;
use std::time::Duration;

use telemetry::Telemetry;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use crate::call::Names;
use crate::canonical::{Routes, RoutesError};
use crate::config::Config;
use crate::counts::Counts;
use crate::docs::Docs;
use crate::files::Files;
use crate::paths::Paths;
use crate::peers::Asking;
use crate::upstream::{Patience, Upstream};

/// Bytes of bodies larger than most that are under way at once.
const LARGE_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// One of a serving thread.
pub(crate) struct Node {
    pub(crate) shared: Arc<Shared>,
    pub(crate) upstream: Upstream,
}

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) paths: Paths,
    pub(crate) counts: Counts,
    pub(crate) docs: Docs,
    pub(crate) names: Names,
    pub(crate) asking: Asking,
    /// New workspaces, of whoever signs up.
    pub(crate) signing_up: Asking,
    pub(crate) config: Config,
    pub(crate) files: Arc<Files>,
    pub(crate) patience: Patience,
    /// By route of the canonical surface; for those that have one of their own.
    pub(crate) patient: Vec<Option<Patience>>,
    /// Room for large bodies.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) sampler: telemetry::Sampler,
    pub(crate) stopping: CancellationToken,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        files: Arc<Files>,
        telemetry: &Telemetry,
    ) -> Result<Self, RoutesError> {
        let pool = prost_reflect::DescriptorPool::decode(api::DESCRIPTORS)
            .map_err(crate::json::SchemaError::from)?;
        let routes = Routes::new(&pool)?;
        let mut counts = Counts::new(telemetry.metrics());
        for route in routes.all() {
            counts.add("canonical", &route.template);
        }
        let paths = Paths::new(&config, &mut counts)?;
        let patient = routes.all().iter().map(|route| route.patience.map(Patience::new)).collect();
        Ok(Self {
            patient,
            routes,
            paths,
            counts,
            docs: Docs::new(&config.off),
            names: Names::default(),
            asking: Asking::new(config.requests_per_second),
            signing_up: Asking::per_hour(config.workspaces_per_hour),
            patience: Patience::new(config.timeout),
            config,
            files,
            room: Arc::new(Semaphore::new(LARGE_IN_FLIGHT)),
            sampler: telemetry.sampler(),
            stopping: CancellationToken::new(),
        })
    }
}

impl Node {
    /// Belongs to the runtime that it is made in.
    pub(crate) fn new(shared: Arc<Shared>, service: &Endpoint) -> Self {
        Self { shared, upstream: Upstream::new(service) }
    }

    /// How long calls may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.shared.patience.longest
    }
}
