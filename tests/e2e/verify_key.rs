//! VerifyKey through the wire: a module per outcome, in the order of precedence.

mod accepted;
mod callers;
mod consistency;
mod disabled;
mod expired;
mod explain;
mod insufficient_scope;
mod invalid;
mod ip;
mod malformed;
pub(crate) mod not_found;
mod not_yet_valid;
mod origin;
mod precedence;
mod revoked;
mod workspace_suspended;

use api::v1::{
    CreateApiKeyRequest, Decision, Denial, Environment, RequiredScopes, VerifyKeyRequest,
    VerifyKeyResponse,
};
use harness::{Server, Tenant};

/// A workspace of this test's own on the shared server.
async fn tenant() -> Tenant {
    Server::shared().await.workspace("a workspace").await
}

/// The verdict on a request, which must be one and hold together.
async fn ask(tenant: &Tenant, request: VerifyKeyRequest) -> VerifyKeyResponse {
    let answered = tenant.client.clone().keys.verify_key(request).await;
    let response = answered.unwrap().into_inner();
    match response.decision() {
        Decision::Accepted => {
            assert_eq!(response.denial(), Denial::Unspecified);
            assert!(response.denial_detail.is_none());
            assert!(response.key.is_some());
        }
        Decision::Denied => {
            assert_ne!(response.denial(), Denial::Unspecified);
            assert!(response.warnings.is_empty());
            assert!(response.cache_for.is_none());
            let told = !matches!(response.denial(), Denial::Malformed | Denial::NotFound);
            assert_eq!(response.key.is_some(), told);
            assert_eq!(response.denial_detail.is_some(), told);
        }
        Decision::Unspecified => panic!("no decision in {response:?}"),
    }
    assert!(response.freshness.is_some());
    response
}

/// Why a request is denied; `Unspecified` if it is not.
async fn denial(tenant: &Tenant, request: VerifyKeyRequest) -> Denial {
    ask(tenant, request).await.denial()
}

/// A request for this secret from this address.
fn from(secret: &str, client_ip: &str) -> VerifyKeyRequest {
    VerifyKeyRequest { client_ip: client_ip.to_owned(), ..plain(secret) }
}

/// A request for this secret and nothing else.
fn plain(secret: &str) -> VerifyKeyRequest {
    VerifyKeyRequest { key: secret.to_owned(), ..VerifyKeyRequest::default() }
}

/// A request that asks for these scopes.
fn needing(secret: &str, all_of: &[&str], any_of: &[&str]) -> VerifyKeyRequest {
    let owned = |codes: &[&str]| codes.iter().map(|&code| code.to_owned()).collect();
    let required_scopes = RequiredScopes { all_of: owned(all_of), any_of: owned(any_of) };
    VerifyKeyRequest { required_scopes: Some(required_scopes), ..plain(secret) }
}

/// A request for a key with these scopes.
fn holding(tenant: &Tenant, scopes: &[&str]) -> CreateApiKeyRequest {
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    CreateApiKeyRequest { scopes, ..tenant.key("with scopes") }
}

/// A request for a key bound to these addresses.
fn bound_to(tenant: &Tenant, entries: &[&str]) -> CreateApiKeyRequest {
    let ip_allowlist = entries.iter().map(|&entry| entry.to_owned()).collect();
    CreateApiKeyRequest { ip_allowlist, ..tenant.key("bound to addresses") }
}

/// A request for a key of the test world.
fn test_world(tenant: &Tenant) -> CreateApiKeyRequest {
    CreateApiKeyRequest { env: Environment::Test.into(), ..tenant.key("of the test world") }
}

/// So many seconds from now.
fn seconds_ahead(server: &Server, seconds: i64) -> prost_types::Timestamp {
    let now = server.clock.now();
    prost_types::Timestamp { seconds: now.as_second() + seconds, nanos: 0 }
}
