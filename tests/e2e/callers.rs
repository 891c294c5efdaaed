//! Who may call what: the table of RPC by caller, and every way to present a credential wrongly.

use api::v1::{self as wire, ErrorReason, Permission};
use harness::{Client, Credentials, Refusal, Refused, Server, Tenant};

use crate::asks::{RPCS, Target, ask};

/// Who calls, in the order of the table's columns.
const CALLERS: [&str; 11] = [
    "operator",
    "workspace",
    "auth token",
    "owner",
    "member",
    "verify",
    "reveal",
    "audit.read",
    "org.read",
    "org.read_write",
    "workspace.create",
];

/// `y`: may; `-`: PERMISSION_DENIED. One column a caller.
const TABLE: &[(&str, &str)] = &[
    ("CreateApiKey", "-y-y-----y-"),
    ("GetApiKey", "-y-yy---yy-"),
    ("ListApiKeys", "-y-yy---yy-"),
    ("GetConfig", "-yyyy---yy-"),
    ("GetKeyUsage", "-y-yy---yy-"),
    ("DisableApiKey", "-y-y-----y-"),
    ("EnableApiKey", "-y-y-----y-"),
    ("RevokeApiKey", "-y-y-----y-"),
    ("UpdateApiKey", "-y-y-----y-"),
    ("RotateApiKey", "-y-y-----y-"),
    ("EndRotationGrace", "-y-y-----y-"),
    ("DeleteApiKey", "-y-y-----y-"),
    ("UndeleteApiKey", "-y-y-----y-"),
    ("RevokeApiKeys", "-y-y-----y-"),
    ("ImportApiKeys", "-y-y-----y-"),
    ("VerifyKey", "-y---y-----"),
    ("BatchVerifyKeys", "-y---y-----"),
    ("CreateWorkspace", "y---------y"),
    ("GetWorkspace", "yy-yy------"),
    ("SuspendWorkspace", "y----------"),
    ("ResumeWorkspace", "y----------"),
    ("ResetWorkspaceToken", "yy---------"),
    ("EraseSubject", "yy---------"),
    ("CreateServiceCredential", "y----------"),
    ("ListServiceCredentials", "y----------"),
    ("RevokeServiceCredential", "y----------"),
    ("ListEvents", "-y-y---y---"),
    ("VerifyAt", "-y-y---y---"),
    ("GetHead", "y------y---"),
    ("VerifyLog", "y----------"),
    ("WatchEvents", "-y-y---y---"),
    ("UpdateConfig", "-yyy-----y-"),
    ("PutConfigSecret", "-yyy-----y-"),
    ("DeleteConfigSecret", "-yyy-----y-"),
    ("RevealConfigSecret", "------y----"),
    ("IssueAuthToken", "-y-y-----y-"),
    ("ListAuthTokens", "-y-yy---yy-"),
    ("ResetAuthToken", "-yyy-----y-"),
    ("RevokeAuthToken", "-y-y-----y-"),
    ("Check", "-y---y-----"),
];

async fn caller(server: &Server, name: &str, tenant: &Tenant, at: &Target) -> Client {
    let permission = match name {
        "operator" => return server.operator.clone(),
        "workspace" => return tenant.client.clone(),
        "auth token" => return server.auth_token(&at.key, &at.auth_token_secret),
        "owner" | "member" => return server.bearer(&server.user_token(tenant, name)),
        "verify" => Permission::Verify,
        "reveal" => Permission::Reveal,
        "audit.read" => Permission::AuditRead,
        "org.read" => Permission::OrgRead,
        "org.read_write" => Permission::OrgReadWrite,
        // Of those that there are it may be bound to none.
        "workspace.create" => {
            return server.bearer(&server.service(&[Permission::WorkspaceCreate], &[]).await);
        }
        other => panic!("no caller {other}"),
    };
    server.bearer(&server.service(&[permission], &[tenant]).await)
}

#[tokio::test]
async fn every_caller_may_do_what_the_table_says_and_no_more() {
    let rows: Vec<_> = TABLE.iter().map(|(rpc, _)| *rpc).collect();
    assert_eq!(rows, RPCS, "every RPC has a row");
    let server = Server::shared().await;
    let cell = async |rpc: &str, name: &str, may: bool| {
        let tenant = server.workspace("a cell of its own").await;
        let at = Target::in_workspace(&tenant).await.and_service(&server).await;
        match (ask(&caller(&server, name, &tenant, &at).await, rpc, &at).await, may) {
            (Ok(_), true) => {}
            (Err(status), false) => {
                let refusal = Refusal::of(&status);
                assert_eq!(refusal.reason, ErrorReason::PermissionDenied, "{rpc} by {name}");
            }
            (answered, _) => panic!("{rpc} by {name}: {answered:?}"),
        }
    };
    for (rpc, row) in TABLE {
        assert_eq!(row.len(), CALLERS.len());
        let cells = CALLERS.iter().zip(row.chars());
        let cells = cells.map(|(name, may)| cell(rpc, name, may == 'y'));
        futures_util::future::join_all(cells).await;
    }
}

/// Every RPC, refused for one reason with these credentials; nothing is written.
async fn all_refused(server: &Server, credentials: &Credentials, reason: ErrorReason) {
    let tenant = server.workspace("refused").await;
    let at = Target::in_workspace(&tenant).await;
    let at = Target { service_credential: "svc_00000000000000000000000000".to_owned(), ..at };
    let client = server.client(credentials);
    let events = server.tables().events_of(&tenant.id).await;
    for rpc in RPCS {
        let status = ask(&client, rpc, &at).await.expect_err(rpc);
        let refusal = Refusal::of(&status);
        assert_eq!(refusal.reason, reason, "{rpc} with {credentials:?}");
    }
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn a_call_without_a_credential_is_unauthenticated() {
    let server = Server::shared().await;
    all_refused(&server, &Credentials::none(), ErrorReason::CredentialMissing).await;
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let server = Server::shared().await;
    let tenant = server.workspace("two").await;
    let operator = format!("Bearer {}", server.operator_token());
    let two = Credentials::bearer(&tenant.token).and("authorization", &operator);
    all_refused(&server, &two, ErrorReason::TwoCredentials).await;
    let twice = Credentials::bearer(&tenant.token)
        .and("authorization", &format!("Bearer {}", tenant.token));
    all_refused(&server, &twice, ErrorReason::TwoCredentials).await;
}

#[tokio::test]
async fn whatever_is_no_bearer_token_of_ours_is_invalid() {
    let server = Server::shared().await;
    let tenant = server.workspace("garbled").await;
    let made = tenant
        .create(wire::CreateApiKeyRequest { create_auth_token: true, ..tenant.key("key") })
        .await;
    let token = &tenant.token;
    let changed = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        format!("Bearer {}", String::from_utf8(bytes).unwrap())
    };
    let operator = server.operator_token();
    let values = [
        format!("Basic {token}"),
        token.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "garbage".to_owned(),
        format!("Bearer  {token}"),
        format!("Bearer {token} "),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", token.replace("_live_", "_test_")),
        format!("Bearer {}", token.replace("kww_", "kws_")),
        changed(12),
        changed(token.len() - 20),
        changed(token.len() - 1),
        format!("Bearer {}", made.secret),
        format!("Bearer {}", made.auth_token),
        "Bearer operator_".to_owned(),
        format!("Bearer {}", &operator[..operator.len() - 1]),
        format!("Bearer {operator}x"),
        "Bearer kww_live_".repeat(500),
    ];
    let mut said = Vec::new();
    for value in &values {
        let client = server.client(&Credentials::none().and("authorization", value));
        let refusal = client.keys.clone().list_api_keys(tenant.list()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::CredentialInvalid, "{value}");
        let verdict = client.keys.clone().verify_key(tenant.question("x")).await.refused();
        assert_eq!(verdict.reason, ErrorReason::CredentialInvalid, "{value}");
        said.push(refusal);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "which one it is is not said");
}

#[tokio::test]
async fn the_scheme_is_read_without_regard_to_case() {
    let server = Server::shared().await;
    let tenant = server.workspace("cases").await;
    for scheme in ["bearer", "BEARER"] {
        let credentials =
            Credentials::none().and("authorization", &format!("{scheme} {}", tenant.token));
        let mut keys = server.client(&credentials).keys;
        keys.list_api_keys(tenant.list()).await.unwrap();
    }
}

#[tokio::test]
async fn a_revoked_service_credential_ends_for_every_rpc() {
    let server = Server::shared().await;
    let mut operator = server.operator.workspaces.clone();
    let asked = wire::CreateServiceCredentialRequest {
        name: "ended".to_owned(),
        permissions: vec![Permission::OrgReadWrite.into(), Permission::Verify.into()],
        ..Default::default()
    };
    let made = operator.create_service_credential(asked).await.unwrap().into_inner();
    let tenant = server.workspace("served").await;
    let mut service = server.bearer(&made.secret).keys;
    service.list_api_keys(tenant.list()).await.unwrap();
    let revoke = wire::RevokeServiceCredentialRequest {
        service_credential_id: made.service_credential.unwrap().service_credential_id,
        ..Default::default()
    };
    operator.revoke_service_credential(revoke).await.unwrap();
    let ended = Credentials::bearer(&made.secret);
    all_refused(&server, &ended, ErrorReason::CredentialInvalid).await;
}

#[tokio::test]
async fn an_expired_jwt_is_refused_by_every_rpc() {
    let server = Server::shared().await;
    let tenant = server.workspace("expired").await;
    let ed = &server.identities().ed;
    let mut claims = ed.claims(&tenant.id, "owner");
    claims["exp"] = 1_000_000_000.into();
    let expired = Credentials::bearer(&ed.key.token(&claims));
    all_refused(&server, &expired, ErrorReason::CredentialInvalid).await;
}

#[tokio::test]
async fn a_jwt_of_another_deployment_is_refused_by_every_rpc() {
    let (server, elsewhere) = (Server::shared().await, Server::start().await);
    let tenant = server.workspace("here").await;
    let far = Credentials::bearer(&elsewhere.user_token(&tenant, "owner"));
    all_refused(&server, &far, ErrorReason::CredentialInvalid).await;
}

#[tokio::test]
async fn a_token_of_another_deployment_is_invalid() {
    let (server, elsewhere) = (Server::shared().await, Server::start().await);
    let far = elsewhere.workspace("far").await;
    let credentials = Credentials::bearer(&far.token);
    all_refused(&server, &credentials, ErrorReason::CredentialInvalid).await;
    let operator = Credentials::bearer(elsewhere.operator_token());
    all_refused(&server, &operator, ErrorReason::CredentialInvalid).await;
}
