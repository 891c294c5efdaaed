//! Calls to Keyward through a client as its users have one.

use std::net::SocketAddr;
use std::time::Duration;

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::workspace_service_client::WorkspaceServiceClient;
use api::v1::{
    CreateApiKeyRequest, CreateServiceCredentialRequest, CreateWorkspaceRequest, Permission,
    RequiredScopes, RevocationReason, RevokeApiKeyRequest, VerifyKeyRequest,
};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Somebody with a credential, on a connection. Clones share the connection.
#[derive(Clone)]
pub struct Caller {
    channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl Caller {
    /// Connects, waiting until the server listens.
    pub async fn connect(address: SocketAddr, credential: &str) -> Self {
        let channel = loop {
            match endpoint(address).connect().await {
                Ok(channel) => break channel,
                Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        };
        Self { channel, authorization: bearer(credential).parse().expect("visible ASCII") }
    }

    /// Waits until the server is ready.
    pub async fn ready(&self) {
        let mut health = HealthClient::new(self.channel.clone());
        loop {
            let asked = HealthCheckRequest { service: String::new() };
            let answer = health.check(asked).await.expect("health is always answered");
            if answer.into_inner().status() == ServingStatus::Serving {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Makes a workspace; answers its id and token.
    pub async fn create_workspace(&self) -> (String, String) {
        let mut client = WorkspaceServiceClient::new(self.channel.clone());
        let asked = CreateWorkspaceRequest { name: "bench".to_owned(), ..Default::default() };
        let made = client.create_workspace(self.request(asked)).await.expect("a workspace");
        let made = made.into_inner();
        (made.workspace.expect("it is answered").workspace_id, made.workspace_token)
    }

    /// Makes a service credential that may verify everywhere; answers its secret.
    pub async fn create_verifier(&self) -> String {
        let mut client = WorkspaceServiceClient::new(self.channel.clone());
        let asked = CreateServiceCredentialRequest {
            name: "bench".to_owned(),
            permissions: vec![Permission::Verify.into()],
            ..Default::default()
        };
        let made = client.create_service_credential(self.request(asked)).await;
        made.expect("a service credential").into_inner().secret
    }

    /// Makes the key of this number; answers its secret and its id.
    pub async fn create_key(&self, workspace: &str, number: usize) -> (String, String) {
        let mut client = ApiKeyServiceClient::new(self.channel.clone());
        let asked = CreateApiKeyRequest {
            workspace_id: workspace.to_owned(),
            name: format!("orders of shop {number}"),
            scopes: ["orders:read", "orders:write", "stock:read"].map(str::to_owned).to_vec(),
            ip_allowlist: vec!["10.0.0.0/8".to_owned(), "192.0.2.0/24".to_owned()],
            ..Default::default()
        };
        let made = client.create_api_key(self.request(asked)).await.expect("a key");
        let made = made.into_inner();
        (made.secret, made.api_key.expect("it is answered").key_id)
    }

    /// Revokes a key; answers how many verifiers have confirmed it.
    pub async fn revoke_key(&self, workspace: &str, key_id: &str) -> usize {
        let mut client = ApiKeyServiceClient::new(self.channel.clone());
        let asked = RevokeApiKeyRequest {
            workspace_id: workspace.to_owned(),
            key_id: key_id.to_owned(),
            reason: RevocationReason::Compromised.into(),
            ..Default::default()
        };
        let done = client.revoke_api_key(self.request(asked)).await.expect("a revocation");
        let barrier = done.into_inner().barrier.expect("it waits");
        usize::try_from(barrier.confirmed).expect("a count")
    }

    /// Asks for a verdict; answers it encoded.
    pub async fn verify(&self, asked: VerifyKeyRequest) -> Vec<u8> {
        let mut client = ApiKeyServiceClient::new(self.channel.clone());
        let answer = client.verify_key(self.request(asked)).await.expect("a verdict");
        prost::Message::encode_to_vec(answer.get_ref())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

/// What goes into `authorization`.
pub fn bearer(credential: &str) -> String {
    format!("Bearer {credential}")
}

/// The question that is asked of every key: from an address, for a scope.
pub fn question(key: String) -> VerifyKeyRequest {
    VerifyKeyRequest {
        key,
        client_ip: "10.11.12.13".to_owned(),
        required_scopes: Some(RequiredScopes {
            all_of: vec!["orders:read".to_owned()],
            any_of: Vec::new(),
        }),
        ..Default::default()
    }
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address is a URL's host")
}
