//! `/verify`, asked as a proxy asks it.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use api::v1::{CreateApiKeyRequest, Owner, Permission, owner};
use gateway::Config;
use gateway::config::Settings;
use harness::{Server, Tenant};
use http::Method;
use tempfile::TempDir;

use crate::rest::{Answer, Rest, settings};

/// A gateway that gives verdicts, in front of the shared server.
pub(crate) struct Verifying {
    pub(crate) server: Server,
    pub(crate) rest: Rest,
    pub(crate) tenant: Tenant,
    pub(crate) folder: TempDir,
}

/// Settings with a credential to verify with.
fn verifying(folder: &TempDir, secret: &str, mode: u32, settings: Settings) -> Settings {
    let path = folder.path().join("credential");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&path).unwrap();
    writeln!(file, "{secret}").unwrap();
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    Settings { verify_credential_file: Some(path), trusted_proxy: Some(trusted), ..settings }
}

impl Verifying {
    pub(crate) async fn new(name: &str) -> Self {
        Self::before(Server::shared().await, name, Settings::default()).await
    }

    /// In front of this server, with these settings where others are not needed.
    pub(crate) async fn before(server: Server, name: &str, own: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let tenant = server.workspace(name).await;
        let secret = server.service(&[Permission::Verify], &[&tenant]).await;
        let verify_header = Some("x-own-key".to_owned());
        let own = own.or(Settings { verify_header, ..settings(server.address()) });
        let rest = Rest::start(verifying(&folder, &secret, 0o600, own)).await;
        Self { server, rest, tenant, folder }
    }

    /// A key with the scope `payment:read`, for clients at 127.0.0.2.
    pub(crate) fn key(&self) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            scopes: vec!["payment:read".to_owned()],
            ip_allowlist: vec!["127.0.0.2".to_owned()],
            ..self.tenant.key("a key")
        }
    }

    async fn ask(&self, path: &str, key: &str) -> Answer {
        let asking = self.rest.get(path).bearer(key);
        asking.header("x-forwarded-for", "127.0.0.2").send().await
    }
}

fn denied(answer: &Answer, status: u16, challenge: &str) {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    assert_eq!(answer.header("www-authenticate"), challenge);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["status"], status);
    assert!(!answer.headers.contains_key("x-key-id"));
}

const NONE: &str = "Bearer realm=\"keyward\"";
const INVALID: &str = "Bearer realm=\"keyward\", error=\"invalid_token\"";

#[tokio::test]
async fn a_key_that_may_pass_is_named_by_six_headers_that_are_always_there() {
    let verifying = Verifying::new("named").await;
    let owner = |id: &str| Owner {
        principal: Some(owner::Principal::UserId(id.to_owned())),
        ..Owner::default()
    };
    let made = verifying.tenant.create(CreateApiKeyRequest {
        owner: Some(owner("user-7")),
        expires_at: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
        ..verifying.key()
    });
    let made = made.await;
    let key_id = made.api_key.unwrap().key_id;
    let answer = verifying.ask("/verify/scope/payment:read/env/live", &made.secret).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{:?}", answer.body);
    for (name, value) in [
        ("x-key-id", key_id.as_str()),
        ("x-workspace-id", &verifying.tenant.id),
        ("x-key-scopes", "payment:read"),
        ("x-key-env", "live"),
        ("x-key-owner", "user-7"),
        ("x-key-expires", "2096-10-02T07:06:40Z"),
        ("x-keyward-verdict", "accepted"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let plain = verifying.tenant.create(verifying.key()).await;
    let answer = verifying.ask("/verify", &plain.secret).await;
    for name in ["x-key-owner", "x-key-expires"] {
        assert_eq!(answer.headers.get(name).unwrap(), "", "{name}");
    }
    for method in [Method::POST, Method::DELETE, Method::OPTIONS, Method::PUT, Method::HEAD] {
        let asking = verifying.rest.request(method.clone(), "/verify").bearer(&made.secret);
        let asking = asking.body(if method == Method::HEAD { "" } else { "{\"any\": body" });
        let answer = asking.header("x-forwarded-for", "127.0.0.2").send().await;
        assert_eq!(answer.status, 200, "{method}");
    }
    for name in ["x-api-key", "x-own-key"] {
        let asking = verifying.rest.get("/verify").header(name, &made.secret);
        let answer = asking.header("x-forwarded-for", "127.0.0.2").send().await;
        assert_eq!(answer.status, 200, "{name}");
    }
    verifying.rest.stop().await;
}

#[tokio::test]
async fn denials_are_401_and_403_by_the_table_of_verdicts() {
    let verifying = Verifying::new("denials").await;
    let made = verifying.tenant.create(verifying.key()).await;
    let missing = verifying.rest.get("/verify").send().await;
    denied(&missing, 401, NONE);
    let two = verifying.rest.get("/verify").bearer(&made.secret).header("x-api-key", "other");
    denied(&two.send().await, 401, NONE);
    denied(&verifying.ask("/verify", "kwk_live_x").await, 401, INVALID);
    let test = verifying.ask("/verify/env/test", &made.secret).await;
    denied(&test, 401, INVALID);
    let scope = verifying.ask("/verify/scope/a/any_scope/b", &made.secret).await;
    let needed = "Bearer realm=\"keyward\", error=\"insufficient_scope\", scope=\"a b\"";
    denied(&scope, 403, needed);
    let elsewhere = verifying.rest.get("/verify").bearer(&made.secret).send().await;
    denied(&elsewhere, 403, "");
    // What the query says is the client's.
    let query = verifying.ask("/verify/scope/a?scope=payment:read", &made.secret).await;
    assert_eq!(query.status, 403);
    assert_eq!(verifying.ask("/verify?scope=a&key=b", &made.secret).await.status, 200);
    verifying.tenant.revoke_key(&made.api_key.unwrap().key_id).await;
    denied(&verifying.ask("/verify", &made.secret).await, 401, INVALID);
    let text = format!("{:?}", verifying.ask("/verify", &made.secret).await);
    assert!(!text.to_lowercase().contains("revoked"), "{text}");
    verifying.rest.stop().await;
}

#[tokio::test]
async fn no_verdict_is_503_and_never_401() {
    let verifying = Verifying::new("undecided").await;
    let made = verifying.tenant.create(verifying.key()).await;
    // A path that the operator mistyped.
    for path in ["/verify/scope", "/verify/scopes/a", "/verify/env/prod", "/verify/scope/A%20B"] {
        let answer = verifying.ask(path, &made.secret).await;
        denied(&answer, 503, "");
        assert_eq!(answer.header("retry-after"), "1");
        // The service is there, and is not said to be away.
        assert_eq!(answer.json()["detail"], "no verdict can be given", "{path}");
        assert_eq!(answer.json().get("reason"), None, "{path}");
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = verifying.server.address();
    let other = verifying.server.service(&[Permission::AuditRead], &[]).await;
    for broken in [
        // The service is down; the credential is unknown, or not for this; there is none.
        verifying_settings(&verifying.folder, "anything", settings(gone)),
        verifying_settings(&verifying.folder, "unknown", settings(address)),
        verifying_settings(&verifying.folder, &other, settings(address)),
        settings(address),
    ] {
        let rest = Rest::start(broken).await;
        let answer = rest.get("/verify").bearer(&made.secret).send().await;
        denied(&answer, 503, "");
        assert_eq!(answer.header("retry-after"), "1");
        rest.stop().await;
    }
    verifying.rest.stop().await;
}

pub(crate) fn verifying_settings(folder: &TempDir, secret: &str, settings: Settings) -> Settings {
    let own = verifying(folder, secret, 0o600, settings);
    // Each reads its own.
    let path = folder.path().join(format!("of-{}", secret.len()));
    std::fs::rename(own.verify_credential_file.as_ref().unwrap(), &path).unwrap();
    Settings { verify_credential_file: Some(path), ..own }
}

#[tokio::test]
async fn a_credential_that_others_can_read_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    let gone = ([127, 0, 0, 1], 1).into();
    for (secret, mode, told) in
        [("secret-text", 0o644, "chmod 600"), ("", 0o600, "one service credential")]
    {
        let folder = TempDir::new_in(folder.path()).unwrap();
        let settings = verifying(&folder, secret, mode, settings(gone));
        let error = Config::resolve(settings).unwrap_err().to_string();
        assert!(error.starts_with("--verify-credential-file: "), "{error}");
        assert!(error.contains(told) && !error.contains("secret-text"), "{error}");
    }
    let path = Some(folder.path().join("nothing"));
    let settings = Settings { verify_credential_file: path, ..settings(gone) };
    assert!(Config::resolve(settings).unwrap_err().to_string().contains("can't read"));
}
