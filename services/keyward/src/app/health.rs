//! Health (grpc.health.v1): SERVING only while this node may answer verdicts and is not draining.
//! `keyward.liveness` is SERVING for as long as the process can answer at all.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;

use crate::node::Node;

/// What readiness is asked by: the whole server, and each service.
const READINESS: [&str; 3] = ["", "keyward.v1.ApiKeyService", "keyward.v1.WorkspaceService"];
/// What liveness is asked by.
const LIVENESS: &str = "keyward.liveness";
/// How soon readiness follows the lease.
const EVERY: Duration = Duration::from_millis(50);

/// The health service, and what sets its statuses.
pub(super) fn service() -> (HealthReporter, HealthServer<impl Health>) {
    tonic_health::server::health_reporter()
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
