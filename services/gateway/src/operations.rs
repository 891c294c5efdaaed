//! For those who run the gateway: whether it lives, whether it can answer, and how it is asked.

use http::{Method, StatusCode};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::call::Call;
use crate::docs;
use crate::problem;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply};
use crate::surface::{Answering, Endpoint, Table};

/// The service's health is asked by this name.
const ASKED: &str = "keyward.v1.ApiKeyService";
/// How long that may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "operations",
    claims: |path| {
        let begins = ["/docs/", "/openapi/"];
        matches!(path, "/healthz" | "/readyz" | "/docs")
            || begins.iter().any(|begin| path.starts_with(begin))
    },
    endpoints: &[
        get("/healthz", |_| Box::pin(async { status("ok") })),
        get("/readyz", |call| Box::pin(ready(call))),
        get("/docs", |_| Box::pin(async { docs::moved() })),
        get("/docs/", |call| Box::pin(async move { docs::file(&call) })),
        get("/docs/{file}", |call| Box::pin(async move { docs::file(&call) })),
        get("/openapi/{file}", |call| Box::pin(async move { docs::document(&call) })),
    ],
    envelope: problem::envelope,
};

const fn get(template: &'static str, answer: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method: Method::GET, template, most: 0, answer }
}

fn status(status: &str) -> Reply {
    reply(StatusCode::OK, JSON, format!("{{\"status\":\"{status}\"}}"))
}

/// Ready while the service is, and this gateway goes on.
async fn ready(call: Call) -> Reply {
    if call.node.shared.stopping.is_cancelled() {
        return problem::envelope(&Refusal::shutting_down(), &call.head);
    }
    let mut health = HealthClient::new(call.node.upstream.channel());
    let asked = health.check(HealthCheckRequest { service: ASKED.to_owned() });
    let serving = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer.into_inner().status() == ServingStatus::Serving,
        Ok(Err(_)) | Err(_) => false,
    };
    if serving { status("ready") } else { problem::envelope(&Refusal::unreachable(), &call.head) }
}
