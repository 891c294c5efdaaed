//! The configurations that are shipped in `deploy/`, run by the real proxies.
//!
//! A proxy that is not installed is passed over with a line on standard error; not so where `CI` is set.

use std::time::Duration;

use api::v1::CreateApiKeyRequest;
use harness::proxy::{Answered, Proxy, Upstream, ask, installed};
use testkit::eventually;

use crate::verify::Verifying;

/// Where the client is that the key is for, and where another one is.
pub(crate) const HERE: [u8; 4] = [127, 0, 0, 2];
pub(crate) const ELSEWHERE: [u8; 4] = [127, 0, 0, 3];

/// What a client can say of where it is.
pub(crate) const SPOOFED: [&str; 12] = [
    "X-Forwarded-For: 127.0.0.2",
    "x-forwarded-for: 127.0.0.2, 127.0.0.1",
    "X-FORWARDED-FOR: 127.0.0.1, 127.0.0.2",
    "X-Forwarded-For: 127.0.0.2\r\nX-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: ::ffff:127.0.0.2",
    "X-Forwarded-For: [::ffff:127.0.0.2]:443",
    "X-Forwarded-For: 127.0.0.2:80, unknown",
    "X-Forwarded-For: ,127.0.0.2,",
    "X-Forwarded-For: \t127.0.0.2 ",
    "Forwarded: for=127.0.0.2",
    "X-Real-IP: 127.0.0.2\r\nTrue-Client-IP: 127.0.0.2",
    "X-Keyward-Client-Address: 127.0.0.2",
];

#[tokio::test]
async fn nginx_lets_on_whoever_may_pass_and_nobody_else() {
    protects("nginx", "keyward.conf").await;
}

#[tokio::test]
async fn caddy_lets_on_whoever_may_pass_and_nobody_else() {
    protects("caddy", "Caddyfile").await;
}

#[tokio::test]
async fn haproxy_lets_on_whoever_may_pass_and_nobody_else() {
    protects("haproxy", "haproxy.cfg").await;
}

#[tokio::test]
async fn traefik_lets_on_whoever_may_pass_and_nobody_else() {
    protects("traefik", "traefik.yml").await;
}

async fn protects(program: &str, file: &str) {
    if !installed(program) {
        return;
    }
    let (verifying, upstream) = (Verifying::new(program).await, Upstream::start().await);
    let gateway = verifying.rest.address.to_string();
    let replace =
        [("127.0.0.1:8080", &*gateway), ("127.0.0.1:9000", &upstream.address.to_string())];
    let proxy = Proxy::start(program, file, &replace).await;
    let made = verifying.tenant.create(verifying.key()).await;
    let key = made.secret.as_str();
    let key_id = made.api_key.unwrap().key_id;
    let from = async |client, headers: &str| ask(proxy.address, client, headers).await;
    let with = |key: &str| format!("X-Api-Key: {key}");

    for asked in ["x-keyward-verdict: accepted", "x-key-env: live"] {
        assert!(from(HERE, &with(key)).await.body.to_lowercase().contains(asked), "{program}");
    }
    allowed(&from(HERE, &with(key)).await, &key_id, key);
    allowed(&from(HERE, &format!("Authorization: Bearer {key}")).await, &key_id, key);
    let forged = "X-Keyward-Verdict: forged\r\nX-Key-Id: key_forged\r\nX-Key-Owner: forged\r\nX-Key-Expires: forged\r\nX-Workspace-Id: forged";
    // Backends that read headers as variables (CGI, WSGI) take `_` for `-`.
    let spelt = "X_Key_Id: forged\r\nx-key_id: forged\r\nX_Key-Owner: forged\r\nX_KEY_EXPIRES: forged\r\nx_keyward_verdict: forged\r\nX_Keyward-Verdict: forged";
    for forged in [forged, spelt] {
        let answered = from(HERE, &format!("{}\r\n{forged}", with(key))).await;
        allowed(&answered, &key_id, key);
        assert!(!answered.body.contains("forged"), "{program}: {answered:?}");
    }

    let none = from(HERE, forged).await;
    assert_eq!(none.status, 401, "{program}: {none:?}");
    assert!(none.head.contains("Bearer realm=\"keyward\""), "{program}: {none:?}");
    assert_eq!(from(HERE, &with("kwk_live_x")).await.status, 401, "{program}");

    assert_eq!(from(ELSEWHERE, &with(key)).await.status, 403, "{program}");
    // The last is at the proxy's own address, where the gateway believes what is said of clients.
    for client in [ELSEWHERE, [127, 0, 0, 1]] {
        for spoofed in SPOOFED {
            let answered = from(client, &format!("{}\r\n{spoofed}", with(key))).await;
            assert_eq!(answered.status, 403, "{program} believes {spoofed:?} of {client:?}");
        }
    }
    let scopes = CreateApiKeyRequest { scopes: vec!["other".to_owned()], ..verifying.key() };
    let other = verifying.tenant.create(scopes).await.secret;
    assert_eq!(from(HERE, &with(&other)).await.status, 403, "{program}");

    let soon = verifying.server.clock.now().as_second() + 3;
    let end = prost_types::Timestamp { seconds: soon, nanos: 0 };
    let brief = CreateApiKeyRequest { expires_at: Some(end), ..verifying.key() };
    let brief = verifying.tenant.create(brief).await.secret;
    eventually("the key has expired", Duration::from_secs(20), async || {
        from(HERE, &with(&brief)).await.status == 401
    })
    .await;

    verifying.tenant.revoke_key(&key_id).await;
    assert_eq!(from(HERE, &with(key)).await.status, 401, "{program}: at once");

    verifying.rest.stop().await;
    let undecided = from(HERE, &with(key)).await;
    // Traefik makes 500 of a gateway that is not there, and has no setting for it.
    let status = if program == "traefik" { 500 } else { 503 };
    assert_eq!(undecided.status, status, "{program}: {undecided:?}");
    let again = undecided.head.to_lowercase().contains("retry-after: 1");
    assert_eq!(again, status == 503, "{program}: {undecided:?}");
}

fn allowed(answered: &Answered, key_id: &str, key: &str) {
    assert_eq!(answered.status, 200, "{answered:?}");
    // The upstream answers with what it was asked.
    let asked = answered.body.to_lowercase();
    assert!(asked.contains(&format!("x-key-id: {key_id}")), "{asked}");
    assert!(asked.contains("x-key-scopes: payment:read"), "{asked}");
    assert!(!answered.body.contains(key), "the key goes on to the upstream");
}
