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
    "VerifyKey",
    "BatchVerifyKeys",
    "CreateWorkspace",
    "GetWorkspace",
    "SuspendWorkspace",
    "ResumeWorkspace",
    "ResetWorkspaceToken",
    "CreateServiceCredential",
    "ListServiceCredentials",
    "RevokeServiceCredential",
];

/// What an RPC is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) workspace: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) service_credential: String,
}

impl Target {
    /// A new key, of this workspace.
    pub(crate) async fn in_workspace(tenant: &Tenant) -> Self {
        let made = tenant.create_key("a key").await;
        Self {
            workspace: tenant.id.clone(),
            key: made.api_key.unwrap().key_id,
            secret: made.secret,
            service_credential: String::new(),
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

/// Asks `rpc` about `at`; answers with the encoded answer.
pub(crate) async fn ask(client: &Client, rpc: &str, at: &Target) -> Result<Vec<u8>, Status> {
    let Client { mut keys, mut workspaces } = client.clone();
    let (workspace_id, key_id) = (at.workspace.clone(), at.key.clone());
    let name = "made by a test".to_owned();
    macro_rules! send {
        ($service:ident.$method:ident, $request:ident { $($fields:tt)* }) => {{
            #[allow(clippy::needless_update, reason = "some have no further field")]
            let request = wire::$request { $($fields)*, ..Default::default() };
            $service.$method(request).await?.into_inner().encode_to_vec()
        }};
    }
    Ok(match rpc {
        "CreateApiKey" => {
            send!(keys.create_api_key, CreateApiKeyRequest { workspace_id, name })
        }
        "GetApiKey" => send!(keys.get_api_key, GetApiKeyRequest { workspace_id, key_id }),
        "ListApiKeys" => send!(keys.list_api_keys, ListApiKeysRequest { workspace_id }),
        "GetConfig" => send!(keys.get_config, GetConfigRequest { workspace_id, key_id }),
        "GetKeyUsage" => send!(keys.get_key_usage, GetKeyUsageRequest { workspace_id, key_id }),
        "DisableApiKey" => {
            send!(keys.disable_api_key, DisableApiKeyRequest { workspace_id, key_id })
        }
        "EnableApiKey" => send!(keys.enable_api_key, EnableApiKeyRequest { workspace_id, key_id }),
        "RevokeApiKey" => {
            let reason = wire::RevocationReason::Unused.into();
            send!(keys.revoke_api_key, RevokeApiKeyRequest { workspace_id, key_id, reason })
        }
        "VerifyKey" => {
            send!(keys.verify_key, VerifyKeyRequest { key: at.secret.clone() })
        }
        "BatchVerifyKeys" => {
            let one = wire::VerifyKeyRequest { key: at.secret.clone(), ..Default::default() };
            send!(keys.batch_verify_keys, BatchVerifyKeysRequest { requests: vec![one] })
        }
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
        other => panic!("no plain form of {other}"),
    })
}

#[test]
fn every_rpc_of_the_protos_has_a_plain_form() {
    let files = prost_types::FileDescriptorSet::decode(api::DESCRIPTORS).unwrap().file;
    let ours = files.into_iter().filter(|file| file.package() == "keyward.v1");
    let declared: BTreeSet<_> = ours
        .flat_map(|file| file.service)
        .flat_map(|service| service.method)
        .map(|method| method.name().to_owned())
        .collect();
    assert_eq!(declared, RPCS.iter().map(|&name| name.to_owned()).collect());
}
