//! The shipped configurations beyond the plain case: behind another proxy, when keys and workspaces are
//! switched off, and while the service is down.

use api::v1::{DisableApiKeyRequest, SuspendWorkspaceRequest};
use gateway::config::{Settings, VerifyFailMode};
use harness::Server;
use harness::proxy::{Proxy, Upstream, ask, installed};

use crate::proxies::{ELSEWHERE, HERE, SPOOFED};
use crate::verify::Verifying;

/// Where the outer proxy is.
const OUTER: [u8; 4] = [127, 0, 0, 1];

/// A proxy before a gateway, and what they are before.
async fn start(program: &str, file: &str, gateway: &Verifying, upstream: &Upstream) -> Proxy {
    let (gateway, upstream) = (gateway.rest.address.to_string(), upstream.address.to_string());
    let replace = [
        ("127.0.0.1:8080", &*gateway),
        ("127.0.0.1:9000", &upstream),
        // As the comments in these files say for a proxy behind another one.
        ("\t\t\turi /verify", "\t\t\ttrusted_proxies 127.0.0.1/32\n\t\t\turi /verify"),
        ("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for"),
        ("    http-request del-header x-forwarded-for\n", ""),
        ("# forwardedHeaders:", "forwardedHeaders:"),
        ("#   trustedIPs: [10.0.0.0/8]", "  trustedIPs: [127.0.0.1/32]"),
    ];
    Proxy::start(program, file, &replace).await
}

/// What an outer proxy sends on of these headers of a client at `client`.
fn through(headers: &str, client: [u8; 4]) -> String {
    let mut forwarded = Vec::new();
    let mut others = String::new();
    for line in headers.split("\r\n") {
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("x-forwarded-for") => {
                forwarded.push(value.trim().to_owned());
            }
            Some(_) | None => others = format!("{others}\r\n{line}"),
        }
    }
    forwarded.push(client.map(|part| part.to_string()).join("."));
    format!("X-Forwarded-For: {}{others}", forwarded.join(", "))
}

async fn behind_another(program: &str, file: &str) {
    if !installed(program) {
        return;
    }
    let (verifying, upstream) = (Verifying::new(program).await, Upstream::start().await);
    let proxy = start(program, file, &verifying, &upstream).await;
    let key = verifying.tenant.create(verifying.key()).await.secret;
    let with = format!("X-Api-Key: {key}");
    for spoofed in SPOOFED {
        for (client, status) in [(HERE, 200), (ELSEWHERE, 403)] {
            let headers = format!("{with}\r\n{}", through(spoofed, client));
            let answered = ask(proxy.address, OUTER, &headers).await;
            assert_eq!(answered.status, status, "{program}, {client:?}, {spoofed:?}: {answered:?}");
        }
    }
    verifying.rest.stop().await;
}

#[tokio::test]
async fn nginx_behind_a_proxy_takes_its_word_and_no_client_s() {
    behind_another("nginx", "keyward.conf").await;
}

#[tokio::test]
async fn caddy_behind_a_proxy_takes_its_word_and_no_client_s() {
    behind_another("caddy", "Caddyfile").await;
}

#[tokio::test]
async fn haproxy_behind_a_proxy_takes_its_word_and_no_client_s() {
    behind_another("haproxy", "haproxy.cfg").await;
}

#[tokio::test]
async fn traefik_behind_a_proxy_takes_its_word_and_no_client_s() {
    behind_another("traefik", "traefik.yml").await;
}

async fn switched_off(program: &str, file: &str) {
    if !installed(program) {
        return;
    }
    let (verifying, upstream) = (Verifying::new(program).await, Upstream::start().await);
    let proxy = start(program, file, &verifying, &upstream).await;
    let (tenant, mut operator) = (&verifying.tenant, verifying.server.operator.clone());
    let one = tenant.create(verifying.key()).await;
    let other = tenant.create(verifying.key()).await;
    let status =
        async |key: &str| ask(proxy.address, HERE, &format!("X-Api-Key: {key}")).await.status;
    assert_eq!((status(&one.secret).await, status(&other.secret).await), (200, 200), "{program}");
    let disable = DisableApiKeyRequest {
        workspace_id: tenant.id.clone(),
        key_id: one.api_key.unwrap().key_id,
        ..DisableApiKeyRequest::default()
    };
    tenant.client.clone().keys.disable_api_key(disable).await.unwrap();
    assert_eq!((status(&one.secret).await, status(&other.secret).await), (401, 200), "{program}");
    let suspend = SuspendWorkspaceRequest {
        workspace_id: tenant.id.clone(),
        ..SuspendWorkspaceRequest::default()
    };
    operator.workspaces.suspend_workspace(suspend).await.unwrap();
    assert_eq!(status(&other.secret).await, 403, "{program}");
    verifying.rest.stop().await;
}

#[tokio::test]
async fn a_disabled_key_is_401_and_a_suspended_workspace_403_through_every_proxy() {
    for (program, file) in PROGRAMS {
        switched_off(program, file).await;
    }
}

const PROGRAMS: [(&str, &str); 4] = [
    ("nginx", "keyward.conf"),
    ("caddy", "Caddyfile"),
    ("haproxy", "haproxy.cfg"),
    ("traefik", "traefik.yml"),
];

#[tokio::test]
async fn while_the_service_is_down_every_proxy_answers_503_or_lets_on_nobody_by_name() {
    let open = Settings { verify_fail_mode: Some(VerifyFailMode::Open), ..Settings::default() };
    let server = Server::start().await;
    let address = server.address();
    let verifying = Verifying::before(server, "down", Settings::default()).await;
    let (upstream, mut proxies) = (Upstream::start().await, Vec::new());
    let own = Settings {
        verify_credential_file: Some(verifying.folder.path().join("credential")),
        trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        ..open.or(crate::rest::settings(address))
    };
    let open = crate::rest::Rest::start(own).await;
    for (program, file) in PROGRAMS {
        if installed(program) {
            let closed = start(program, file, &verifying, &upstream).await;
            let gateway = open.address.to_string();
            let replace =
                [("127.0.0.1:8080", &*gateway), ("127.0.0.1:9000", &upstream.address.to_string())];
            proxies.push((program, closed, Proxy::start(program, file, &replace).await));
        }
    }
    let key = verifying.tenant.create(verifying.key()).await.secret;
    let headers = format!("X-Api-Key: {key}\r\nX-Key-Id: forged\r\nX-Keyward-Verdict: accepted");
    for (program, closed, open) in &proxies {
        for proxy in [closed, open] {
            assert_eq!(ask(proxy.address, HERE, &headers).await.status, 200, "{program}");
        }
    }
    let _site = verifying.server.stop().await;
    for (program, closed, open) in &proxies {
        let refused = ask(closed.address, HERE, &headers).await;
        assert_eq!(refused.status, 503, "{program}: {refused:?}");
        let passed = ask(open.address, HERE, &headers).await;
        assert_eq!(passed.status, 200, "{program}: {passed:?}");
        let asked = passed.body.to_lowercase();
        assert!(asked.contains("x-keyward-verdict: none"), "{program}: {asked}");
        assert!(!asked.contains("forged") && !passed.body.contains(&key), "{program}: {asked}");
        assert_eq!(ask(open.address, HERE, "X-Key-Id: forged").await.status, 401, "{program}");
    }
    open.stop().await;
    verifying.rest.stop().await;
}
