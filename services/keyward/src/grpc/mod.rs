//! The wire: one file an RPC, and the few that they share. Nothing behind this folder sees gRPC.

mod access;
mod asked;
mod audit_event;
mod auth_tokens;
mod batch_verify_keys;
pub(crate) mod bounded;
mod call;
mod caller;
mod caller_memory;
mod client_address;
mod config_fields;
pub mod convert;
mod create_api_key;
mod create_service_credential;
mod create_workspace;
mod delete_api_key;
mod delete_config_secret;
mod disable_api_key;
pub mod edge;
mod enable_api_key;
mod end_rotation_grace;
mod erase_subject;
mod event_filter;
mod explain;
pub mod express;
mod ext_authz;
mod fields;
mod get_api_key;
mod get_config;
mod get_head;
mod get_key_usage;
mod get_workspace;
mod history;
mod import_api_keys;
mod issue_auth_token;
mod json;
mod large;
mod last_use;
mod list_api_keys;
mod list_auth_tokens;
mod list_events;
mod list_service_credentials;
#[cfg(test)]
mod map_entries_tests;
mod mutation;
mod on_config;
mod page_token;
mod past;
mod put_config_secret;
mod reading;
mod reset_auth_token;
mod reset_workspace_token;
mod resume_workspace;
mod reveal_config_secret;
mod revoke_api_key;
mod revoke_api_keys;
mod revoke_auth_token;
mod revoke_service_credential;
mod rotate_api_key;
pub mod rpc;
mod service_credentials;
mod standing;
pub mod status;
mod suspend_workspace;
mod switch;
mod undelete_api_key;
mod update_api_key;
mod update_config;
mod verdict;
mod verdict_bytes;
mod verify_at;
mod verify_key;
mod verify_log;
mod verify_view;
mod watch_events;
mod workspaces;

use std::sync::Arc;

use api::v1::api_key_service_server::ApiKeyService;
use api::v1::audit_service_server::AuditService;
use api::v1::workspace_service_server::WorkspaceService;
use tonic::{Request, Response, Status};

pub use call::Peer;

use crate::node::Node;
use rpc::Rpc;

/// All services over one node.
#[derive(Clone)]
pub struct Services(pub Arc<Node>);

macro_rules! managed {
    ($service:ident:
        managed { $( $method:ident, $rpc:ident, $request:ident, $response:ident; )+ }
        verdicts { $( $verdict:ident, $asked:ident, $answer:ident; )* }
        $( streams { $( $stream:ident, $wanted:ident, $item:ident; )+ } )?
    ) => {
        #[tonic::async_trait]
        impl $service for Services {
            $(
                async fn $method(
                    &self,
                    request: Request<api::v1::$request>,
                ) -> Result<Response<api::v1::$response>, Status> {
                    call::manage(&self.0, Rpc::$rpc, request, $method::run).await
                }
            )+
            $(
                async fn $verdict(
                    &self,
                    request: Request<api::v1::$asked>,
                ) -> Result<Response<api::v1::$answer>, Status> {
                    $verdict::run(&self.0, request).await
                }
            )*
            $( $(
                type $item = $stream::Messages;

                async fn $stream(
                    &self,
                    request: Request<api::v1::$wanted>,
                ) -> Result<Response<Self::$item>, Status> {
                    $stream::run(&self.0, request).await
                }
            )+ )?
        }
    };
}

managed! { ApiKeyService: managed {
    create_api_key, CreateApiKey, CreateApiKeyRequest, CreateApiKeyResponse;
    get_api_key, GetApiKey, GetApiKeyRequest, GetApiKeyResponse;
    list_api_keys, ListApiKeys, ListApiKeysRequest, ListApiKeysResponse;
    disable_api_key, DisableApiKey, DisableApiKeyRequest, DisableApiKeyResponse;
    enable_api_key, EnableApiKey, EnableApiKeyRequest, EnableApiKeyResponse;
    revoke_api_key, RevokeApiKey, RevokeApiKeyRequest, RevokeApiKeyResponse;
    update_api_key, UpdateApiKey, UpdateApiKeyRequest, UpdateApiKeyResponse;
    rotate_api_key, RotateApiKey, RotateApiKeyRequest, RotateApiKeyResponse;
    end_rotation_grace, EndRotationGrace, EndRotationGraceRequest, EndRotationGraceResponse;
    delete_api_key, DeleteApiKey, DeleteApiKeyRequest, DeleteApiKeyResponse;
    undelete_api_key, UndeleteApiKey, UndeleteApiKeyRequest, UndeleteApiKeyResponse;
    revoke_api_keys, RevokeApiKeys, RevokeApiKeysRequest, RevokeApiKeysResponse;
    import_api_keys, ImportApiKeys, ImportApiKeysRequest, ImportApiKeysResponse;
    get_config, GetConfig, GetConfigRequest, GetConfigResponse;
    get_key_usage, GetKeyUsage, GetKeyUsageRequest, GetKeyUsageResponse;
    update_config, UpdateConfig, UpdateConfigRequest, UpdateConfigResponse;
    put_config_secret, PutConfigSecret, PutConfigSecretRequest, PutConfigSecretResponse;
    delete_config_secret, DeleteConfigSecret, DeleteConfigSecretRequest, DeleteConfigSecretResponse;
    reveal_config_secret, RevealConfigSecret, RevealConfigSecretRequest, RevealConfigSecretResponse;
    issue_auth_token, IssueAuthToken, IssueAuthTokenRequest, IssueAuthTokenResponse;
    list_auth_tokens, ListAuthTokens, ListAuthTokensRequest, ListAuthTokensResponse;
    reset_auth_token, ResetAuthToken, ResetAuthTokenRequest, ResetAuthTokenResponse;
    revoke_auth_token, RevokeAuthToken, RevokeAuthTokenRequest, RevokeAuthTokenResponse;
} verdicts {
    verify_key, VerifyKeyRequest, VerifyKeyResponse;
    batch_verify_keys, BatchVerifyKeysRequest, BatchVerifyKeysResponse;
} }

managed! { WorkspaceService: managed {
    create_workspace, CreateWorkspace, CreateWorkspaceRequest, CreateWorkspaceResponse;
    get_workspace, GetWorkspace, GetWorkspaceRequest, GetWorkspaceResponse;
    suspend_workspace, SuspendWorkspace, SuspendWorkspaceRequest, SuspendWorkspaceResponse;
    resume_workspace, ResumeWorkspace, ResumeWorkspaceRequest, ResumeWorkspaceResponse;
    reset_workspace_token, ResetWorkspaceToken, ResetWorkspaceTokenRequest, ResetWorkspaceTokenResponse;
    erase_subject, EraseSubject, EraseSubjectRequest, EraseSubjectResponse;
    create_service_credential, CreateServiceCredential, CreateServiceCredentialRequest, CreateServiceCredentialResponse;
    list_service_credentials, ListServiceCredentials, ListServiceCredentialsRequest, ListServiceCredentialsResponse;
    revoke_service_credential, RevokeServiceCredential, RevokeServiceCredentialRequest, RevokeServiceCredentialResponse;
} verdicts {} }

managed! { AuditService: managed {
    list_events, ListEvents, ListEventsRequest, ListEventsResponse;
    verify_at, VerifyAt, VerifyAtRequest, VerifyAtResponse;
    get_head, GetHead, GetHeadRequest, GetHeadResponse;
    verify_log, VerifyLog, VerifyLogRequest, VerifyLogResponse;
} verdicts {} streams {
    watch_events, WatchEventsRequest, WatchEventsStream;
} }
