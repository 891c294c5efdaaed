//! Health (grpc.health.v1): SERVING only while this node may answer verdicts and is not draining.
//! `keyward.liveness` is SERVING for as long as the process can answer at all. A drain ends every Watch,
//! which would go on for as long as its client likes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};

use crate::grpc::status::shutting_down;
use crate::node::Node;

/// What readiness is asked by: the whole server, and each service.
const READINESS: [&str; 5] = [
    "",
    "keyward.v1.ApiKeyService",
    "keyward.v1.WorkspaceService",
    "keyward.v1.AuditService",
    "envoy.service.auth.v3.Authorization",
];
/// What liveness is asked by.
const LIVENESS: &str = "keyward.liveness";
/// How soon readiness follows the lease.
const EVERY: Duration = Duration::from_millis(50);

/// The health service, and what sets its statuses.
pub(super) fn service(node: &Node) -> (HealthReporter, HealthServer<Watched>) {
    let reporter = HealthReporter::new();
    let inner = HealthService::from_health_reporter(reporter.clone());
    (reporter, HealthServer::new(Watched { inner, stopping: node.stopping.clone() }))
}

/// The health service, whose streams end with the node.
pub(super) struct Watched {
    inner: HealthService,
    stopping: CancellationToken,
}

#[tonic::async_trait]
impl Health for Watched {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.inner.check(request).await
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let statuses = self.inner.watch(request).await?.into_inner();
        let stopped = self.stopping.clone().cancelled_owned();
        let end = stream::once(async { Err(shutting_down().into()) });
        Ok(Response::new(Box::pin(statuses.take_until(stopped).chain(end))))
    }
}

/// Sets the statuses until `stop`.
pub(super) async fn report(health: HealthReporter, node: Arc<Node>, stop: CancellationToken) {
    health.set_service_status(LIVENESS, ServingStatus::Serving).await;
    let mut reported = None;
    loop {
        let stopping = node.stopping.is_cancelled();
        let ready = node.freshness.check().is_ok() && !stopping;
        if reported != Some(ready) {
            let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
            for service in READINESS {
                health.set_service_status(service, status).await;
            }
            match (reported, ready) {
                (None, false) => {}
                (Some(_), false) if stopping => {}
                (_, true) => tracing::info!("ready: verdicts are answered"),
                (Some(_), false) => tracing::warn!("not ready: no verdicts are answered"),
            }
            reported = Some(ready);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
