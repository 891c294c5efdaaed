//! Every RPC in its plainest form, by name: for promises that hold for all of them. An RPC that is
//! not here fails a test.

use std::collections::BTreeSet;

use api::v1 as wire;
use harness::{Client, Server, Tenant};
use prost::Message;
use tonic::Status;

/// All RPCs.
pub(crate) const RPCS: &[&str] = &[
    "CreateApiKey",
    "GetApiKey",
    "ListApiKeys",
    "GetConfig",
    "GetKeyUsage",
    "DisableApiKey",
    "EnableApiKey",
    "RevokeApiKey",
    "UpdateApiKey",
    "RotateApiKey",
    "EndRotationGrace",
    "DeleteApiKey",
    "UndeleteApiKey",
    "RevokeApiKeys",
    "ImportApiKeys",
    "VerifyKey",
    "BatchVerifyKeys",
    "CreateWorkspace",
    "GetWorkspace",
    "SuspendWorkspace",
    "ResumeWorkspace",
    "ResetWorkspaceToken",
    "EraseSubject",
    "CreateServiceCredential",
    "ListServiceCredentials",
    "RevokeServiceCredential",
    "ListEvents",
    "VerifyAt",
    "GetHead",
    "VerifyLog",
    "WatchEvents",
    "UpdateConfig",
    "PutConfigSecret",
    "DeleteConfigSecret",
    "RevealConfigSecret",
    "IssueAuthToken",
    "ListAuthTokens",
    "ResetAuthToken",
    "RevokeAuthToken",
    "Check",
];

/// What an RPC is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) workspace: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) service_credential: String,
    /// The id of an auth token of the key.
    pub(crate) auth_token: String,
    /// The auth token itself.
    pub(crate) auth_token_secret: String,
}

impl Target {
    /// A new key, of this workspace, with an auth token and a secret in its configuration.
    pub(crate) async fn in_workspace(tenant: &Tenant) -> Self {
        let auth_token = "a-token-for-webhooks".to_owned();
        let webhook = Some(wire::WebhookServiceSettings { auth_token, ..Default::default() });
        let asked = wire::CreateApiKeyRequest { webhook, ..tenant.key("a key") };
        let pair = tenant.pair(asked).await;
        Self {
            workspace: tenant.id.clone(),
            key: pair.key_id,
            secret: pair.key,
            service_credential: String::new(),
            auth_token: pair.token_id,
            auth_token_secret: pair.token,
        }
    }

    /// This, and a new service credential.
    pub(crate) async fn and_service(self, server: &Server) -> Self {
        let request = wire::CreateServiceCredentialRequest {
            name: "a service".to_owned(),
            permissions: vec![wire::Permission::Verify.into()],
            ..Default::default()
        };
        let made = server.operator.clone().workspaces.create_service_credential(request).await;
        let made = made.unwrap().into_inner().service_credential.unwrap();
        Self { service_credential: made.service_credential_id, ..self }
    }
}

/// An id of the same kind that nothing has.
pub(crate) fn missing(id: &str) -> String {
    format!("{}00000", &id[..id.len() - 5])
}

/// An encoded answer; none if the RPC is not among those.
type Asked = Result<Option<Vec<u8>>, Status>;

macro_rules! send {
    ($service:ident.$method:ident, $request:ident { $($fields:tt)* }) => {{
        #[allow(clippy::needless_update, reason = "some have no further field")]
        let request = wire::$request { $($fields)*, ..Default::default() };
        $service.$method(request).await?.into_inner().encode_to_vec()
    }};
}

/// Asks `rpc` about `at`; answers with the encoded answer.
pub(crate) async fn ask(client: &Client, rpc: &str, at: &Target) -> Result<Vec<u8>, Status> {
    if let Some(answer) = ask_of_keys(client, rpc, at).await? {
        return Ok(answer);
    }
    if let Some(answer) = ask_for_changes(client, rpc, at).await? {
        return Ok(answer);
    }
    if let Some(answer) = ask_of_auth_tokens(client, rpc, at).await? {
        return Ok(answer);
    }
    if let Some(answer) = ask_of_workspaces(client, rpc, at).await? {
        return Ok(answer);
    }
    if let Some(answer) = ask_of_configs(client, rpc, at).await? {
        return Ok(answer);
    }
    let answer = ask_of_the_audit(client, rpc, at).await?;
    Ok(answer.unwrap_or_else(|| panic!("no plain form of {rpc}")))
}

/// RPCs that make keys, show and verify them.
async fn ask_of_keys(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut keys = client.keys.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    let name = "made by a test".to_owned();
    Ok(Some(match rpc {
        "CreateApiKey" => {
            send!(keys.create_api_key, CreateApiKeyRequest { workspace_id, name })
        }
        "GetApiKey" => send!(keys.get_api_key, GetApiKeyRequest { workspace_id, key_id }),
        "ListApiKeys" => send!(keys.list_api_keys, ListApiKeysRequest { workspace_id }),
        "GetConfig" => send!(keys.get_config, GetConfigRequest { workspace_id, key_id }),
        "GetKeyUsage" => send!(keys.get_key_usage, GetKeyUsageRequest { workspace_id, key_id }),
        "VerifyKey" => {
            send!(keys.verify_key, VerifyKeyRequest { key: at.secret.clone() })
        }
        "BatchVerifyKeys" => {
            let one = wire::VerifyKeyRequest { key: at.secret.clone(), ..Default::default() };
            send!(keys.batch_verify_keys, BatchVerifyKeysRequest { requests: vec![one] })
        }
        "ImportApiKeys" => {
            let api_key = Some(wire::ApiKey { name, ..wire::ApiKey::default() });
            let raw = format!("imported-{}", at.key);
            let items = vec![wire::ImportApiKeysItem { raw, api_key, ..Default::default() }];
            send!(keys.import_api_keys, ImportApiKeysRequest { workspace_id, items })
        }
        "Check" => {
            let request = harness::envoy::request("127.0.0.1", &[("x-api-key", &at.secret)], &[]);
            client.authorization.clone().check(request).await?.into_inner().encode_to_vec()
        }
        _ => return Ok(None),
    }))
}

/// RPCs that change keys.
async fn ask_for_changes(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut keys = client.keys.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    let name = "made by a test".to_owned();
    Ok(Some(match rpc {
        "DisableApiKey" => {
            send!(keys.disable_api_key, DisableApiKeyRequest { workspace_id, key_id })
        }
        "EnableApiKey" => send!(keys.enable_api_key, EnableApiKeyRequest { workspace_id, key_id }),
        "RevokeApiKey" => {
            let reason = wire::RevocationReason::Unused.into();
            send!(keys.revoke_api_key, RevokeApiKeyRequest { workspace_id, key_id, reason })
        }
        "UpdateApiKey" => {
            let update_mask = Some(prost_types::FieldMask { paths: vec!["name".to_owned()] });
            let api_key = Some(wire::ApiKey { name, ..wire::ApiKey::default() });
            send!(
                keys.update_api_key,
                UpdateApiKeyRequest { workspace_id, key_id, api_key, update_mask }
            )
        }
        "RotateApiKey" => send!(keys.rotate_api_key, RotateApiKeyRequest { workspace_id, key_id }),
        "EndRotationGrace" => {
            send!(keys.end_rotation_grace, EndRotationGraceRequest { workspace_id, key_id })
        }
        "DeleteApiKey" => send!(keys.delete_api_key, DeleteApiKeyRequest { workspace_id, key_id }),
        "UndeleteApiKey" => {
            send!(keys.undelete_api_key, UndeleteApiKeyRequest { workspace_id, key_id })
        }
        "RevokeApiKeys" => {
            let (key_ids, reason) = (vec![key_id], wire::RevocationReason::Unused.into());
            send!(keys.revoke_api_keys, RevokeApiKeysRequest { workspace_id, key_ids, reason })
        }
        _ => return Ok(None),
    }))
}

/// RPCs on configurations.
async fn ask_of_configs(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut keys = client.keys.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    let field = "webhook.auth_token".to_owned();
    Ok(Some(match rpc {
        "UpdateConfig" => {
            let paths = vec!["require_jwt_token".to_owned()];
            let update_mask = Some(prost_types::FieldMask { paths });
            let config = Some(wire::Config { require_jwt_token: true, ..wire::Config::default() });
            send!(
                keys.update_config,
                UpdateConfigRequest { workspace_id, key_id, config, update_mask }
            )
        }
        "PutConfigSecret" => {
            let secret = "another-token-for-webhooks".to_owned();
            send!(
                keys.put_config_secret,
                PutConfigSecretRequest { workspace_id, key_id, field, secret }
            )
        }
        "DeleteConfigSecret" => {
            send!(
                keys.delete_config_secret,
                DeleteConfigSecretRequest { workspace_id, key_id, field }
            )
        }
        "RevealConfigSecret" => {
            send!(
                keys.reveal_config_secret,
                RevealConfigSecretRequest { workspace_id, key_id, field }
            )
        }
        _ => return Ok(None),
    }))
}

/// RPCs on the auth tokens of a key.
async fn ask_of_auth_tokens(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut keys = client.keys.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    let (auth_token_id, name) = (at.auth_token.clone(), "made by a test".to_owned());
    Ok(Some(match rpc {
        "IssueAuthToken" => {
            send!(keys.issue_auth_token, IssueAuthTokenRequest { workspace_id, key_id, name })
        }
        "ListAuthTokens" => {
            send!(keys.list_auth_tokens, ListAuthTokensRequest { workspace_id, key_id })
        }
        "ResetAuthToken" => send!(
            keys.reset_auth_token,
            ResetAuthTokenRequest { workspace_id, key_id, auth_token_id }
        ),
        "RevokeAuthToken" => send!(
            keys.revoke_auth_token,
            RevokeAuthTokenRequest { workspace_id, key_id, auth_token_id }
        ),
        _ => return Ok(None),
    }))
}

/// RPCs of the WorkspaceService.
async fn ask_of_workspaces(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut workspaces = client.workspaces.clone();
    let workspace_id = at.workspace.clone();
    let name = "made by a test".to_owned();
    Ok(Some(match rpc {
        "CreateWorkspace" => send!(workspaces.create_workspace, CreateWorkspaceRequest { name }),
        "GetWorkspace" => send!(workspaces.get_workspace, GetWorkspaceRequest { workspace_id }),
        "SuspendWorkspace" => {
            send!(workspaces.suspend_workspace, SuspendWorkspaceRequest { workspace_id })
        }
        "ResumeWorkspace" => {
            send!(workspaces.resume_workspace, ResumeWorkspaceRequest { workspace_id })
        }
        "ResetWorkspaceToken" => {
            send!(workspaces.reset_workspace_token, ResetWorkspaceTokenRequest { workspace_id })
        }
        "EraseSubject" => {
            let subject = Some(wire::erase_subject_request::Subject::KeyId(at.key.clone()));
            send!(workspaces.erase_subject, EraseSubjectRequest { workspace_id, subject })
        }
        "CreateServiceCredential" => {
            let permissions = vec![wire::Permission::Verify.into()];
            let workspace_ids = vec![workspace_id];
            send!(
                workspaces.create_service_credential,
                CreateServiceCredentialRequest { name, permissions, workspace_ids }
            )
        }
        "ListServiceCredentials" => {
            send!(
                workspaces.list_service_credentials,
                ListServiceCredentialsRequest { workspace_id }
            )
        }
        "RevokeServiceCredential" => {
            let service_credential_id = at.service_credential.clone();
            send!(
                workspaces.revoke_service_credential,
                RevokeServiceCredentialRequest { service_credential_id }
            )
        }
        _ => return Ok(None),
    }))
}

/// RPCs of the AuditService.
async fn ask_of_the_audit(client: &Client, rpc: &str, at: &Target) -> Asked {
    let mut audit = client.audit.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    Ok(Some(match rpc {
        "ListEvents" => {
            let request = wire::ListEventsRequest { workspace_id, ..Default::default() };
            audit.list_events(request).await?.into_inner().encode_to_vec()
        }
        "VerifyAt" => {
            let seconds = keyward::clock::Clock::default().now().as_second();
            let now = prost_types::Timestamp { seconds, nanos: 0 };
            let moment = Some(wire::verify_at_request::Moment::AtTime(now));
            let request =
                wire::VerifyAtRequest { workspace_id, key_id, moment, ..Default::default() };
            audit.verify_at(request).await?.into_inner().encode_to_vec()
        }
        "GetHead" => audit.get_head(wire::GetHeadRequest {}).await?.into_inner().encode_to_vec(),
        "WatchEvents" => {
            let request = wire::WatchEventsRequest { workspace_id, ..Default::default() };
            let mut stream = audit.watch_events(request).await?.into_inner();
            stream.message().await?.unwrap().encode_to_vec()
        }
        "VerifyLog" => {
            let request = wire::VerifyLogRequest { max_events: 1, ..Default::default() };
            audit.verify_log(request).await?.into_inner().encode_to_vec()
        }
        _ => return Ok(None),
    }))
}

#[test]
fn every_rpc_of_the_protos_has_a_plain_form() {
    let files = [api::DESCRIPTORS, api::ENVOY_DESCRIPTORS]
        .into_iter()
        .flat_map(|set| prost_types::FileDescriptorSet::decode(set).unwrap().file);
    let packages = ["keyward.v1", "envoy.service.auth.v3"];
    let ours = files.filter(|file| packages.contains(&file.package()));
    let declared: BTreeSet<_> = ours
        .flat_map(|file| file.service)
        .flat_map(|service| service.method)
        .map(|method| method.name().to_owned())
        .collect();
    assert_eq!(declared, RPCS.iter().map(|&name| name.to_owned()).collect());
}
