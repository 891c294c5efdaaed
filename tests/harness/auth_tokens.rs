//! Auth tokens of a tenant's keys, and whoever calls with one.

use api::v1::{
    AuthToken, CreateApiKeyRequest, IssueAuthTokenRequest, IssueAuthTokenResponse,
    ListAuthTokensRequest, ResetAuthTokenRequest, RevokeAuthTokenRequest,
};

use crate::{Client, Credentials, Server, Tenant};

/// A key and an auth token of it.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The key's id.
    pub key_id: String,
    /// The whole key.
    pub key: String,
    /// The token's id.
    pub token_id: String,
    /// The token.
    pub token: String,
}

impl Pair {
    /// What a call with the pair presents.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        of_key(&self.key_id, &self.token)
    }
}

/// What a call with this auth token of this key presents.
#[must_use]
pub fn of_key(api_key: &str, token: &str) -> Credentials {
    Credentials::bearer(token).and("x-keyward-api-key", api_key)
}

impl Server {
    /// A client that presents this auth token of this key.
    #[must_use]
    pub fn auth_token(&self, api_key: &str, token: &str) -> Client {
        self.client(&of_key(api_key, token))
    }
}

impl Tenant {
    /// A new key, and a token of it without restrictions.
    pub async fn pair(&self, request: CreateApiKeyRequest) -> Pair {
        let made = self.create(request).await;
        let key_id = made.api_key.unwrap().key_id;
        let issued = self.issue_token(self.issue(&key_id, "a token")).await;
        let token_id = issued.auth_token.unwrap().auth_token_id;
        Pair { key_id, key: made.secret, token_id, token: issued.secret }
    }

    /// A request for an auth token of this name, to be filled in.
    #[must_use]
    pub fn issue(&self, key_id: &str, name: &str) -> IssueAuthTokenRequest {
        IssueAuthTokenRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            name: name.to_owned(),
            ..IssueAuthTokenRequest::default()
        }
    }

    /// A new auth token as asked for.
    pub async fn issue_token(&self, request: IssueAuthTokenRequest) -> IssueAuthTokenResponse {
        self.client.clone().keys.issue_auth_token(request).await.unwrap().into_inner()
    }

    /// The auth tokens of a key, those that are over among them if `show_dead`.
    pub async fn tokens(&self, key_id: &str, show_dead: bool) -> Vec<AuthToken> {
        let request = ListAuthTokensRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            show_dead,
        };
        self.client.clone().keys.list_auth_tokens(request).await.unwrap().into_inner().auth_tokens
    }

    /// A request for another secret of an auth token.
    #[must_use]
    pub fn reset(&self, key_id: &str, auth_token_id: &str) -> ResetAuthTokenRequest {
        ResetAuthTokenRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            auth_token_id: auth_token_id.to_owned(),
            ..ResetAuthTokenRequest::default()
        }
    }

    /// A request for the end of an auth token.
    #[must_use]
    pub fn revoke_token(&self, key_id: &str, auth_token_id: &str) -> RevokeAuthTokenRequest {
        RevokeAuthTokenRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            auth_token_id: auth_token_id.to_owned(),
            ..RevokeAuthTokenRequest::default()
        }
    }
}
