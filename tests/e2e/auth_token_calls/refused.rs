//! Every way in which a pair can be wrong.

use super::*;

/// All that a client sees of a refusal.
fn seen(status: &Status) -> (i32, String, Vec<u8>, Vec<String>) {
    let metadata = status.metadata().clone().into_headers();
    let mut names: Vec<_> = metadata.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    (status.code() as i32, status.message().to_owned(), status.details().to_vec(), names)
}

/// This credential with one character of its secret changed, and the checksum made right.
fn wrong_secret(credential: &str) -> String {
    let (shown, hidden) = credential.rsplit_once('_').unwrap();
    let flipped = if hidden.as_bytes()[20] == b'x' { "y" } else { "x" };
    let body = format!("{shown}_{}{flipped}{}", &hidden[..20], &hidden[21..43]);
    with_checksum(&body)
}

/// `body` and its CRC-32/ISO-HDLC in base62, six digits.
fn with_checksum(body: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = !0_u32;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let (mut rest, mut text) = (!crc as usize, [0; 6]);
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    format!("{body}{}", String::from_utf8(text.to_vec()).unwrap())
}

/// Keys that are dead, each in its own way, with a token that was good.
async fn dead_pairs(server: &Server, tenant: &Tenant) -> Vec<(&'static str, Credentials)> {
    let mut keys = tenant.client.keys.clone();
    let mut dead = Vec::new();
    let one = pair(tenant).await;
    tenant.revoke_key(&one.key_id).await;
    dead.push(("a revoked key", one.credentials()));
    let one = pair(tenant).await;
    keys.disable_api_key(tenant.disable(&one.key_id)).await.unwrap();
    dead.push(("a disabled key", one.credentials()));
    let one = pair(tenant).await;
    keys.delete_api_key(tenant.delete(&one.key_id)).await.unwrap();
    dead.push(("a deleted key", one.credentials()));
    let one = pair(tenant).await;
    keys.delete_api_key(tenant.delete(&one.key_id)).await.unwrap();
    keys.undelete_api_key(tenant.undelete(&one.key_id)).await.unwrap();
    dead.push(("an undeleted key, still switched off", one.credentials()));
    let expires_at = moment(server.clock.now().as_second() + 60);
    let ends = wire::CreateApiKeyRequest { expires_at, ..tenant.key("ends") };
    dead.push(("an expired key", tenant.pair(ends).await.credentials()));
    let one = pair(tenant).await;
    let ends = wire::IssueAuthTokenRequest { expires_at, ..tenant.issue(&one.key_id, "ends") };
    let token = tenant.issue_token(ends).await.secret;
    dead.push(("an expired token", of_key(&one.key_id, &token)));
    let one = pair(tenant).await;
    keys.revoke_auth_token(tenant.revoke_token(&one.key_id, &one.token_id)).await.unwrap();
    dead.push(("a revoked token", one.credentials()));
    let one = pair(tenant).await;
    keys.reset_auth_token(tenant.reset(&one.key_id, &one.token_id)).await.unwrap();
    dead.push(("a token before its reset", one.credentials()));
    dead
}

/// Pairs that never were any.
async fn wrong_pairs(tenant: &Tenant) -> Vec<(&'static str, Credentials)> {
    let (one, other) = (pair(tenant).await, pair(tenant).await);
    let browser = wire::IssueAuthTokenRequest {
        allowed_domains: vec!["example.com".to_owned()],
        ..tenant.issue(&one.key_id, "browser")
    };
    let browser = of_key(&one.key_id, &tenant.issue_token(browser).await.secret);
    let missing = crate::asks::missing(&one.key_id);
    let unknown = with_checksum(&format!("kwa_live_{}_{}", "0".repeat(17), "1".repeat(43)));
    let other_env = one.token.replace("_live_", "_test_");
    let other_env = with_checksum(&other_env[..other_env.len() - 6]);
    vec![
        ("an unknown key", of_key(&missing, &one.token)),
        ("a key of another token", of_key(&other.key_id, &one.token)),
        ("the whole key of another token", of_key(&other.key, &one.token)),
        ("an unknown kid", of_key(&one.key_id, &unknown)),
        ("a wrong secret", of_key(&one.key_id, &wrong_secret(&one.token))),
        ("the other environment", of_key(&one.key_id, &other_env)),
        ("a whole key with a wrong secret", of_key(&wrong_secret(&one.key), &one.token)),
        ("no key by its shape", of_key("garbage", &one.token)),
        ("an empty name", of_key("", &one.token)),
        ("the masked key", of_key(one.key.rsplit_once('_').unwrap().0, &one.token)),
        ("a workspace for a key", of_key(&tenant.id, &one.token)),
        ("no token by its shape", of_key(&one.key_id, "garbage")),
        ("a token cut short", of_key(&one.key_id, &one.token[..one.token.len() - 1])),
        ("a key for a token", of_key(&one.key_id, &one.key)),
        ("a token alone", Credentials::bearer(&one.token)),
        ("no origin", browser.clone()),
        ("another origin", browser.clone().and("origin", "https://evilexample.com")),
        ("an origin below", browser.clone().and("origin", "https://a.example.com")),
        ("localhost", browser.clone().and("origin", "http://localhost")),
        ("an opaque origin", browser.clone().and("origin", "null")),
        (
            "two origins",
            browser.and("origin", "https://example.com").and("origin", "https://example.com"),
        ),
    ]
}

#[tokio::test]
async fn whatever_is_wrong_with_a_pair_is_answered_with_the_same_bytes() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let tenant = server.workspace("wrong").await;
    let far = pair(&elsewhere.workspace("far").await).await;
    let mut wrong = vec![("of another deployment", far.credentials())];
    wrong.extend(wrong_pairs(&tenant).await);
    for (what, credentials) in dead_pairs(&server, &tenant).await {
        wrong.push((what, credentials));
    }
    server.clock.turn(Duration::from_secs(61));
    let good = pair(&tenant).await;
    own_config(&server, &good.credentials()).await.unwrap();
    let events = server.tables().events_of(&tenant.id).await;
    let (mut said, mut passed) = (Vec::new(), Vec::new());
    for (what, credentials) in &wrong {
        match own_config(&server, credentials).await {
            Err(status) => said.push((seen(&status), *what)),
            Ok(_) => passed.push(*what),
        }
    }
    assert_eq!(passed, Vec::<&str>::new());
    assert_eq!(said[0].0.0, tonic::Code::Unauthenticated as i32);
    for (bytes, what) in &said {
        assert_eq!(bytes, &said[0].0, "{what} is told from {}", said[0].1);
    }
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn a_token_is_not_good_for_another_key_of_its_workspace_nor_of_another_one() {
    let server = Server::shared().await;
    let (tenant, stranger) = (server.workspace("own").await, server.workspace("other").await);
    let (own, other) = (pair(&tenant).await, pair(&tenant).await);
    let foreign = pair(&stranger).await;
    let mut app = server.client(&own.credentials()).keys;
    let mut said = Vec::new();
    for key_id in [other.key_id.clone(), crate::asks::missing(&other.key_id)] {
        let status = app.get_config(tenant.config(&key_id)).await.unwrap_err();
        assert_eq!(Refusal::of(&status).reason, ErrorReason::ConfigNotFound);
        let details = String::from_utf8_lossy(status.details()).replace(&key_id, "*");
        said.push((status.message().to_owned(), details));
        let reset = tenant.reset(&key_id, &other.token_id);
        let refusal = app.reset_auth_token(reset).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
    assert_eq!(said[0], said[1]);
    let refusal = app.get_config(stranger.config(&foreign.key_id)).await.refused();
    assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    own_config(&server, &other.credentials()).await.unwrap();
}

#[tokio::test]
async fn a_key_beside_another_kind_of_credential_is_one_too_many() {
    let server = Server::shared().await;
    let tenant = server.workspace("two").await;
    let pair = pair(&tenant).await;
    let service = server.service(&[wire::Permission::OrgRead], &[&tenant]).await;
    let jwt = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl";
    for other in [tenant.token.as_str(), &service, server.operator_token(), jwt] {
        let both = of_key(&pair.key_id, other);
        let status = own_config(&server, &both).await.unwrap_err();
        assert_eq!(Refusal::of(&status).reason, ErrorReason::TwoCredentials);
        let mut keys = server.client(&both).keys;
        let refusal = keys.verify_key(tenant.question(&pair.key)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::TwoCredentials);
    }
    let alone = Credentials::none().and("x-keyward-api-key", &pair.key_id);
    let status = own_config(&server, &alone).await.unwrap_err();
    assert_eq!(Refusal::of(&status).reason, ErrorReason::CredentialMissing);
    let twice = pair.credentials().and("x-keyward-api-key", &pair.key_id);
    let status = own_config(&server, &twice).await.unwrap_err();
    assert_eq!(Refusal::of(&status).reason, ErrorReason::TwoCredentials);
}

#[tokio::test]
async fn a_token_asks_for_no_verdict_and_makes_and_widens_nothing() {
    let server = Server::shared().await;
    let tenant = server.workspace("narrow").await;
    let pair = pair(&tenant).await;
    let mut app = server.client(&pair.credentials()).keys;
    let events = server.tables().events_of(&tenant.id).await;
    let refusals = [
        app.verify_key(tenant.question(&pair.key)).await.refused(),
        app.create_api_key(tenant.key("another")).await.refused(),
        app.rotate_api_key(tenant.rotate(&pair.key_id)).await.refused(),
        app.issue_auth_token(tenant.issue(&pair.key_id, "another")).await.refused(),
        app.revoke_auth_token(tenant.revoke_token(&pair.key_id, &pair.token_id)).await.refused(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied, "{refusal:?}");
    }
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}
