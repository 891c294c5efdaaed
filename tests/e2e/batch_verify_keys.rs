//! BatchVerifyKeys: the order is kept, one bad request fails the call, and all verdicts are of one
//! state.

use api::v1::consistency::Requirement;
use api::v1::{
    BatchVerifyKeysRequest, CheckName, Consistency, Decision, Denial, ErrorReason, Permission,
    VerifyKeyRequest, VerifyKeyResponse, VerifyMode,
};
use harness::{Client, Refusal, Refused, Server};

async fn ask(client: &Client, requests: Vec<VerifyKeyRequest>) -> Vec<VerifyKeyResponse> {
    let answered = client.keys.clone().batch_verify_keys(BatchVerifyKeysRequest { requests }).await;
    answered.unwrap().into_inner().verdicts
}

async fn refused(client: &Client, requests: Vec<VerifyKeyRequest>) -> Refusal {
    client.keys.clone().batch_verify_keys(BatchVerifyKeysRequest { requests }).await.refused()
}

fn plain(secret: &str) -> VerifyKeyRequest {
    VerifyKeyRequest { key: secret.to_owned(), ..VerifyKeyRequest::default() }
}

#[tokio::test]
async fn each_request_gets_the_verdict_it_would_get_alone_in_the_order_of_the_requests() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let (good, revoked) = (own.create_key("good").await, own.create_key("revoked").await);
    own.revoke_key(&revoked.api_key.unwrap().key_id).await;
    let foreign = other.create_key("foreign").await;
    let kinds = [
        (good.secret.as_str(), Denial::Unspecified),
        (&revoked.secret, Denial::Revoked),
        (&foreign.secret, Denial::NotFound),
        ("nonsense", Denial::Malformed),
    ];
    // 100 of them, in no simple order.
    let asked: Vec<_> = (0..100).map(|n| kinds[(n * n + n / 7) % 4]).collect();
    let verdicts = ask(&own.client, asked.iter().map(|(key, _)| plain(key)).collect()).await;
    let told: Vec<_> = verdicts.iter().map(VerifyKeyResponse::denial).collect();
    assert_eq!(told, asked.iter().map(|(_, denial)| *denial).collect::<Vec<_>>());
    for (verdict, (key, _)) in verdicts.into_iter().zip(&asked) {
        let alone = own.verify(key).await;
        let freshness = None;
        assert_eq!(
            VerifyKeyResponse { freshness, ..verdict },
            VerifyKeyResponse { freshness: None, ..alone }
        );
    }
}

#[tokio::test]
async fn requests_of_one_batch_may_differ_in_everything() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    let requests = vec![
        VerifyKeyRequest { mode: VerifyMode::Explain.into(), ..plain(&secret) },
        VerifyKeyRequest { client_ip: "192.0.2.7".to_owned(), ..plain(&secret) },
        plain(&secret),
    ];
    let verdicts = ask(&tenant.client, requests).await;
    assert_eq!(verdicts[0].checks[0].name(), CheckName::Format);
    assert!(verdicts[1].checks.is_empty() && verdicts[1].depends_on.len() == 1);
    assert!(verdicts[2].depends_on.is_empty());
}

#[tokio::test]
async fn none_and_more_than_a_hundred_are_refused() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    assert!(refused(&tenant.client, vec![]).await.is_field("requests"));
    assert!(refused(&tenant.client, vec![plain("x"); 101]).await.is_field("requests"));
    assert_eq!(ask(&tenant.client, vec![plain("x"); 100]).await.len(), 100);
    assert_eq!(ask(&tenant.client, vec![plain("x")]).await.len(), 1);
}

#[tokio::test]
async fn one_bad_request_fails_the_call_and_is_named_by_its_path() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    let at_least = |token: &str| {
        let requirement = Some(Requirement::AtLeast(token.to_owned()));
        VerifyKeyRequest { consistency: Some(Consistency { requirement }), ..plain(&secret) }
    };
    let scopes = api::v1::RequiredScopes { all_of: vec!["NO".to_owned()], any_of: vec![] };
    let bad = [
        (VerifyKeyRequest { client_ip: "x".to_owned(), ..plain(&secret) }, "client_ip"),
        (VerifyKeyRequest { mode: 9, ..plain(&secret) }, "mode"),
        (VerifyKeyRequest { allowed_envs: vec![7], ..plain(&secret) }, "allowed_envs[0]"),
        (
            VerifyKeyRequest { required_scopes: Some(scopes), ..plain(&secret) },
            "required_scopes.all_of[0]",
        ),
        (at_least("x"), "consistency.at_least"),
    ];
    for (request, path) in bad {
        for place in [0, 3, 99] {
            let mut requests = vec![plain(&secret); 100];
            requests[place] = request.clone();
            let refusal = refused(&tenant.client, requests).await;
            assert!(refusal.is_field(&format!("requests[{place}].{path}")), "{refusal:?}");
        }
    }
}

#[tokio::test]
async fn a_service_needs_the_permission_to_verify_for_a_batch_too() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    let may = server.bearer(&server.service(&[Permission::Verify], &[&tenant]).await);
    assert_eq!(ask(&may, vec![plain(&secret)]).await[0].denial(), Denial::Unspecified);
    let may_not = server.bearer(&server.service(&[Permission::OrgReadWrite], &[]).await);
    for client in [&may_not, &server.operator] {
        let refusal = refused(client, vec![plain(&secret)]).await;
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}

#[tokio::test]
async fn a_batch_is_as_fresh_as_the_strictest_of_its_requests() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let made = tenant.create_key("a key").await;
    let (log, position) = made.consistency_token.split_once('.').unwrap();
    let at_least = |token: String| {
        let requirement = Some(Requirement::AtLeast(token));
        VerifyKeyRequest { consistency: Some(Consistency { requirement }), ..plain("x") }
    };
    let written: u64 = position.parse().unwrap();
    let requests = vec![plain("x"), at_least(made.consistency_token.clone()), plain("x")];
    for verdict in ask(&tenant.client, requests).await {
        assert!(verdict.freshness.unwrap().position >= written);
    }
    // However many ask for what is not there, the call takes one wait.
    let began = std::time::Instant::now();
    let ahead = at_least(format!("{log}.{}", u64::MAX / 4));
    let refusal = refused(&tenant.client, vec![ahead; 100]).await;
    assert_eq!(refusal.reason, ErrorReason::ConsistencyTokenNotReached);
    assert!(began.elapsed().as_millis() < 2_000, "{:?}", began.elapsed());
}

/// While one key is switched on and off without a pause, each batch asks for it a hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_verdicts_of_a_batch_are_of_one_state_while_the_key_is_switched() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let made = tenant.create_key("a key").await;
    let key_id = made.api_key.unwrap().key_id;
    let switching = tokio::spawn({
        let tenant = tenant.clone();
        async move {
            let mut keys = tenant.client.clone().keys;
            for _ in 0..150 {
                keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
                keys.enable_api_key(tenant.enable(&key_id)).await.unwrap();
            }
        }
    });
    let mut seen = [0; 2];
    while !switching.is_finished() {
        let verdicts = ask(&tenant.client, vec![plain(&made.secret); 100]).await;
        let first = &verdicts[0];
        for verdict in &verdicts {
            assert_eq!(verdict, first, "two states in one batch");
        }
        seen[usize::from(first.denial() == Denial::Disabled)] += 1;
    }
    switching.await.unwrap();
    assert!(seen.iter().all(|&times| times > 5), "{seen:?} is too few to tell");
}

#[tokio::test]
async fn what_can_not_be_decided_of_one_key_leaves_the_verdicts_on_the_others() {
    let server = Server::start().await;
    let (sound, broken) = (server.workspace("sound").await, server.workspace("broken").await);
    let (good, lost) = (sound.create_key("good").await, broken.create_key("lost").await);
    let client = server.bearer(&server.service(&[Permission::Verify], &[&sound, &broken]).await);
    let requests = || {
        let explain = VerifyMode::Explain.into();
        let lost = VerifyKeyRequest { mode: explain, ..plain(&lost.secret) };
        vec![plain(&good.secret), lost, plain("nonsense")]
    };
    let before = ask(&client, requests()).await;
    assert!(before.iter().all(|verdict| verdict.undecided.is_none()));
    // As when one of its events can't be read.
    server.app().node().verifier.load().quarantine(broken.id.parse().unwrap());

    let verdicts = ask(&client, requests()).await;
    let decisions: Vec<_> = verdicts.iter().map(VerifyKeyResponse::decision).collect();
    assert_eq!(decisions, [Decision::Accepted, Decision::Unspecified, Decision::Denied]);
    let undecided = verdicts[1].undecided.clone().unwrap();
    assert_eq!(undecided.reason(), ErrorReason::StalenessBoundExceeded);
    assert!(!undecided.message.is_empty() && undecided.retry_after.is_some());
    let nothing_else = VerifyKeyResponse {
        undecided: Some(undecided),
        freshness: verdicts[0].freshness.clone(),
        ..VerifyKeyResponse::default()
    };
    assert_eq!(verdicts[1], nothing_else);
    assert_eq!((&verdicts[0].key, verdicts[2].denial()), (&before[0].key, Denial::Malformed));
    server.stop().await;
}
