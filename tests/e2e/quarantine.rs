//! An event that only a newer build can read: what it is about is answered UNAVAILABLE, never accepted
//! and never denied, and everything else goes on; through a restart, too.
//!
//! Deliberately not here: the end of it, which is an upgrade and a rebuild.

use std::time::Duration;

use api::v1::{
    BatchVerifyKeysResponse, CreateServiceCredentialRequest, Decision, ErrorReason, Permission,
    VerifyKeyRequest,
};
use eventlog::{
    Append, AppendOutcome, Database, DatabaseOptions, EventLog, EventLogOptions, Expected,
    Metadata, NewEvent, StreamAppend, StreamId,
};
use harness::{Client, Refusal, Site};
use prost::Message;
use testkit::eventually;

use crate::asks::{RPCS, Target, ask};

const SOON: Duration = Duration::from_secs(20);

/// What a newer build beside this one writes: a sound event that this one does not know.
async fn from_the_future(site: &Site, workspace: Option<&str>, stream: &str) {
    let ring = keyward::storage::key_ring(&site.config(site.url())).unwrap();
    let chain = keyward::storage::chain_mac(&ring);
    let database = Database::new(&site.url(), DatabaseOptions::default()).unwrap();
    let log = EventLog::open(&database, chain, EventLogOptions::default()).await.unwrap();
    let event = NewEvent {
        event_id: uuid::Uuid::from_u128(7),
        kind: "api_key.from_the_future".to_owned(),
        schema: 1,
        payload: b"{}".to_vec(),
    };
    let append = Append {
        workspace_id: workspace.map(str::to_owned),
        streams: vec![StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            expected: Expected::Any,
            events: vec![event],
        }],
        metadata: Metadata { actor: "a newer build".to_owned(), ..Metadata::default() },
        request: None,
    };
    let appended = log.append(append).await.unwrap();
    assert!(matches!(appended, AppendOutcome::Appended(_)));
    log.close().await;
}

/// The refusal that every quarantine is answered with.
#[track_caller]
fn assert_quarantined(refusal: &Refusal, what: &str) {
    assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded, "{what}: {refusal:?}");
    assert!(refusal.message.contains("can't be read by this build"), "{what}: {refusal:?}");
    assert!(refusal.retry_after.is_some(), "{what}");
}

async fn quarantined(client: &Client, rpc: &str, at: &Target) {
    match ask(client, rpc, at).await {
        Err(status) => assert_quarantined(&Refusal::of(&status), rpc),
        // A batch says so of each of its own.
        Ok(answer) => {
            assert_eq!(rpc, "BatchVerifyKeys");
            let answer = BatchVerifyKeysResponse::decode(answer.as_slice()).unwrap();
            let [verdict] = answer.verdicts.as_slice() else { panic!("{answer:?}") };
            assert_eq!(verdict.decision(), Decision::Unspecified);
            let undecided = verdict.undecided.as_ref().expect("it is undecided");
            assert_eq!(undecided.reason(), ErrorReason::StalenessBoundExceeded);
            assert!(undecided.message.contains("can't be read by this build"), "{undecided:?}");
        }
    }
}

/// Asks about a key until the answer is a quarantine: until then the event may be on its way.
async fn becomes_quarantined(client: &Client, secret: &str) {
    let question = VerifyKeyRequest { key: secret.to_owned(), ..VerifyKeyRequest::default() };
    eventually("the event is met", SOON, async || {
        let answered = client.clone().keys.verify_key(question.clone()).await;
        answered.is_err_and(|status| status.message().contains("can't be read by this build"))
    })
    .await;
}

/// What the operator may do about a workspace.
const OPERATOR: &[&str] = &[
    "GetWorkspace",
    "SuspendWorkspace",
    "ResumeWorkspace",
    "CreateServiceCredential",
    "ListServiceCredentials",
    "ResetWorkspaceToken",
];
/// What a service may do in a workspace, and the workspace's token, too.
const SERVICE: &[&str] = &[
    "CreateApiKey",
    "GetApiKey",
    "ListApiKeys",
    "GetConfig",
    "GetKeyUsage",
    "DisableApiKey",
    "EnableApiKey",
    "VerifyKey",
    "BatchVerifyKeys",
    "UpdateConfig",
    "PutConfigSecret",
    "DeleteConfigSecret",
    "IssueAuthToken",
    "ListAuthTokens",
    "ResetAuthToken",
    "RevokeAuthToken",
    "RevokeApiKey",
    "ListEvents",
    "VerifyAt",
    "WatchEvents",
    "Check",
];
/// What an auth token may do about its own key.
const AUTH_TOKEN: &[&str] = &["GetConfig", "ResetAuthToken"];

#[tokio::test]
async fn nothing_is_decided_for_a_workspace_with_an_event_of_a_newer_build_and_others_go_on() {
    let site = Site::new().await;
    let mut server = site.start().await;
    let theirs = server.workspace("theirs").await;
    let may = [Permission::Verify, Permission::OrgReadWrite, Permission::AuditRead];
    let service = server.service(&[&may[..], &[Permission::Reveal]].concat(), &[]).await;
    let at = Target::in_workspace(&theirs).await.and_service(&server).await;
    let beside = Target::in_workspace(&theirs).await;
    // A caller that is remembered is dropped as well.
    assert_eq!(theirs.verify(&at.secret).await.decision(), Decision::Accepted);
    let events = site.tables().events_of(&theirs.id).await;
    from_the_future(&site, Some(&theirs.id), &at.key).await;
    for start in ["running", "started anew"] {
        becomes_quarantined(&server.bearer(&service), &at.secret).await;
        // Whose token it is does not help: a reset may be the very event that can't be read.
        for (client, rpcs) in [
            (server.tenant(&theirs).client, RPCS),
            (server.operator.clone(), OPERATOR),
            (server.bearer(&service), SERVICE),
            (server.bearer(&service), &["RevealConfigSecret"]),
        ] {
            for rpc in rpcs {
                quarantined(&client, rpc, &at).await;
            }
        }
        for at in [&at, &beside] {
            for rpc in AUTH_TOKEN {
                let app = server.auth_token(&at.key, &at.auth_token_secret);
                quarantined(&app, rpc, at).await;
            }
        }
        let ours = server.workspace("ours").await;
        for (client, rpcs) in [
            (ours.client.clone(), SERVICE),
            (server.bearer(&service), SERVICE),
            (server.operator.clone(), OPERATOR),
        ] {
            let at = Target::in_workspace(&ours).await;
            for rpc in rpcs {
                let answered = ask(&client, rpc, &at).await;
                assert!(answered.is_ok(), "{start}: {rpc}: {answered:?}");
            }
        }
        server.stop().await;
        server = site.start().await;
    }
    let written = site.tables().events_of(&theirs.id).await - events;
    assert_eq!(written, 1, "only the newer build has written there");
}

#[tokio::test]
async fn an_auth_token_with_an_event_of_a_newer_build_is_neither_taken_nor_denied() {
    let site = Site::new().await;
    let server = site.start().await;
    let tenant = server.workspace("theirs").await;
    let at = Target::in_workspace(&tenant).await;
    from_the_future(&site, Some(&tenant.id), &format!("{}/auth_tokens", at.key)).await;
    // It is met at once: each use reads the log.
    let app = server.auth_token(&at.key, &at.auth_token_secret);
    let ended = server.auth_token(&at.key, &at.auth_token_secret.replace("_live_", "_test_"));
    quarantined(&app, "GetConfig", &at).await;
    let refusal = Refusal::of(&ask(&ended, "GetConfig", &at).await.unwrap_err());
    assert_eq!(refusal.reason, ErrorReason::CredentialInvalid, "no token by its shape");
}

#[tokio::test]
async fn a_service_credential_with_an_event_of_a_newer_build_is_neither_taken_nor_denied() {
    let site = Site::new().await;
    let mut server = site.start().await;
    let tenant = server.workspace("any").await;
    let made = tenant.create_key("key").await;
    let other = server.service(&[Permission::Verify], &[]).await;
    let request = CreateServiceCredentialRequest {
        name: "of the future".to_owned(),
        permissions: vec![Permission::Verify.into()],
        ..CreateServiceCredentialRequest::default()
    };
    let mut operator = server.operator.workspaces.clone();
    let theirs = operator.create_service_credential(request).await.unwrap().into_inner();
    let id = theirs.service_credential.unwrap().service_credential_id;
    let at = Target {
        workspace: tenant.id.clone(),
        service_credential: id.clone(),
        ..Target::default()
    };
    let question = tenant.question(&made.secret);
    let mut remembered = server.bearer(&theirs.secret).keys;
    assert!(remembered.verify_key(question.clone()).await.is_ok());
    from_the_future(&site, None, &id).await;
    for start in ["running", "started anew"] {
        becomes_quarantined(&server.bearer(&theirs.secret), &made.secret).await;
        quarantined(&server.operator, "ListServiceCredentials", &at).await;
        quarantined(&server.operator, "RevokeServiceCredential", &at).await;
        let verdict = server.bearer(&other).keys.verify_key(question.clone()).await.unwrap();
        assert_eq!(verdict.into_inner().decision(), Decision::Accepted, "{start}");
        let tenant = server.tenant(&tenant);
        assert!(tenant.names(tenant.list()).await.contains(&"key".to_owned()), "{start}");
        server.workspace("made meanwhile").await;
        server.service(&[Permission::Verify], &[&tenant]).await;
        server.stop().await;
        server = site.start().await;
    }
}

#[tokio::test]
async fn a_node_that_is_not_fresh_decides_nothing_by_what_it_remembers_for_the_operator_either() {
    let site = Site::new().await;
    let server = site.start().await;
    let tenant = server.workspace("remembered").await;
    let at = Target::in_workspace(&tenant).await.and_service(&server).await;
    // What it is about no older build can know: this node answers nothing any more.
    from_the_future(&site, None, "noun_of_the_future").await;
    let question = tenant.question(&at.secret);
    eventually("the event is met", SOON, async || {
        let answered = tenant.client.clone().keys.verify_key(question.clone()).await;
        answered.is_err_and(|status| Refusal::of(&status).reason == ErrorReason::StartingUp)
    })
    .await;
    for rpc in
        ["SuspendWorkspace", "ResumeWorkspace", "ResetWorkspaceToken", "CreateServiceCredential"]
    {
        let refusal = Refusal::of(&ask(&server.operator, rpc, &at).await.expect_err(rpc));
        assert_eq!(refusal.reason, ErrorReason::StartingUp, "{rpc}");
    }
    // What needs nothing but the operator's token and the log goes on.
    ask(&server.operator, "CreateWorkspace", &at).await.unwrap();
    ask(&server.operator, "RevokeServiceCredential", &at).await.unwrap();
    let unbound = CreateServiceCredentialRequest {
        name: "unbound".to_owned(),
        permissions: vec![Permission::Verify.into()],
        ..CreateServiceCredentialRequest::default()
    };
    server.operator.workspaces.clone().create_service_credential(unbound).await.unwrap();
}
