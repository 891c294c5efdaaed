//! A client of the service: typed calls with a tenant's token.

use std::net::SocketAddr;

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::{
    CreateApiKeyRequest, CreateApiKeyResponse, Decision, Denial, VerifyKeyRequest,
    VerifyKeyResponse,
};
use testkit::eventually;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::child::PATIENCE;

/// A workspace and its token.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) workspace: String,
    pub(crate) token: String,
}

impl Tenant {
    /// The one that `keyward workspace create` or the banner printed.
    pub(crate) fn printed(text: &str) -> Self {
        let word = |begin: &str| {
            let at = text.find(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            text[at..].split(end).next().unwrap().to_owned()
        };
        Self { workspace: word("ws_"), token: word("kww_live_") }
    }
}

/// A channel that connects when it is first used, and again when it must.
pub(crate) fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

/// A message with a token.
pub(crate) fn bearer<M>(token: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// A tenant's connection.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) rpc: ApiKeyServiceClient<Channel>,
    pub(crate) tenant: Tenant,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, tenant: &Tenant) -> Self {
        Self::over(channel(address), tenant)
    }

    pub(crate) fn over(channel: Channel, tenant: &Tenant) -> Self {
        Self { rpc: ApiKeyServiceClient::new(channel), tenant: tenant.clone() }
    }

    /// A request for a key that needs nothing but its name.
    pub(crate) fn plain_key(&self) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            workspace_id: self.tenant.workspace.clone(),
            name: "a key".to_owned(),
            ..CreateApiKeyRequest::default()
        }
    }

    pub(crate) async fn create(
        &mut self,
        request: CreateApiKeyRequest,
    ) -> Result<CreateApiKeyResponse, Status> {
        let created = self.rpc.create_api_key(bearer(&self.tenant.token, request)).await;
        created.map(tonic::Response::into_inner)
    }

    pub(crate) async fn verify(&mut self, key: &str) -> Result<VerifyKeyResponse, Status> {
        let request = VerifyKeyRequest { key: key.to_owned(), ..VerifyKeyRequest::default() };
        let verified = self.rpc.verify_key(bearer(&self.tenant.token, request)).await;
        verified.map(tonic::Response::into_inner)
    }

    /// Fails unless the key is accepted. A node that may not answer for a moment is asked again, as
    /// every client would.
    pub(crate) async fn assert_accepted(&mut self, key: &str) {
        let verdict = eventually("a verdict", PATIENCE, async || {
            Some(self.verify(key).await).filter(|answered| {
                answered.as_ref().err().is_none_or(|status| status.code() != Code::Unavailable)
            })
        });
        let verdict = verdict.await.unwrap();
        assert_eq!(verdict.denial(), Denial::Unspecified);
        assert_eq!(verdict.decision(), Decision::Accepted);
    }
}
