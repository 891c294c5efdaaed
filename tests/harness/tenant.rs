//! A workspace as its owner sees it: its id, its token, and calls with both filled in.

use api::v1::verify_at_request::Moment;
use api::v1::{
    ApiKey, AuditEvent, Config, CreateApiKeyRequest, CreateApiKeyResponse, DeleteApiKeyRequest,
    DeleteConfigSecretRequest, DisableApiKeyRequest, EnableApiKeyRequest, EndRotationGraceRequest,
    GetApiKeyRequest, GetConfigRequest, ListApiKeysRequest, ListEventsRequest,
    PutConfigSecretRequest, RevealConfigSecretRequest, RevocationReason, RevokeApiKeyRequest,
    RotateApiKeyRequest, UndeleteApiKeyRequest, UpdateApiKeyRequest, UpdateConfigRequest,
    VerifyAtRequest, VerifyKeyRequest, VerifyKeyResponse,
};
use tonic::transport::Channel;

use crate::{Client, Credentials};

/// A workspace and its token.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// `ws_...`.
    pub id: String,
    /// `kww_...`.
    pub token: String,
    /// Calls with the token.
    pub client: Client,
}

impl Tenant {
    /// Over a server's channel.
    #[must_use]
    pub fn new(id: String, token: String, channel: &Channel) -> Self {
        let client = Client::new(channel, &Credentials::bearer(&token));
        Self { id, token, client }
    }

    /// A request for a key of this name, to be filled in.
    #[must_use]
    pub fn key(&self, name: &str) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            workspace_id: self.id.clone(),
            name: name.to_owned(),
            ..CreateApiKeyRequest::default()
        }
    }

    /// A new key of this name and no more.
    pub async fn create_key(&self, name: &str) -> CreateApiKeyResponse {
        self.create(self.key(name)).await
    }

    /// A new key as asked for.
    pub async fn create(&self, request: CreateApiKeyRequest) -> CreateApiKeyResponse {
        self.client.clone().keys.create_api_key(request).await.unwrap().into_inner()
    }

    /// A request for a key.
    #[must_use]
    pub fn get(&self, key_id: &str) -> GetApiKeyRequest {
        GetApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..GetApiKeyRequest::default()
        }
    }

    /// The key as GetApiKey answers it.
    pub async fn read_key(&self, key_id: &str) -> ApiKey {
        let got = self.client.clone().keys.get_api_key(self.get(key_id)).await.unwrap();
        got.into_inner().api_key.unwrap()
    }

    /// A request for a key's configuration.
    #[must_use]
    pub fn config(&self, key_id: &str) -> GetConfigRequest {
        GetConfigRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..GetConfigRequest::default()
        }
    }

    /// A request for the first page of keys.
    #[must_use]
    pub fn list(&self) -> ListApiKeysRequest {
        ListApiKeysRequest { workspace_id: self.id.clone(), ..ListApiKeysRequest::default() }
    }

    /// The names of the keys that a list answers.
    pub async fn names(&self, request: ListApiKeysRequest) -> Vec<String> {
        let listed = self.client.clone().keys.list_api_keys(request).await.unwrap().into_inner();
        listed.api_keys.into_iter().map(|key| key.name).collect()
    }

    /// A request for the newest events.
    #[must_use]
    pub fn events(&self) -> ListEventsRequest {
        ListEventsRequest { workspace_id: self.id.clone(), ..ListEventsRequest::default() }
    }

    /// The events of a list, all its pages.
    pub async fn all_events(&self, request: ListEventsRequest) -> Vec<AuditEvent> {
        let (mut events, mut request) = (Vec::new(), request);
        loop {
            let page = self.client.clone().audit.list_events(request.clone()).await.unwrap();
            let page = page.into_inner();
            events.extend(page.events);
            if page.next_page_token.is_empty() {
                return events;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// A question about a key just after the event at this position.
    #[must_use]
    pub fn at(&self, key_id: &str, position: u64) -> VerifyAtRequest {
        VerifyAtRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            moment: Some(Moment::AtPosition(position)),
            ..VerifyAtRequest::default()
        }
    }

    /// A request to disable a key.
    #[must_use]
    pub fn disable(&self, key_id: &str) -> DisableApiKeyRequest {
        DisableApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..DisableApiKeyRequest::default()
        }
    }

    /// A request to enable a key.
    #[must_use]
    pub fn enable(&self, key_id: &str) -> EnableApiKeyRequest {
        EnableApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..EnableApiKeyRequest::default()
        }
    }

    /// A request to revoke a key that nobody uses.
    #[must_use]
    pub fn revoke(&self, key_id: &str) -> RevokeApiKeyRequest {
        RevokeApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            reason: RevocationReason::Unused.into(),
            ..RevokeApiKeyRequest::default()
        }
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, key_id: &str) -> ApiKey {
        let revoked = self.client.clone().keys.revoke_api_key(self.revoke(key_id)).await.unwrap();
        revoked.into_inner().api_key.unwrap()
    }

    /// A request to rotate a key.
    #[must_use]
    pub fn rotate(&self, key_id: &str) -> RotateApiKeyRequest {
        RotateApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..RotateApiKeyRequest::default()
        }
    }

    /// A request to end the grace of a key's older credentials.
    #[must_use]
    pub fn end_grace(&self, key_id: &str) -> EndRotationGraceRequest {
        EndRotationGraceRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..EndRotationGraceRequest::default()
        }
    }

    /// A request to set the fields at `paths` of a key as `api_key` has them.
    #[must_use]
    pub fn update(&self, key_id: &str, paths: &[&str], api_key: ApiKey) -> UpdateApiKeyRequest {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        UpdateApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            api_key: Some(api_key),
            update_mask: Some(prost_types::FieldMask { paths }),
            ..UpdateApiKeyRequest::default()
        }
    }

    /// A request to set the fields at `paths` of a configuration as `config` has them.
    #[must_use]
    pub fn update_config(
        &self,
        key_id: &str,
        paths: &[&str],
        config: Config,
    ) -> UpdateConfigRequest {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        UpdateConfigRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            config: Some(config),
            update_mask: Some(prost_types::FieldMask { paths }),
            ..UpdateConfigRequest::default()
        }
    }

    /// A request to keep a secret in a configuration.
    #[must_use]
    pub fn put_secret(&self, key_id: &str, field: &str, secret: &str) -> PutConfigSecretRequest {
        PutConfigSecretRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            field: field.to_owned(),
            secret: secret.to_owned(),
            ..PutConfigSecretRequest::default()
        }
    }

    /// A request to keep one no longer.
    #[must_use]
    pub fn delete_secret(&self, key_id: &str, field: &str) -> DeleteConfigSecretRequest {
        DeleteConfigSecretRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            field: field.to_owned(),
            ..DeleteConfigSecretRequest::default()
        }
    }

    /// A request to be shown one.
    #[must_use]
    pub fn reveal(&self, key_id: &str, field: &str) -> RevealConfigSecretRequest {
        RevealConfigSecretRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            field: field.to_owned(),
            ..RevealConfigSecretRequest::default()
        }
    }

    /// The configuration of a key as GetConfig answers it.
    pub async fn read_config(&self, key_id: &str) -> Config {
        let got = self.client.clone().keys.get_config(self.config(key_id)).await.unwrap();
        got.into_inner().config.unwrap()
    }

    /// The kinds of all events of a key, oldest first.
    pub async fn kinds_of(&self, key_id: &str) -> Vec<String> {
        let request = ListEventsRequest { key_id: key_id.to_owned(), ..self.events() };
        let mut events = self.all_events(request).await;
        events.sort_by_key(|event| event.position);
        events.into_iter().map(|event| event.kind).collect()
    }

    /// A request to delete a key.
    #[must_use]
    pub fn delete(&self, key_id: &str) -> DeleteApiKeyRequest {
        DeleteApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..DeleteApiKeyRequest::default()
        }
    }

    /// A request to bring a key back.
    #[must_use]
    pub fn undelete(&self, key_id: &str) -> UndeleteApiKeyRequest {
        UndeleteApiKeyRequest {
            workspace_id: self.id.clone(),
            key_id: key_id.to_owned(),
            ..UndeleteApiKeyRequest::default()
        }
    }

    /// A request for a verdict.
    #[must_use]
    pub fn question(&self, secret: &str) -> VerifyKeyRequest {
        VerifyKeyRequest { key: secret.to_owned(), ..VerifyKeyRequest::default() }
    }

    /// The verdict on a key.
    pub async fn verify(&self, secret: &str) -> VerifyKeyResponse {
        self.client.clone().keys.verify_key(self.question(secret)).await.unwrap().into_inner()
    }
}
