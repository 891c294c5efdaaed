//! ImportApiKeys: old strings go on passing, and what is wrong is said item by item.

use api::v1::{self as wire, ApiKey, Decision, Denial, ErrorReason, ImportApiKeysItem};
use base64::Engine as _;
use harness::{Refused, Server, Tenant};
use sha2::{Digest as _, Sha256};

const OLD: &str = "sk_live_51H8aBcDeFgHiJkLmNoPqRsTuVwXyZ";

fn named(name: &str) -> Option<ApiKey> {
    Some(ApiKey { name: name.to_owned(), ..ApiKey::default() })
}

fn raw(text: &str) -> ImportApiKeysItem {
    ImportApiKeysItem { raw: text.to_owned(), api_key: named("old"), ..Default::default() }
}

/// A text that no other test imports: keys are imported once in a deployment.
fn text(tenant: &Tenant, n: usize) -> String {
    format!("legacy:{}:{n}", tenant.id)
}

async fn import(tenant: &Tenant, items: Vec<ImportApiKeysItem>) -> wire::ImportApiKeysResponse {
    let request = wire::ImportApiKeysRequest {
        workspace_id: tenant.id.clone(),
        items,
        ..wire::ImportApiKeysRequest::default()
    };
    tenant.client.clone().keys.import_api_keys(request).await.unwrap().into_inner()
}

/// Place, reason and field of each item that did not go in.
fn failures(answer: &wire::ImportApiKeysResponse) -> Vec<(usize, ErrorReason, &str)> {
    let mut failures = Vec::new();
    for (at, result) in answer.results.iter().enumerate() {
        if let Some(failure) = &result.failure {
            failures.push((at, failure.reason(), failure.field.as_str()));
        }
    }
    failures
}

#[tokio::test]
async fn an_imported_key_is_verified_by_its_old_string_with_all_its_rules() {
    let server = Server::start().await;
    let tenant = server.workspace("old").await;
    let before = tenant.verify(OLD).await;
    assert_eq!(before.denial(), Denial::Malformed);
    let key = ApiKey {
        name: "old".to_owned(),
        scopes: vec!["read".to_owned()],
        ip_allowlist: vec!["192.0.2.0/24".to_owned()],
        env: wire::Environment::Test.into(),
        ..ApiKey::default()
    };
    let item = ImportApiKeysItem { api_key: Some(key), ..raw(OLD) };
    let answer = import(&tenant, vec![item]).await;
    assert_eq!((answer.imported_count, failures(&answer)), (1, vec![]));
    let key_id = &answer.results[0].key_id;
    let shown = tenant.read_key(key_id).await;
    assert!(shown.display.starts_with("kwi_test_"), "{}", shown.display);

    let asked = |ip: &str, scope: &str| wire::VerifyKeyRequest {
        client_ip: ip.to_owned(),
        required_scopes: Some(wire::RequiredScopes {
            all_of: vec![scope.to_owned()],
            any_of: vec![],
        }),
        ..tenant.question(OLD)
    };
    let verdict = async |ip, scope| {
        let verdict = tenant.client.clone().keys.verify_key(asked(ip, scope)).await;
        verdict.unwrap().into_inner()
    };
    let accepted = verdict("192.0.2.9", "read").await;
    assert_eq!(accepted.decision(), Decision::Accepted);
    let told = accepted.key.unwrap();
    assert_eq!((&told.key_id, &told.display), (key_id, &shown.display));
    assert_eq!(verdict("10.0.0.1", "read").await.denial(), Denial::IpNotAllowed);
    assert_eq!(verdict("192.0.2.9", "write").await.denial(), Denial::InsufficientScope);
    // It is managed as any other.
    tenant.revoke_key(key_id).await;
    assert_eq!(verdict("192.0.2.9", "read").await.denial(), Denial::Revoked);
}

#[tokio::test]
async fn a_hash_is_as_good_as_the_key_and_no_key_itself() {
    let server = Server::shared().await;
    let tenant = server.workspace("hashed").await;
    let (one, two) = (text(&tenant, 1), text(&tenant, 2));
    let item = |sha256: String| ImportApiKeysItem {
        sha256,
        api_key: named("hashed"),
        ..ImportApiKeysItem::default()
    };
    let answer = import(&tenant, vec![item(sha256_hex(&one)), item(sha256_base64(&two))]).await;
    assert_eq!(failures(&answer), []);
    for key in [&one, &two] {
        assert_eq!(tenant.verify(key).await.decision(), Decision::Accepted);
        for hash in [sha256_hex(key), sha256_base64(key)] {
            assert_eq!(tenant.verify(&hash).await.denial(), Denial::Malformed);
        }
    }
    for changed in [one.to_uppercase(), format!("{one} "), one[1..].to_owned()] {
        assert_eq!(tenant.verify(&changed).await.denial(), Denial::Malformed, "{changed}");
    }
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256_base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text))
}

#[tokio::test]
async fn what_is_wrong_is_said_item_by_item_and_the_others_go_in() {
    let server = Server::shared().await;
    let tenant = server.workspace("mixed").await;
    let good = |n| raw(&text(&tenant, n));
    let hash = |sha256: &str| ImportApiKeysItem {
        sha256: sha256.to_owned(),
        api_key: named("hash"),
        ..ImportApiKeysItem::default()
    };
    let with = |n, key: ApiKey| ImportApiKeysItem {
        api_key: Some(ApiKey { name: "old".to_owned(), ..key }),
        ..good(n)
    };
    let past = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let ours = tenant.create_key("ours").await.secret;
    let items = vec![
        good(0),
        good(0),
        raw("short"),
        raw(&ours),
        hash("abcdef"),
        ImportApiKeysItem { sha256: "00".repeat(32), ..good(1) },
        ImportApiKeysItem { api_key: named("none"), ..ImportApiKeysItem::default() },
        ImportApiKeysItem { api_key: None, ..good(2) },
        with(3, ApiKey { scopes: vec!["Bad Scope".to_owned()], ..ApiKey::default() }),
        with(4, ApiKey { expires_at: past, ..ApiKey::default() }),
        good(5),
    ];
    let answer = import(&tenant, items.clone()).await;
    let invalid = ErrorReason::FieldInvalid;
    assert_eq!(
        failures(&answer),
        [
            (1, ErrorReason::ApiKeyAlreadyImported, ""),
            (2, invalid, "items[2].raw"),
            (3, invalid, "items[3].raw"),
            (4, invalid, "items[4].sha256"),
            (5, invalid, "items[5].sha256"),
            (6, invalid, "items[6].raw"),
            (7, invalid, "items[7].api_key.name"),
            (8, invalid, "items[8].api_key.scopes[0]"),
            (9, invalid, "items[9].api_key.expires_at"),
        ]
    );
    assert_eq!((answer.results.len(), answer.imported_count), (11, 2));
    for n in [0, 5] {
        assert_eq!(tenant.verify(&text(&tenant, n)).await.decision(), Decision::Accepted);
    }
    for result in answer.results.iter().filter_map(|result| result.failure.as_ref()) {
        assert!(!result.message.contains(&tenant.id) && !result.message.contains(&ours));
    }
    let again = import(&tenant, items).await;
    assert_eq!(again.imported_count, 0);
    assert_eq!(again.results[10].key_id, answer.results[10].key_id, "it is said which it is");
}

#[tokio::test]
async fn a_key_is_imported_once_in_a_deployment() {
    let server = Server::shared().await;
    let (tenant, other) = (server.workspace("mine").await, server.workspace("theirs").await);
    let key = text(&tenant, 0);
    let mine = import(&tenant, vec![raw(&key)]).await;
    let theirs = import(&other, vec![raw(&key)]).await;
    assert_eq!(failures(&theirs), [(0, ErrorReason::ApiKeyAlreadyImported, "")]);
    assert_eq!(theirs.results[0].key_id, "", "whose it is is not said");
    assert_eq!(other.verify(&key).await.denial(), Denial::Malformed, "as any unknown text");
    tenant.revoke_key(&mine.results[0].key_id).await;
    let dead = import(&tenant, vec![raw(&key)]).await;
    assert_eq!(failures(&dead), [(0, ErrorReason::ApiKeyAlreadyImported, "")]);

    let contended = text(&tenant, 1);
    let each = || import(&tenant, vec![raw(&contended), raw(&text(&other, 9))]);
    let answers = futures_util::future::join_all((0..4).map(|_| each())).await;
    let imported: i32 = answers.iter().map(|answer| answer.imported_count).sum();
    assert_eq!(imported, 2, "{answers:?}");
}

#[tokio::test]
async fn a_thousand_go_in_at_once_and_the_next_one_is_refused_alone() {
    let server = Server::shared().await;
    let tenant = server.workspace("many").await;
    let items: Vec<_> = (0..1_001).map(|n| raw(&text(&tenant, n))).collect();
    let answer = import(&tenant, items).await;
    assert_eq!(answer.imported_count, 1_000);
    assert_eq!(failures(&answer), [(1_000, ErrorReason::FieldInvalid, "items[1000]")]);
    for n in [0, 500, 999] {
        assert_eq!(tenant.verify(&text(&tenant, n)).await.decision(), Decision::Accepted);
    }
    assert_eq!(tenant.verify(&text(&tenant, 1_000)).await.denial(), Denial::Malformed);
    for count in [0, 2_001, 400_000] {
        let request = wire::ImportApiKeysRequest {
            workspace_id: tenant.id.clone(),
            items: vec![ImportApiKeysItem::default(); count],
            ..wire::ImportApiKeysRequest::default()
        };
        let refusal = tenant.client.clone().keys.import_api_keys(request).await.refused();
        assert!(refusal.is_field("items"), "{refusal:?}");
    }
}

#[tokio::test]
async fn an_imported_key_can_be_rotated_to_one_of_ours() {
    let server = Server::shared().await;
    let tenant = server.workspace("moved").await;
    let key = text(&tenant, 0);
    let id = import(&tenant, vec![raw(&key)]).await.results.remove(0).key_id;
    let rotated = tenant.client.clone().keys.rotate_api_key(tenant.rotate(&id)).await.unwrap();
    let secret = rotated.into_inner().secret;
    for (text, generation) in [(&key, 1), (&secret, 2)] {
        let verdict = tenant.verify(text).await;
        assert_eq!(verdict.decision(), Decision::Accepted);
        assert_eq!(verdict.key.unwrap().generation, generation);
    }
    let ended = tenant.client.clone().keys.end_rotation_grace(tenant.end_grace(&id)).await;
    ended.unwrap();
    assert_eq!(tenant.verify(&key).await.denial(), Denial::RotatedOut);
    assert_eq!(tenant.verify(&secret).await.decision(), Decision::Accepted);
}

#[tokio::test]
async fn a_replica_that_starts_later_knows_imported_keys_and_batches_find_them() {
    let server = Server::start().await;
    let tenant = server.workspace("later").await;
    import(&tenant, vec![raw(OLD)]).await;
    let replica = server.replica().await;
    let there = replica.tenant(&tenant);
    testkit::eventually("the replica is ready", std::time::Duration::from_secs(10), async || {
        there.client.clone().keys.verify_key(there.question(OLD)).await.is_ok()
    })
    .await;
    let requests = vec![there.question(OLD), there.question("sk_live_no_such_key_at_all")];
    let batch = wire::BatchVerifyKeysRequest { requests };
    let verdicts = there.client.clone().keys.batch_verify_keys(batch).await.unwrap().into_inner();
    let denials: Vec<_> = verdicts.verdicts.iter().map(wire::VerifyKeyResponse::denial).collect();
    assert_eq!(denials, [Denial::Unspecified, Denial::Malformed]);
}

#[tokio::test]
async fn a_repeated_import_is_answered_as_before() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("again").await;
    let request = wire::ImportApiKeysRequest {
        workspace_id: tenant.id.clone(),
        items: vec![raw(&text(&tenant, 0)), raw("short")],
        request_id: "import-once-0123456789".to_owned(),
    };
    let first = tenant.client.keys.import_api_keys(request.clone()).await.unwrap().into_inner();
    let again = tenant.client.keys.import_api_keys(request).await.unwrap().into_inner();
    assert_eq!((first.imported_count, &first), (1, &again));
}
