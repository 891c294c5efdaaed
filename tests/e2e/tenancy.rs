//! What is another tenant's is answered exactly as what does not exist, byte for byte. Every RPC is
//! asked about a real object of another workspace.

use api::v1::{self as wire, ErrorReason, Permission};
use harness::{Client, Refusal, Server};
use tonic::Status;

use crate::asks::{RPCS, Target, ask, missing};

/// RPCs about one workspace, or about something in it.
const ON_WORKSPACE: &[&str] = &[
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
    "GetWorkspace",
    "ResetWorkspaceToken",
    "EraseSubject",
    "ListEvents",
    "VerifyAt",
    "WatchEvents",
    "UpdateConfig",
    "PutConfigSecret",
    "DeleteConfigSecret",
    "RevealConfigSecret",
    "IssueAuthToken",
    "ListAuthTokens",
    "ResetAuthToken",
    "RevokeAuthToken",
];
/// Those about one key.
const ON_KEY: &[&str] = &[
    "GetApiKey",
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
    "VerifyAt",
    "UpdateConfig",
    "PutConfigSecret",
    "DeleteConfigSecret",
    "RevealConfigSecret",
    "IssueAuthToken",
    "ListAuthTokens",
    "ResetAuthToken",
    "RevokeAuthToken",
];
/// Those that answer with a verdict.
const VERDICTS: &[&str] = &["VerifyKey", "BatchVerifyKeys", "Check"];
/// Those that no tenant may call at all, whatever they are about.
const OPERATORS: &[&str] = &[
    "CreateWorkspace",
    "SuspendWorkspace",
    "ResumeWorkspace",
    "CreateServiceCredential",
    "ListServiceCredentials",
    "RevokeServiceCredential",
    "GetHead",
    "VerifyLog",
];

/// All that a client can see of a failure: code, message, details and metadata, `id` blotted out.
fn seen(status: &Status, id: &str) -> (i32, String, String, Vec<String>) {
    let blot = |text: &str| text.replace(id, &"*".repeat(id.len()));
    let details = String::from_utf8_lossy(status.details());
    let metadata = status.metadata().clone().into_headers();
    let mut names: Vec<_> = metadata.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    (status.code() as i32, blot(status.message()), blot(&details), names)
}

async fn refused(client: &Client, rpc: &str, at: &Target) -> Status {
    ask(client, rpc, at).await.expect_err(rpc)
}

#[test]
fn every_rpc_has_its_place_in_these_tests() {
    let mut placed = [ON_WORKSPACE, VERDICTS, OPERATORS].concat();
    placed.sort_unstable();
    let mut all = RPCS.to_vec();
    all.sort_unstable();
    assert_eq!(placed, all);
}

#[tokio::test]
async fn a_foreign_workspace_is_answered_as_one_that_does_not_exist() {
    let server = Server::shared().await;
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    let real = Target::in_workspace(&a).await;
    let none = Target {
        workspace: missing(&a.id),
        key: missing(&real.key),
        auth_token: missing(&real.auth_token),
        ..real.clone()
    };
    let may = [Permission::OrgReadWrite, Permission::AuditRead, Permission::Reveal];
    let service = server.service(&may, &[&b]).await;
    let events = server.tables().events_of(&a.id).await;
    let user = server.bearer(&server.user_token(&b, "owner"));
    for (at, caller) in [&b.client, &server.bearer(&service), &user].into_iter().enumerate() {
        for rpc in ON_WORKSPACE {
            let foreign = refused(caller, rpc, &real).await;
            let nowhere = refused(caller, rpc, &none).await;
            // A service may not call these at all, wherever; a user some of them; and no other caller that one.
            let closed = [
                &["RevealConfigSecret"][..],
                &["GetWorkspace", "ResetWorkspaceToken", "EraseSubject"],
                &["RevealConfigSecret", "ResetWorkspaceToken", "EraseSubject"],
            ];
            let denied = closed[at].contains(rpc);
            let told = match denied {
                true => ErrorReason::PermissionDenied,
                false => ErrorReason::WorkspaceNotFound,
            };
            assert_eq!(Refusal::of(&foreign).reason, told, "{rpc}");
            assert_eq!(
                seen(&foreign, &real.workspace),
                seen(&nowhere, &none.workspace),
                "{rpc} tells a foreign workspace from a missing one"
            );
        }
    }
    assert_eq!(server.tables().events_of(&a.id).await, events, "nothing of A was changed");
}

#[tokio::test]
async fn a_foreign_key_is_answered_as_one_that_does_not_exist() {
    let server = Server::shared().await;
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    let owner = wire::Owner { owner_email: "a@a.example".to_owned(), principal: None };
    let asked = wire::CreateApiKeyRequest { owner: Some(owner), ..a.key("A's") };
    let key = a.create(asked).await.api_key.unwrap();
    let issued = a.issue_token(a.issue(&key.key_id, "A's token")).await;
    let real = Target {
        workspace: b.id.clone(),
        key: key.key_id.clone(),
        auth_token: issued.auth_token.unwrap().auth_token_id,
        ..Default::default()
    };
    let none = Target { key: missing(&key.key_id), ..real.clone() };
    let may = [Permission::OrgReadWrite, Permission::AuditRead, Permission::Reveal];
    let everywhere = server.service(&may, &[]).await;
    let user = server.bearer(&server.user_token(&b, "owner"));
    for caller in [&b.client, &server.bearer(&everywhere), &user] {
        for rpc in ON_KEY {
            let foreign = refused(caller, rpc, &real).await;
            let nowhere = refused(caller, rpc, &none).await;
            assert_eq!(
                seen(&foreign, &real.key),
                seen(&nowhere, &none.key),
                "{rpc} tells a foreign key from a missing one"
            );
        }
    }
    assert_eq!(a.read_key(&key.key_id).await, key, "A's key is as it was");
}

#[tokio::test]
async fn an_etag_and_a_request_id_do_not_tell_a_foreign_key_from_a_missing_one() {
    let server = Server::shared().await;
    let (a, mut b) = (server.workspace("A").await, server.workspace("B").await);
    let key = a.create_key("A's").await.api_key.unwrap();
    let mut said = Vec::new();
    for id in [key.key_id.clone(), missing(&key.key_id)] {
        for etag in [key.etag.clone(), "\"99\"".to_owned()] {
            let request_id = "the-same-request-id".to_owned();
            let asked = wire::DisableApiKeyRequest { etag, request_id, ..b.disable(&id) };
            said.push(seen(&b.client.keys.disable_api_key(asked).await.unwrap_err(), &id));
        }
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn a_foreign_key_is_judged_as_an_unknown_one() {
    let (server, elsewhere) = (Server::shared().await, Server::start().await);
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    let real = a.create_key("A's").await.secret;
    let unknown = elsewhere.workspace("far").await.create_key("far").await.secret;
    let service = server.service(&[Permission::Verify], &[&b]).await;
    for caller in [b.client.clone(), server.bearer(&service)] {
        let mut answers = Vec::new();
        for key in [&real, &unknown] {
            let question = wire::VerifyKeyRequest {
                mode: wire::VerifyMode::Explain.into(),
                ..b.question(key)
            };
            let requests = vec![question.clone()];
            let mut keys = caller.keys.clone();
            let one = keys.verify_key(question).await.unwrap().into_inner();
            let many = keys.batch_verify_keys(wire::BatchVerifyKeysRequest { requests }).await;
            let mut verdicts = many.unwrap().into_inner().verdicts;
            verdicts.push(one);
            for verdict in &mut verdicts {
                assert_eq!(verdict.denial(), wire::Denial::NotFound);
                // Where the node is and how long ago it looked says nothing about the key.
                verdict.freshness = None;
            }
            answers.push(verdicts);
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[tokio::test]
async fn what_only_the_operator_may_is_denied_before_anything_is_looked_up() {
    let server = Server::shared().await;
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    let real = Target::in_workspace(&a).await.and_service(&server).await;
    let none = Target {
        workspace: missing(&real.workspace),
        service_credential: missing(&real.service_credential),
        ..real.clone()
    };
    for rpc in OPERATORS {
        let foreign = refused(&b.client, rpc, &real).await;
        let nowhere = refused(&b.client, rpc, &none).await;
        assert_eq!(seen(&foreign, "-"), seen(&nowhere, "-"), "{rpc}");
    }
}

#[tokio::test]
async fn a_list_holds_ones_own_keys_only() {
    let server = Server::shared().await;
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    a.create_key("A's").await;
    b.create_key("B's").await;
    assert_eq!(b.names(b.list()).await, ["B's"]);
}
