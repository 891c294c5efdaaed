//! What `/verify` answers while the service gives no verdicts, as the operator has decided.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use api::v1::Permission;
use gateway::config::{Settings, VerifyFailMode};
use harness::Server;

use crate::rest::Rest;
use crate::verify::{Verifying, verifying_settings};

const NAMES: [&str; 6] =
    ["x-key-id", "x-workspace-id", "x-key-scopes", "x-key-env", "x-key-owner", "x-key-expires"];

#[tokio::test]
async fn open_it_lets_on_and_says_that_nobody_was_verified() {
    let open = Settings {
        verify_fail_mode: Some(VerifyFailMode::Open),
        no_metrics: Some(false),
        metrics_listen: Some(([127, 0, 0, 1], 0).into()),
        ..Settings::default()
    };
    let server = Server::start().await;
    let verifying = Verifying::before(server, "open", open).await;
    let key = verifying.tenant.create(verifying.key()).await.secret;
    let ask = async |path: &str, key: &str| {
        let asking = verifying.rest.get(path).bearer(key);
        asking.header("x-forwarded-for", "127.0.0.2").send().await
    };
    let accepted = ask("/verify", &key).await;
    assert_eq!(accepted.header("x-keyward-verdict"), "accepted");
    assert_eq!(ask("/verify", "kwk_live_x").await.status, 401, "a denial is one");

    let _site = verifying.server.stop().await;
    let open = ask("/verify/scope/a", "kwk_live_x").await;
    assert_eq!((open.status.as_u16(), open.body.len()), (200, 0));
    assert_eq!(open.header("x-keyward-verdict"), "none");
    for name in NAMES {
        assert_eq!(open.headers.get(name).unwrap(), "", "{name}");
    }
    let metrics = verifying.rest.gateway.as_ref().unwrap().metrics_address().unwrap();
    let page = Rest { address: metrics, gateway: None }.get("/metrics").send().await.body;
    let page = String::from_utf8(page.to_vec()).unwrap();
    let counted =
        page.lines().find_map(|line| line.strip_prefix("keyward_gateway_unverified_total "));
    let counted: f64 = counted.unwrap().parse().unwrap();
    assert!(counted >= 1.0, "others in this program count as well: {counted}");
    // What needs no service is as ever; and a path that the operator has mistyped opens nothing.
    assert_eq!(verifying.rest.get("/verify").send().await.status, 401);
    assert_eq!(ask("/verify/scopes/a", &key).await.status, 503);
    verifying.rest.stop().await;
}

#[tokio::test]
async fn open_it_is_for_outages_and_not_for_a_credential_that_does_not_count() {
    let verifying = Verifying::new("not an outage").await;
    let other = verifying.server.service(&[Permission::AuditRead], &[]).await;
    let address = verifying.server.address();
    let key = verifying.tenant.create(verifying.key()).await.secret;
    for secret in ["unknown", &other] {
        let own = verifying_settings(&verifying.folder, secret, crate::rest::settings(address));
        let open = Settings { verify_fail_mode: Some(VerifyFailMode::Open), ..own };
        let rest = Rest::start(open).await;
        assert_eq!(rest.get("/verify").bearer(&key).send().await.status, 503);
        rest.stop().await;
    }
    let none =
        Settings { verify_fail_mode: Some(VerifyFailMode::Open), ..crate::rest::settings(address) };
    let rest = Rest::start(none).await;
    assert_eq!(rest.get("/verify").bearer(&key).send().await.status, 503);
    rest.stop().await;
    verifying.rest.stop().await;
}

#[tokio::test]
async fn a_service_that_hangs_is_told_of_before_a_proxy_gives_up() {
    // It takes connections and says nothing.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::rest::settings(hanging.local_addr().unwrap());
    for (mode, status) in [(VerifyFailMode::Closed, 503), (VerifyFailMode::Open, 200)] {
        let own = Settings {
            verify_fail_mode: Some(mode),
            verify_timeout_ms: None,
            ..verifying_settings(&folder, "secret", settings.clone())
        };
        let rest = Rest::start(own).await;
        let began = Instant::now();
        let answered = rest.get("/verify").bearer("kwk_live_x").send().await;
        assert_eq!(answered.status.as_u16(), status);
        // The time that other calls have is 5 s.
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        rest.stop().await;
    }
}
