//! `deploy/envoy/ext_authz.yaml` in the real Envoy, in front of a service of its own.
//!
//! Without Envoy, and more closely: `tests/e2e/ext_authz.rs`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use api::v1::{CreateApiKeyRequest, Permission, SuspendWorkspaceRequest};
use harness::proxy::{Answered, Proxy, Upstream, ask, ask_at, installed};
use harness::{Server, Site, Tenant};
use keyward::config::Settings;
use tempfile::TempDir;
use testkit::{FaultProxy, eventually};

use crate::proxies::{ELSEWHERE, HERE, SPOOFED};

const SOON: Duration = Duration::from_secs(20);
const NONE: &str = "www-authenticate: Bearer realm=\"keyward\"\r\n";
const INVALID: &str = "www-authenticate: Bearer realm=\"keyward\", error=\"invalid_token\"\r\n";
const ALL_SIX: [&str; 6] =
    ["x-key-id", "x-workspace-id", "x-key-scopes", "x-key-env", "x-key-owner", "x-key-expires"];

/// A service, what can be broken on the way to it, Envoy, and a backend that answers with what it was asked.
struct Guarded {
    server: Server,
    tenant: Tenant,
    way: FaultProxy,
    envoy: Proxy,
    _credential: TempDir,
    _site: Site,
}

impl Guarded {
    async fn new(settings: Settings, changed: &[(&str, &str)]) -> Self {
        let site = Site::new().await;
        let config = site.config_with(site.url(), settings);
        let server = Server::start_with(config, site.operator_token()).await;
        let tenant = server.workspace("guarded").await;
        let secret = server.service(&[Permission::Verify], &[&tenant]).await;
        let credential = TempDir::new().unwrap();
        let file = credential.path().join("credential");
        // As an editor leaves it.
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        let way = FaultProxy::in_front_of(server.address());
        let port = |address: SocketAddr| format!("port_value: {}", address.port());
        let (service, backend) = (port(way.address()), port(Upstream::start().await.address));
        let mut replace = vec![
            ("port_value: 50051", &*service),
            ("port_value: 9000", &*backend),
            ("/etc/envoy/keyward-credential", file.to_str().unwrap()),
        ];
        replace.extend_from_slice(changed);
        let envoy = Proxy::start("envoy", "ext_authz.yaml", &replace).await;
        Self { server, tenant, way, envoy, _credential: credential, _site: site }
    }

    /// A key with the scope `payment:read`, for clients at `HERE`.
    fn key(&self) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            scopes: vec!["payment:read".to_owned()],
            ip_allowlist: vec!["127.0.0.2".to_owned()],
            ..self.tenant.key("a key")
        }
    }

    async fn from(&self, client: [u8; 4], headers: &str) -> Answered {
        ask(self.envoy.address, client, headers).await
    }

    async fn status(&self, client: [u8; 4], headers: &str) -> u16 {
        self.from(client, headers).await.status
    }
}

fn with(key: &str) -> String {
    format!("X-Api-Key: {key}")
}

/// Let on to the backend, which was told all six headers once each, and not the key.
#[track_caller]
fn allowed(answered: &Answered, key_id: &str, key: &str) {
    assert_eq!(answered.status, 200, "{answered:?}");
    let asked = answered.body.to_lowercase();
    for name in ALL_SIX {
        let lines = asked.lines().filter(|line| line.starts_with(&format!("{name}:"))).count();
        assert_eq!(lines, 1, "{name}: {asked}");
    }
    assert!(asked.contains(&format!("x-key-id: {key_id}\r\n")), "{asked}");
    assert!(asked.contains("x-key-scopes: payment:read\r\n"), "{asked}");
    assert!(asked.contains("x-key-owner: \r\n") || asked.contains("x-key-owner:\r\n"), "{asked}");
    assert!(!answered.body.contains(key), "the key goes on to the upstream");
    assert!(!answered.body.contains("forged"), "{answered:?}");
}

/// Answered by Envoy in the words of the service.
#[track_caller]
fn denied(answered: &Answered, status: u16, challenge: &str) {
    assert_eq!(answered.status, status, "{answered:?}");
    let head = format!("{}\r\n", answered.head);
    assert!(head.contains(challenge), "{answered:?}");
    assert_eq!(challenge.is_empty(), !head.contains("www-authenticate"), "{answered:?}");
    assert!(head.contains("content-type: application/problem+json\r\n"), "{answered:?}");
    assert!(head.contains("cache-control: no-store\r\n"), "{answered:?}");
    let body: serde_json::Value = serde_json::from_str(&answered.body).unwrap();
    assert_eq!(body["status"], status);
}

#[tokio::test]
async fn envoy_lets_on_whoever_may_pass_and_nobody_else() {
    if !installed("envoy") {
        return;
    }
    let mut guarded = Guarded::new(Settings::default(), &[]).await;
    let made = guarded.tenant.create(guarded.key()).await;
    let key = made.secret.as_str();
    let key_id = made.api_key.unwrap().key_id;
    let bearer = format!("Authorization: Bearer {key}");
    let forged = ALL_SIX.map(|name| format!("{name}: forged")).join("\r\n");

    allowed(&guarded.from(HERE, &with(key)).await, &key_id, key);
    allowed(&guarded.from(HERE, &bearer).await, &key_id, key);
    allowed(&guarded.from(HERE, &format!("{}\r\n{bearer}", with(key))).await, &key_id, key);
    allowed(
        &guarded.from(HERE, &format!("{}\r\n{forged}\r\n{forged}", with(key))).await,
        &key_id,
        key,
    );

    denied(&guarded.from(HERE, &forged).await, 401, NONE);
    denied(&guarded.from(HERE, &with("kwk_live_x")).await, 401, INVALID);
    let two = format!("{}\r\nX-Api-Key: other", with(key));
    denied(&guarded.from(HERE, &two).await, 401, NONE);
    denied(&guarded.from(HERE, &format!("{bearer}\r\nX-Api-Key: other")).await, 401, NONE);

    denied(&guarded.from(ELSEWHERE, &with(key)).await, 403, "");
    let external = [
        "X-Envoy-External-Address: 127.0.0.2",
        "X-Envoy-Internal: true\r\nX-Forwarded-For: 127.0.0.2",
    ];
    for spoofed in SPOOFED.iter().chain(&external) {
        let status = guarded.status(ELSEWHERE, &format!("{}\r\n{spoofed}", with(key))).await;
        assert_eq!(status, 403, "believes {spoofed:?}");
        let status = guarded.status(HERE, &format!("{}\r\n{spoofed}", with(key))).await;
        assert_eq!(status, 200, "{spoofed:?}");
    }
    let other = CreateApiKeyRequest { scopes: vec!["other".to_owned()], ..guarded.key() };
    let other = guarded.tenant.create(other).await.secret;
    let needed = "error=\"insufficient_scope\", scope=\"payment:read\"\r\n";
    denied(&guarded.from(HERE, &with(&other)).await, 403, needed);

    let line = format!("\"key_id\":\"{key_id}\"");
    eventually("the access log has who it was", SOON, async || {
        guarded.envoy.log().lines().any(|one| one.contains(&line) && one.contains("\"status\":200"))
    })
    .await;
    let log = guarded.envoy.log();
    assert!(!log.contains(key) && !log.contains("scope=none"), "{log}");

    guarded.tenant.revoke_key(&key_id).await;
    denied(&guarded.from(HERE, &with(key)).await, 401, INVALID);
    assert!(guarded.envoy.runs());
}

#[tokio::test]
async fn envoy_turns_away_keys_that_have_ended_and_those_of_suspended_workspaces() {
    if !installed("envoy") {
        return;
    }
    let mut guarded = Guarded::new(Settings::default(), &[]).await;
    let end = guarded.server.clock.now().as_second() + 3;
    let end = prost_types::Timestamp { seconds: end, nanos: 0 };
    let brief = CreateApiKeyRequest { expires_at: Some(end), ..guarded.key() };
    let brief = with(&guarded.tenant.create(brief).await.secret);
    assert_eq!(guarded.status(HERE, &brief).await, 200);
    guarded.server.clock.turn(Duration::from_secs(4));
    eventually("the key has expired", SOON, async || guarded.status(HERE, &brief).await == 401)
        .await;
    denied(&guarded.from(HERE, &brief).await, 401, INVALID);

    let lasting = with(&guarded.tenant.create(guarded.key()).await.secret);
    assert_eq!(guarded.status(HERE, &lasting).await, 200);
    let workspace_id = guarded.tenant.id.clone();
    let suspend = SuspendWorkspaceRequest { workspace_id, ..SuspendWorkspaceRequest::default() };
    guarded.server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    denied(&guarded.from(HERE, &lasting).await, 403, "");
    assert!(guarded.envoy.runs());
}

#[tokio::test]
async fn without_a_verdict_envoy_lets_nothing_on_and_answers_503() {
    if !installed("envoy") {
        return;
    }
    let mut guarded = Guarded::new(Settings::default(), &[]).await;
    let key = with(&guarded.tenant.create(guarded.key()).await.secret);
    assert_eq!(guarded.status(HERE, &key).await, 200);
    let undecided = async || {
        for headers in [&*key, &with("kwk_live_x"), "Accept: */*"] {
            let (began, answered) = (Instant::now(), guarded.from(HERE, headers).await);
            denied(&answered, 503, "");
            assert!(answered.head.contains("retry-after: 1\r\n"), "{answered:?}");
            // A quarter of a second for the service, the rest for a busy machine.
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
    };
    let well = async || {
        eventually("Envoy asks again", SOON, async || guarded.status(HERE, &key).await == 200)
            .await;
    };
    guarded.way.blackhole();
    undecided().await;
    guarded.way.resume();
    well().await;
    guarded.way.cut();
    undecided().await;
    guarded.way.resume();
    well().await;
    guarded.server.stop().await;
    for headers in [&*key, "Accept: */*"] {
        assert_eq!(ask(guarded.envoy.address, HERE, headers).await.status, 503);
    }
    // What is not checked needs no verdict.
    assert_eq!(ask_at(guarded.envoy.address, HERE, "/healthz", "Accept: */*").await.status, 200);
    assert!(guarded.envoy.runs());
}

#[tokio::test]
async fn each_route_of_envoy_needs_its_own_scopes_and_nobody_forges_who_he_is_where_nothing_is_checked()
 {
    if !installed("envoy") {
        return;
    }
    let mut guarded = Guarded::new(Settings::default(), &[]).await;
    let envoy = guarded.envoy.address;
    let forged = ALL_SIX.map(|name| format!("{name}: forged")).join("\r\n");
    let verdict = "X-Keyward-Verdict: forged";
    let open = ask_at(envoy, HERE, "/healthz", &format!("{forged}\r\n{verdict}")).await;
    assert_eq!(open.status, 200, "{open:?}");
    assert!(open.body.starts_with("GET /healthz ") && !open.body.contains("forged"), "{open:?}");
    let reads = with(&guarded.tenant.create(guarded.key()).await.secret);
    let scopes = ["payment:read", "payment:write"].map(str::to_owned).to_vec();
    let writes = CreateApiKeyRequest { scopes, ..guarded.key() };
    let writes = with(&guarded.tenant.create(writes).await.secret);
    for (path, reader, writer, nobody) in [
        ("/refunds", 403, 200, 401),
        ("/refunds/1?x=/healthz", 403, 200, 401),
        ("/refundsome", 200, 200, 401),
        ("/orders/../refunds/1", 403, 200, 401),
        ("//refunds", 403, 200, 401),
        ("/healthz/x", 200, 200, 401),
        ("/x/../healthz", 200, 200, 200),
    ] {
        for (headers, status) in [(&*reads, reader), (&*writes, writer), ("Accept: */*", nobody)] {
            assert_eq!(ask_at(envoy, HERE, path, headers).await.status, status, "{path}");
        }
    }
    // What Keyward does not read is not sent to it: it takes 64 KiB.
    let long = format!("/orders/{}", "x".repeat(30_000));
    let cookie = format!("{reads}\r\nCookie: {}", "c".repeat(25_000));
    assert_eq!(ask_at(envoy, HERE, &long, &cookie).await.status, 200);
    // A client that calls by gRPC is told by gRPC.
    let grpc = "Content-Type: application/grpc\r\nTE: trailers";
    for (headers, code) in [("Accept: */*", "16"), (&*reads, "7")] {
        let told = ask_at(envoy, HERE, "/refunds", &format!("{grpc}\r\n{headers}")).await;
        assert!(told.head.contains(&format!("grpc-status: {code}\r\n")), "{told:?}");
    }
    assert!(guarded.envoy.runs());
}

#[tokio::test]
async fn envoy_with_a_credential_that_may_not_ask_or_a_route_that_is_mistyped_lets_nothing_on() {
    if !installed("envoy") {
        return;
    }
    for changed in [
        // Not the scheme that the service takes.
        ("header_value_prefix: \"Bearer \"", "header_value_prefix: \"Basic \""),
        ("{ scope: \"payment:read\" }", "{ scopes: \"payment:read\" }"),
        ("{ scope: \"payment:read\" }", "{ scope: \"PAYMENT\" }"),
    ] {
        let mut guarded = Guarded::new(Settings::default(), &[changed]).await;
        let key = with(&guarded.tenant.create(guarded.key()).await.secret);
        for headers in [&*key, "Accept: */*"] {
            assert_eq!(guarded.status(HERE, headers).await, 503, "{changed:?}");
        }
        assert!(guarded.envoy.runs());
    }
}

#[tokio::test]
async fn envoy_takes_another_credential_without_a_restart_where_it_watches_the_file() {
    if !installed("envoy") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secrets.yaml");
    let keep = |secret: &str| {
        let text = format!(
            "resources:\n- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n  \
             name: keyward_credential\n  generic_secret: {{ secret: {{ inline_string: {secret} }} }}\n"
        );
        // Envoy looks when a file takes the place of another.
        let beside = folder.path().join("beside");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, &file).unwrap();
    };
    keep("kws_live_x");
    let watched = format!(
        "credential: {{ name: keyward_credential, sds_config: {{ path_config_source: {{ path: {} }} }} }}",
        file.display()
    );
    let changed = [("credential: { name: keyward_credential }", watched.as_str())];
    let mut guarded = Guarded::new(Settings::default(), &changed).await;
    let key = with(&guarded.tenant.create(guarded.key()).await.secret);
    assert_eq!(guarded.status(HERE, &key).await, 503);
    keep(&guarded.server.service(&[Permission::Verify], &[&guarded.tenant]).await);
    let passes = async || guarded.status(HERE, &key).await == 200;
    eventually("Envoy has the new credential", SOON, passes).await;
    assert!(guarded.envoy.runs());
}

#[tokio::test]
async fn envoy_behind_other_proxies_tells_the_client_by_their_number() {
    if !installed("envoy") {
        return;
    }
    let settings = Settings { ext_authz_external_address: Some(true), ..Settings::default() };
    let changed = [("xff_num_trusted_hops: 0", "xff_num_trusted_hops: 1")];
    let mut guarded = Guarded::new(settings, &changed).await;
    let key = with(&guarded.tenant.create(guarded.key()).await.secret);
    // Whoever connects is the proxy in front; the last address is what it says.
    for (headers, status) in [
        ("X-Forwarded-For: 127.0.0.2", 200),
        ("X-Forwarded-For: 127.0.0.9, 127.0.0.2", 200),
        ("X-Forwarded-For: 127.0.0.2, 127.0.0.9", 403),
        ("X-Forwarded-For: 127.0.0.9\r\nX-Envoy-External-Address: 127.0.0.2", 403),
        (
            "X-Forwarded-For: 127.0.0.9\r\nX-Envoy-Internal: true\r\nX-Envoy-External-Address: 127.0.0.2",
            403,
        ),
        ("X-Forwarded-For: 10.0.0.9\r\nX-Envoy-External-Address: 127.0.0.2", 403),
        ("X-Forwarded-For: junk\r\nX-Envoy-External-Address: 127.0.0.2", 403),
        ("X-Envoy-External-Address: 127.0.0.2", 403),
    ] {
        let answered = guarded.status(ELSEWHERE, &format!("{key}\r\n{headers}")).await;
        assert_eq!(answered, status, "{headers:?}");
    }
    // A private address is a client's like any other.
    let private = vec!["10.0.0.9".to_owned()];
    let private = CreateApiKeyRequest { ip_allowlist: private, ..guarded.key() };
    let private = with(&guarded.tenant.create(private).await.secret);
    let headers = format!("{private}\r\nX-Forwarded-For: 10.0.0.9");
    assert_eq!(guarded.status(ELSEWHERE, &headers).await, 200);
    assert!(guarded.envoy.runs());
}
