//! The fields of all other RPCs, request by request.

use api::v1 as wire;
use harness::Server;

use super::{Rows, each, moment, written};

const LIST: Rows<wire::ListApiKeysRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("page_size", |r| r.page_size = -1),
    ("page_size", |r| r.page_size = i32::MIN),
    ("order", |r| r.order = 3),
    ("statuses[1]", |r| r.statuses = vec![1, 0]),
    ("statuses[0]", |r| r.statuses = vec![77]),
    ("env", |r| r.env = 5),
    ("key_ids[0]", |r| r.key_ids = vec!["key_nonsense".to_owned()]),
    ("key_ids", |r| r.key_ids = vec!["key_00000000000000000000000000".to_owned(); 101]),
    ("name_prefix", |r| r.name_prefix = "x".repeat(129)),
    ("name_prefix", |r| r.name_prefix = "a\0".to_owned()),
    ("expiring_before", |r| r.expiring_before = moment(0, -5)),
    ("owner_user_id", |r| {
        r.owner = Some(wire::list_api_keys_request::Owner::OwnerUserId(String::new()));
    }),
    ("owner_service_account_id", |r| {
        let long = "x".repeat(129);
        r.owner = Some(wire::list_api_keys_request::Owner::OwnerServiceAccountId(long));
    }),
    ("at_least", |r| r.at_least = "\0".to_owned()),
];
const GET: Rows<wire::GetApiKeyRequest> = &[
    ("workspace_id", |r| r.workspace_id = "ws_nonsense".to_owned()),
    ("key_id", |r| r.key_id.clear()),
    ("key_id", |r| r.key_id = "key_nonsense".to_owned()),
    ("key_id", |r| r.key_id = r.workspace_id.clone()),
    ("key_id", |r| r.key_id = "key_\0".to_owned()),
    ("at_least", |r| r.at_least = "x".to_owned()),
    ("at_least", |r| r.at_least = "1.2".to_owned()),
];
const CONFIG: Rows<wire::GetConfigRequest> = &[
    ("key_id", |r| r.key_id = r.key_id.to_uppercase()),
    ("at_least", |r| r.at_least = "00000000000000000000000000000000".to_owned()),
];
const USAGE: Rows<wire::GetKeyUsageRequest> = &[
    ("workspace_id", |r| r.workspace_id.push('x')),
    ("key_id", |r| r.key_id.clear()),
    ("start_time", |r| r.start_time = moment(0, -1)),
    ("start_time", |r| r.start_time = moment(0, 0)),
    ("end_time", |r| r.end_time = moment(i64::MAX, 0)),
    ("start_time", |r| (r.start_time, r.end_time) = (moment(9, 0), moment(9, 0))),
    ("at_least", |r| r.at_least = "x".to_owned()),
];
const DISABLE: Rows<wire::DisableApiKeyRequest> = &[
    ("key_id", |r| r.key_id.push('0')),
    ("etag", |r| r.etag = "7".to_owned()),
    ("etag", |r| r.etag = "\"\"".to_owned()),
    ("etag", |r| r.etag = "W/\"1\"".to_owned()),
    ("etag", |r| r.etag = "\"+1\"".to_owned()),
    ("request_id", |r| r.request_id = "x".to_owned()),
];
const ENABLE: Rows<wire::EnableApiKeyRequest> = &[
    ("key_id", |r| r.key_id.clear()),
    ("etag", |r| r.etag = "\"x\"".to_owned()),
    ("request_id", |r| r.request_id = "x".repeat(256)),
];
const REVOKE: Rows<wire::RevokeApiKeyRequest> = &[
    ("etag", |r| r.etag = "\"-1\"".to_owned()),
    ("wait", |r| r.wait = 7),
    ("reason", |r| r.reason = -1),
    ("reason", |r| r.reason = 0),
    ("reason_text", |r| r.reason_text = "x".repeat(1_025)),
    ("reason_text", |r| r.reason_text = "a\0".to_owned()),
    ("request_id", |r| r.request_id = "a\nline-of-sixteen".to_owned()),
];

#[tokio::test]
async fn every_field_of_the_rpcs_on_keys_is_refused_by_its_path_and_rule() {
    let server = Server::start().await;
    let tenant = server.workspace("bad").await;
    let id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let before = written(&server).await;
    let keys = || tenant.client.keys.clone();
    each(LIST, tenant.list(), async |r| keys().list_api_keys(r).await.map(drop)).await;
    each(GET, tenant.get(&id), async |r| keys().get_api_key(r).await.map(drop)).await;
    each(CONFIG, tenant.config(&id), async |r| keys().get_config(r).await.map(drop)).await;
    let usage = wire::GetKeyUsageRequest {
        workspace_id: tenant.id.clone(),
        key_id: id.clone(),
        ..Default::default()
    };
    each(USAGE, usage, async |r| keys().get_key_usage(r).await.map(drop)).await;
    each(DISABLE, tenant.disable(&id), async |r| keys().disable_api_key(r).await.map(drop)).await;
    each(ENABLE, tenant.enable(&id), async |r| keys().enable_api_key(r).await.map(drop)).await;
    each(REVOKE, tenant.revoke(&id), async |r| keys().revoke_api_key(r).await.map(drop)).await;
    assert_eq!(written(&server).await, before, "nothing was written");
}

const NEW_WORKSPACE: Rows<wire::CreateWorkspaceRequest> = &[
    ("name", |r| r.name.clear()),
    ("name", |r| r.name = "\u{202e}x".to_owned()),
    ("name", |r| r.name = "x".repeat(129)),
    ("request_id", |r| r.request_id = "y".to_owned()),
];
const WORKSPACE: Rows<wire::GetWorkspaceRequest> = &[
    ("workspace_id", |r| r.workspace_id = "ws_".to_owned()),
    ("at_least", |r| r.at_least = "x".to_owned()),
];
const SUSPEND: Rows<wire::SuspendWorkspaceRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("reason_text", |r| r.reason_text = "\u{7}".to_owned()),
    ("etag", |r| r.etag = "1".to_owned()),
];
const RESUME: Rows<wire::ResumeWorkspaceRequest> = &[
    ("workspace_id", |r| r.workspace_id = "\0".to_owned()),
    ("etag", |r| r.etag = "etag".to_owned()),
];
const RESET: Rows<wire::ResetWorkspaceTokenRequest> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("etag", |r| r.etag = "\"99999999999999999999\"".to_owned()),
    ("request_id", |r| r.request_id = "short".to_owned()),
];
const SERVICE: Rows<wire::CreateServiceCredentialRequest> = &[
    ("name", |r| r.name = " ".to_owned()),
    ("permissions", |r| r.permissions.clear()),
    ("permissions[1]", |r| r.permissions = vec![1, 0]),
    ("permissions[0]", |r| r.permissions = vec![99]),
    ("envs[0]", |r| r.envs = vec![0]),
    ("envs[1]", |r| r.envs = vec![1, 3]),
    ("workspace_ids[0]", |r| r.workspace_ids = vec!["x".to_owned()]),
    ("workspace_ids", |r| r.workspace_ids = vec!["x".to_owned(); 101]),
    ("request_id", |r| r.request_id = "x".to_owned()),
];
const SERVICES: Rows<wire::ListServiceCredentialsRequest> = &[
    ("page_size", |r| r.page_size = -1),
    ("workspace_id", |r| r.workspace_id = "x".to_owned()),
    ("at_least", |r| r.at_least = "x".to_owned()),
];
const END_SERVICE: Rows<wire::RevokeServiceCredentialRequest> = &[
    ("service_credential_id", |r| r.service_credential_id.clear()),
    ("service_credential_id", |r| r.service_credential_id = "svc_x".to_owned()),
    ("etag", |r| r.etag = "x".to_owned()),
];

#[tokio::test]
async fn every_field_of_the_rpcs_on_workspaces_is_refused_by_its_path_and_rule() {
    let server = Server::start().await;
    let workspace_id = server.workspace("bad").await.id;
    let before = written(&server).await;
    let ours = || server.operator.workspaces.clone();
    let id = || workspace_id.clone();
    let name = || "good".to_owned();
    let new = wire::CreateWorkspaceRequest { name: name(), ..Default::default() };
    each(NEW_WORKSPACE, new, async |r| ours().create_workspace(r).await.map(drop)).await;
    let get = wire::GetWorkspaceRequest { workspace_id: id(), ..Default::default() };
    each(WORKSPACE, get, async |r| ours().get_workspace(r).await.map(drop)).await;
    let suspend = wire::SuspendWorkspaceRequest { workspace_id: id(), ..Default::default() };
    each(SUSPEND, suspend, async |r| ours().suspend_workspace(r).await.map(drop)).await;
    let resume = wire::ResumeWorkspaceRequest { workspace_id: id(), ..Default::default() };
    each(RESUME, resume, async |r| ours().resume_workspace(r).await.map(drop)).await;
    let reset = wire::ResetWorkspaceTokenRequest { workspace_id: id(), ..Default::default() };
    each(RESET, reset, async |r| ours().reset_workspace_token(r).await.map(drop)).await;
    let service = wire::CreateServiceCredentialRequest {
        name: name(),
        permissions: vec![wire::Permission::Verify.into()],
        ..Default::default()
    };
    each(SERVICE, service, async |r| ours().create_service_credential(r).await.map(drop)).await;
    let list = wire::ListServiceCredentialsRequest::default();
    each(SERVICES, list, async |r| ours().list_service_credentials(r).await.map(drop)).await;
    let end = wire::RevokeServiceCredentialRequest {
        service_credential_id: "svc_00000000000000000000000000".to_owned(),
        ..Default::default()
    };
    each(END_SERVICE, end, async |r| ours().revoke_service_credential(r).await.map(drop)).await;
    assert_eq!(written(&server).await, before, "nothing was written");
}
