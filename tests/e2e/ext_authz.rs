//! ext_authz as Envoy calls it, without Envoy: `tests/gateway/envoy_ext_authz.rs` is with it.

mod clients;
mod credentials;
mod routes;
mod verdicts;

use api::envoy::service::auth::v3::CheckRequest;
use api::v1::{CreateApiKeyRequest, Permission};
use harness::envoy::{Checked, request};
use harness::{Client, Refusal, Refused, Server, Tenant};

/// Where the client is that keys are bound to.
const HERE: &str = "192.0.2.7";

/// A workspace, and Envoy with a credential that may verify its keys.
struct Protected {
    server: Server,
    tenant: Tenant,
    envoy: Client,
}

impl Protected {
    async fn new(name: &str) -> Self {
        Self::on(Server::shared().await, name).await
    }

    async fn on(server: Server, name: &str) -> Self {
        let tenant = server.workspace(name).await;
        let envoy = server.bearer(&server.service(&[Permission::Verify], &[&tenant]).await);
        Self { server, tenant, envoy }
    }

    /// A key with the scope `payment:read`, for clients at `HERE`.
    fn key(&self) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            scopes: vec!["payment:read".to_owned()],
            ip_allowlist: vec![HERE.to_owned()],
            ..self.tenant.key("a key")
        }
    }

    /// The secret of a new one.
    async fn secret(&self) -> String {
        self.tenant.create(self.key()).await.secret
    }

    async fn check(&self, request: CheckRequest) -> Checked {
        Checked::of(self.envoy.authorization.clone().check(request).await.unwrap().into_inner())
    }

    async fn refused(&self, request: CheckRequest) -> Refusal {
        self.envoy.authorization.clone().check(request).await.refused()
    }

    /// A request from `HERE` with this key.
    async fn with(&self, key: &str, extensions: &[(&str, &str)]) -> Checked {
        self.check(request(HERE, &[("x-api-key", key)], extensions)).await
    }
}

const NONE: &str = "Bearer realm=\"keyward\"";
const INVALID: &str = "Bearer realm=\"keyward\", error=\"invalid_token\"";

#[track_caller]
fn denied(checked: &Checked, http: u16, challenge: &str) {
    assert_eq!(checked.http, http, "{checked:?}");
    assert_eq!(checked.header("www-authenticate"), challenge, "{checked:?}");
    assert_eq!(checked.header("content-type"), "application/problem+json");
    assert_eq!(checked.header("cache-control"), "no-store");
    let body: serde_json::Value = serde_json::from_str(&checked.body).unwrap();
    assert_eq!(body["status"], http);
    assert!(!checked.headers.keys().any(|name| name.starts_with("x-")), "{checked:?}");
}
