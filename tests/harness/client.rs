//! Clients of a server, with whatever credential a test wants to present.

use api::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::audit_service_client::AuditServiceClient;
use api::v1::workspace_service_client::WorkspaceServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// What goes into the metadata of every call.
#[derive(Debug, Clone, Default)]
pub struct Credentials(Vec<(&'static str, MetadataValue<Ascii>)>);

impl Credentials {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// `authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self::none().and("authorization", &format!("Bearer {token}"))
    }

    /// These, and one more entry of the metadata. A name may come twice.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.parse().unwrap()));
        self
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (name, value) in &self.0 {
            request.metadata_mut().append(*name, value.clone());
        }
        Ok(request)
    }
}

/// Calls to the AuditService.
pub type Audit = AuditServiceClient<InterceptedService<Channel, Credentials>>;

/// All services of one server, asked by one caller.
#[derive(Debug, Clone)]
pub struct Client {
    /// Keys.
    pub keys: ApiKeyServiceClient<InterceptedService<Channel, Credentials>>,
    /// Workspaces and service credentials.
    pub workspaces: WorkspaceServiceClient<InterceptedService<Channel, Credentials>>,
    /// What happened.
    pub audit: Audit,
    /// What Envoy asks.
    pub authorization: AuthorizationClient<InterceptedService<Channel, Credentials>>,
}

impl Client {
    /// Over this channel, with these credentials.
    #[must_use]
    pub fn new(channel: &Channel, credentials: &Credentials) -> Self {
        Self {
            keys: ApiKeyServiceClient::with_interceptor(channel.clone(), credentials.clone()),
            workspaces: WorkspaceServiceClient::with_interceptor(
                channel.clone(),
                credentials.clone(),
            ),
            audit: AuditServiceClient::with_interceptor(channel.clone(), credentials.clone()),
            authorization: AuthorizationClient::with_interceptor(
                channel.clone(),
                credentials.clone(),
            ),
        }
    }
}
