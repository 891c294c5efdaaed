//! What operators watch: health, reflection, metrics, logs.

use std::net::SocketAddr;

use serde_json::Value;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::child::PATIENCE;
use crate::client::{Client, bearer, channel};
use crate::deployment::Deployment;

const SERVICES: [&str; 4] = [
    "keyward.v1.ApiKeyService",
    "keyward.v1.WorkspaceService",
    "keyward.v1.AuditService",
    "envoy.service.auth.v3.Authorization",
];

#[tokio::test]
async fn health_follows_the_database_and_liveness_does_not() {
    let deployment = Deployment::new().await;
    let keyward = deployment.serve(&[]).await;
    let health = HealthClient::new(channel(keyward.address()));
    let status = async |service: &str| {
        let request = HealthCheckRequest { service: service.to_owned() };
        health.clone().check(request).await.map(|answer| answer.into_inner().status())
    };
    for service in SERVICES.into_iter().chain(["", "keyward.liveness"]) {
        eventually(&format!("`{service}` is served"), PATIENCE, async || {
            status(service).await.unwrap() == ServingStatus::Serving
        })
        .await;
    }
    assert_eq!(status("keyward.v1.None").await.unwrap_err().code(), Code::NotFound);

    // Cut off from its database, it must not be asked, and need not be restarted.
    deployment.sql(SHUT).await;
    deployment.sql(CUT_OFF).await;
    eventually("not ready", PATIENCE, async || {
        status("").await.unwrap() == ServingStatus::NotServing
    })
    .await;
    for service in SERVICES {
        assert_eq!(status(service).await.unwrap(), ServingStatus::NotServing);
    }
    assert_eq!(status("keyward.liveness").await.unwrap(), ServingStatus::Serving);
    deployment.sql(OPEN).await;
    eventually("ready again", PATIENCE, async || {
        status("").await.unwrap() == ServingStatus::Serving
    })
    .await;
}

/// Lets nobody in but the superuser.
const SHUT: &str = "DO $$ BEGIN \
    EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$";
const OPEN: &str = "DO $$ BEGIN \
    EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT -1', current_database()); END $$";
/// Ends what others have open. After `SHUT` is committed, they do not come back.
const CUT_OFF: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

macro_rules! reflects {
    ($version:ident, $channel:expr) => {{
        use tonic_reflection::pb::$version::ServerReflectionRequest;
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

        let ask = async |question: MessageRequest| {
            let request =
                ServerReflectionRequest { host: String::new(), message_request: Some(question) };
            let mut client = ServerReflectionClient::new($channel.clone());
            let asked = futures_util::stream::iter([request]);
            let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
            answers.message().await.unwrap().unwrap().message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(listed) =
            ask(MessageRequest::ListServices(String::new())).await
        else {
            panic!("no list of services");
        };
        let listed: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
        for service in SERVICES {
            assert!(listed.iter().any(|name| name == service), "{service} is not in {listed:?}");
        }
        for symbol in [SERVICES[0], SERVICES[3], "keyward.v1.VerifyKeyRequest", "keyward.v1.Denial"]
        {
            let answer = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
            let MessageResponse::FileDescriptorResponse(files) = answer else {
                panic!("{symbol} is not resolved: {answer:?}");
            };
            assert!(!files.file_descriptor_proto.is_empty());
        }
    }};
}

#[tokio::test]
async fn reflection_in_both_versions_lists_services_and_resolves_symbols() {
    let deployment = Deployment::new().await;
    let keyward = deployment.serve(&[]).await;
    let channel = channel(keyward.address());
    reflects!(v1, channel);
    reflects!(v1alpha, channel);
}

#[tokio::test]
async fn reflection_can_be_turned_off() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    let deployment = Deployment::new().await;
    let keyward = deployment.serve(&["--reflection", "false"]).await;
    let mut client = ServerReflectionClient::new(channel(keyward.address()));
    let nothing = futures_util::stream::empty();
    let refused = client.server_reflection_info(nothing).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}

/// The metrics page.
pub(crate) async fn scrape(address: SocketAddr) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    page
}

/// The sum of the samples of a name.
fn total(page: &str, name: &str, label: &str) -> f64 {
    let samples = page.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && line.contains(label)
    });
    samples.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn every_promised_metric_is_on_the_page_and_counts() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    client.assert_accepted(&key).await;
    client.verify("nonsense").await.unwrap();
    let list = api::v1::ListApiKeysRequest {
        workspace_id: tenant.workspace.clone(),
        ..Default::default()
    };
    client.rpc.list_api_keys(bearer(&tenant.token, list.clone())).await.unwrap();
    client.rpc.list_api_keys(bearer("wrong", list.clone())).await.unwrap_err();
    client.rpc.list_api_keys(list).await.unwrap_err();

    let page = scrape(keyward.metrics_address()).await;
    for family in [
        "keyward_grpc_requests_total",
        "keyward_grpc_request_duration_seconds",
        "keyward_verdicts_total",
        "keyward_append_batch_size",
        "keyward_append_conflicts_total",
        "keyward_projection_lag_positions",
        "keyward_projection_lag_seconds",
        "keyward_follower_lag_positions",
        "keyward_follower_lag_seconds",
        "keyward_lease_age_seconds",
        "keyward_clock_offset_seconds",
        "keyward_pool_wait_seconds",
        "keyward_usage_dropped_total",
        "keyward_usage_flush_failures_total",
        "keyward_guesses_total",
        "keyward_credential_refused_total",
        "keyward_keyring_active_id",
        "keyward_keyring_newest_id",
        "keyward_keyring_reloads_total",
    ] {
        assert!(page.contains(&format!("\n# TYPE {family} ")), "{family} is missing: {page}");
        assert!(page.contains(&format!("\n# HELP {family} ")), "{family} is not explained");
        let sampled = ["", "_count"].iter().any(|end| {
            let name = format!("{family}{end}");
            page.lines().any(|line| line.split(['{', ' ']).next() == Some(&name))
        });
        assert!(sampled, "{family} has no sample");
    }
    for (name, label, count) in [
        ("keyward_grpc_requests_total", "rpc=\"CreateApiKey\"", 1.0),
        ("keyward_grpc_requests_total", "rpc=\"VerifyKey\"", 2.0),
        ("keyward_verdicts_total", "verdict=\"accepted\"", 1.0),
        ("keyward_verdicts_total", "verdict=\"malformed\"", 1.0),
        ("keyward_append_batch_size_count", "", 1.0),
        ("keyward_guesses_total", "answered=\"yes\"", 1.0),
        ("keyward_guesses_total", "answered=\"no\"", 0.0),
        ("keyward_credential_refused_total", "why=\"invalid\"", 1.0),
        ("keyward_credential_refused_total", "why=\"missing\"", 1.0),
    ] {
        let counted = total(&page, name, label);
        assert!((counted - count).abs() < 0.5, "{name} {label}: {counted}");
    }
    let age = total(&page, "keyward_lease_age_seconds", "");
    assert!((0.0..5.0).contains(&age), "{age} s");
}

#[tokio::test]
async fn a_jwt_that_is_refused_is_counted_by_its_fault_and_never_logged() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let table = deployment.file("issuers.toml");
    let example = include_str!("../../../../deploy/jwt-issuers.example.toml");
    // Nobody listens there, and only one issuer is left.
    let row =
        example.replace("https://login.example.com/.well-known/jwks.json", "http://127.0.0.1:1/");
    let row = row.rsplit_once("[[issuer]]").unwrap().0.to_owned();
    std::fs::write(&table, row).unwrap();
    let flags = ["--jwt-issuers", table.to_str().unwrap(), "--log", "debug"];
    let keyward = deployment.serve(&flags).await;
    let client = Client::new(keyward.address(), &tenant);
    // {"alg":"ES256"} and claims that are good but for the signature.
    let claims = serde_json::json!({
        "iss": "https://login.example.com/", "aud": "https://keyward.example.com",
        "sub": "canary-subject", "exp": 4_000_000_000_u64,
    });
    let claims = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        claims.to_string(),
    );
    let without_keys = format!("eyJhbGciOiJFUzI1NiJ9.{claims}.Y2FuYXJ5");
    for (token, code) in
        [("canary.canary.canary", Code::Unauthenticated), (&without_keys, Code::Unavailable)]
    {
        let list = api::v1::ListApiKeysRequest::default();
        let refused = client.rpc.clone().list_api_keys(bearer(token, list)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused:?}");
    }
    let page = scrape(keyward.metrics_address()).await;
    for (name, label) in [
        ("keyward_jwt_refused_total", "fault=\"form\""),
        ("keyward_jwt_refused_total", "issuer=\"none\""),
        ("keyward_jwt_refused_total", "fault=\"no_keys\""),
        ("keyward_jwt_refused_total", "issuer=\"corp\""),
    ] {
        assert!((total(&page, name, label) - 1.0).abs() < 0.1, "{name} {label}: {page}");
    }
    assert!(total(&page, "keyward_jwks_looks_total", "outcome=\"failed\"") > 0.5, "{page}");
    let finished = keyward.stop().await;
    assert!(finished.err.contains("a JWT was refused"), "{}", finished.err);
    assert!(finished.err.contains("keys can't be read"), "{}", finished.err);
    for secret in ["canary", claims.as_str(), "Y2FuYXJ5"] {
        assert!(!finished.err.contains(secret), "{secret}: {}", finished.err);
    }
}

#[tokio::test]
async fn logs_are_json_when_nobody_watches_and_text_when_asked_for() {
    let deployment = Deployment::new().await;
    let keyward = deployment.serve(&["--log", "debug"]).await;
    keyward.logged("ready: verdicts are answered").await;
    let finished = keyward.stop().await;
    assert!(finished.err.lines().count() > 3, "{}", finished.err);
    for line in finished.err.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for member in ["timestamp", "level", "message", "target"] {
            assert!(line[member].is_string(), "{member} is missing: {line}");
        }
    }
    let finished = deployment.serve(&["--log-format", "text"]).await.stop().await;
    assert!(finished.err.contains(" INFO "), "{}", finished.err);
    assert!(!finished.err.contains('\x1b'), "no colours in a file: {}", finished.err);
}

#[tokio::test]
async fn the_callers_request_id_is_echoed_on_answers_and_refusals_and_logged() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&["--log", "info,keyward=debug"]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let request = |id: &str, message| {
        let mut request = bearer(&tenant.token, message);
        request.metadata_mut().insert("x-request-id", id.parse().unwrap());
        request
    };
    let created = client.rpc.create_api_key(request("given-1", client.plain_key())).await.unwrap();
    assert_eq!(created.metadata().get("x-request-id").unwrap(), "given-1");
    let empty = api::v1::CreateApiKeyRequest::default();
    let refused = client.rpc.create_api_key(request("given-2", empty)).await.unwrap_err();
    assert_eq!(refused.metadata().get("x-request-id").unwrap(), "given-2");
    keyward.logged("given-2").await;
}
