//! Keys of identity providers: how they come and go, and what happens when they can't be got.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::v1::ErrorReason;
use harness::{IdentityProvider, Refused, Server, SigningKey, Site, Tenant, key_set};
use serde_json::{Value, json};
use testkit::eventually;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(30);

/// What a web server answers, and how often it was asked.
#[derive(Default)]
struct Page {
    body: std::sync::Mutex<(u16, String)>,
    asked: AtomicUsize,
}

impl Page {
    fn says(&self, status: u16, body: impl Into<String>) {
        *self.body.lock().unwrap() = (status, body.into());
    }

    fn has(&self, keys: &[&SigningKey]) {
        self.says(200, key_set(&keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A web server on loopback that answers every request with one page.
async fn web() -> (Arc<Page>, String) {
    let page = Arc::new(Page::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let served = Arc::clone(&page);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let page = Arc::clone(&served);
            tokio::spawn(async move { answer(stream, &page).await });
        }
    });
    (page, url)
}

async fn answer(stream: tokio::net::TcpStream, page: &Page) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|length| length > 2) {
        line.clear();
    }
    page.asked.fetch_add(1, Ordering::SeqCst);
    let (status, body) = page.body.lock().unwrap().clone();
    let length = body.len();
    // A redirection would lead back here, and be counted.
    let head =
        format!("HTTP/1.1 {status} -\r\nlocation: /elsewhere\r\ncontent-length: {length}\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A deployment with one provider.
struct Scene {
    provider: IdentityProvider,
    server: Server,
    tenant: Tenant,
    _site: Site,
}

impl Scene {
    /// With these members in the provider's row.
    async fn new(provider: IdentityProvider, members: &str) -> Self {
        let site = Site::new().await;
        let table = site.folder.path().join("one-issuer.toml");
        std::fs::write(&table, provider.row(members)).unwrap();
        let mut config = site.config(site.url());
        config.jwt_issuers = Some(table);
        let server = Server::start_with(config, site.operator_token()).await;
        let tenant = server.workspace("users").await;
        Self { provider, server, tenant, _site: site }
    }

    /// What becomes of a token that this key signs: `None` if it is taken.
    async fn refused(&self, key: &SigningKey) -> Option<ErrorReason> {
        let token = key.token(&self.provider.claims(&self.tenant.id, "member"));
        let listed = self.server.bearer(&token).keys.list_api_keys(self.tenant.list()).await;
        if listed.is_ok() { None } else { Some(listed.refused().reason) }
    }

    async fn eventually(&self, what: &str, key: &SigningKey, refused: Option<ErrorReason>) {
        eventually(what, SOON, async || self.refused(key).await == refused).await;
    }
}

fn provider() -> IdentityProvider {
    IdentityProvider::new("corp", "EdDSA")
}

fn stranger(kid: &str) -> SigningKey {
    SigningKey::new("EdDSA", kid)
}

const INVALID: Option<ErrorReason> = Some(ErrorReason::CredentialInvalid);
const UNAVAILABLE: Option<ErrorReason> = Some(ErrorReason::IdentityProviderUnavailable);

#[tokio::test]
async fn a_key_that_is_added_is_found_by_the_first_token_that_names_it() {
    let ((page, url), provider) = (web().await, provider());
    page.has(&[&provider.key]);
    let scene = Scene::new(provider, &format!("jwks_url = \"{url}\"")).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    let new = stranger("corp-2");
    page.has(&[&scene.provider.key, &new]);
    assert_eq!(scene.refused(&new).await, None);
    assert_eq!(scene.refused(&scene.provider.key).await, None);
}

#[tokio::test]
async fn a_key_that_is_removed_is_refused_after_the_next_look() {
    let ((page, url), provider) = (web().await, provider());
    let next = stranger("corp-2");
    page.has(&[&provider.key, &next]);
    let scene = Scene::new(provider, &format!("jwks_url = \"{url}\"\nrefresh_s = 1")).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    page.has(&[&next]);
    scene.eventually("the old key is gone", &scene.provider.key, INVALID).await;
    assert_eq!(scene.refused(&next).await, None);
}

#[tokio::test]
async fn forged_key_ids_cause_one_look_a_cool_down() {
    let ((page, url), provider) = (web().await, provider());
    page.has(&[&provider.key]);
    let scene = Scene::new(provider, &format!("jwks_url = \"{url}\"")).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    let before = page.asked();
    let forged: Vec<_> = (0..40).map(|n| stranger(&format!("forged-{n}"))).collect();
    let all = futures_util::future::join_all(forged.iter().map(|key| scene.refused(key))).await;
    assert!(all.iter().all(|refused| *refused == INVALID), "{all:?}");
    for key in &forged {
        assert_eq!(scene.refused(key).await, INVALID);
    }
    assert_eq!(page.asked() - before, 1);
    // What is refused for another reason causes none.
    let mut claims = scene.provider.claims(&scene.tenant.id, "owner");
    claims["exp"] = json!(1);
    let mut expired = scene.server.bearer(&stranger("forged").token(&claims)).keys;
    let refused = expired.list_api_keys(scene.tenant.list()).await.refused();
    assert_eq!(refused.reason, ErrorReason::CredentialInvalid);
    assert_eq!(page.asked() - before, 1);
}

#[tokio::test]
async fn without_keys_nothing_is_said_of_a_token() {
    let ((page, url), provider) = (web().await, provider());
    page.says(503, "");
    let members = format!("jwks_url = \"{url}\"\nrefresh_s = 1\ncool_down_s = 1");
    let scene = Scene::new(provider, &members).await;
    let key = &scene.provider.key;
    assert_eq!(scene.refused(key).await, Some(ErrorReason::IdentityProviderUnavailable));
    assert_eq!(scene.refused(&stranger("forged")).await, UNAVAILABLE);
    // What is wrong with it without any key is said all the same.
    let mut claims = scene.provider.claims(&scene.tenant.id, "owner");
    claims["aud"] = json!("somebody");
    let mut user = scene.server.bearer(&key.token(&claims)).keys;
    let refused = user.list_api_keys(scene.tenant.list()).await.refused();
    assert_eq!(refused.reason, ErrorReason::CredentialInvalid);
    scene.tenant.create_key("others go on").await;
    page.has(&[key]);
    scene.eventually("the provider is back", key, None).await;
}

#[tokio::test]
async fn while_a_provider_is_away_its_last_keys_count_and_others_may() {
    let ((page, url), provider) = (web().await, provider());
    page.has(&[&provider.key]);
    let members = format!("jwks_url = \"{url}\"\nrefresh_s = 1\ncool_down_s = 1");
    let scene = Scene::new(provider, &members).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    page.says(500, "");
    let unknown = stranger("corp-2");
    scene.eventually("it can't be asked", &unknown, UNAVAILABLE).await;
    assert_eq!(scene.refused(&scene.provider.key).await, None);
    page.has(&[&scene.provider.key]);
    scene.eventually("it can be asked", &unknown, INVALID).await;
}

#[tokio::test]
async fn keys_that_are_too_old_are_not_relied_on() {
    let ((page, url), provider) = (web().await, provider());
    page.has(&[&provider.key]);
    let members = format!("jwks_url = \"{url}\"\nrefresh_s = 1\nstale_after_s = 3");
    let scene = Scene::new(provider, &members).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    page.says(500, "");
    scene.eventually("too old", &scene.provider.key, UNAVAILABLE).await;
    page.has(&[&scene.provider.key]);
    scene.eventually("new again", &scene.provider.key, None).await;
}

/// Sets that are refused as a whole.
fn bad_sets(key: &SigningKey) -> Vec<(&'static str, u16, String)> {
    let changed = |member: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk[member] = value;
        key_set(&[jwk])
    };
    let hundred: Vec<_> = (0..100).map(|n| stranger(&n.to_string()).jwk()).collect();
    let twice = format!("{{\"keys\":[],{}", &key_set(&[key.jwk()])[1..]);
    let large = json!({"keys": [key.jwk()], "x": "x".repeat(300_000)}).to_string();
    vec![
        ("100 keys", 200, key_set(&[&hundred[..], &[key.jwk()]].concat())),
        ("a private key", 200, changed("d", json!("AAAA"))),
        ("a shared key", 200, key_set(&[json!({"kty": "oct", "k": "AAAA"}), key.jwk()])),
        ("one kid twice", 200, key_set(&[key.jwk(), key.jwk()])),
        ("for encryption", 200, changed("use", json!("enc"))),
        ("for signing only", 200, changed("key_ops", json!(["sign"]))),
        ("of another algorithm", 200, changed("alg", json!("ES256"))),
        ("of another curve", 200, changed("crv", json!("Ed448"))),
        ("of another kind", 200, changed("kty", json!("EC"))),
        ("too short", 200, changed("x", json!("AAAA"))),
        ("no keys", 200, key_set(&[])),
        ("keys twice", 200, twice),
        ("more than 256 KiB", 200, large),
        ("no JSON", 200, "<html>".to_owned()),
        ("a redirection", 302, key_set(&[key.jwk()])),
        ("no content", 204, String::new()),
    ]
}

#[tokio::test]
async fn a_bad_key_set_is_refused_whole_and_the_last_good_one_stays() {
    let ((page, url), provider) = (web().await, provider());
    page.has(&[&provider.key]);
    let members = format!("jwks_url = \"{url}\"\nrefresh_s = 1\ncool_down_s = 1");
    let scene = Scene::new(provider, &members).await;
    scene.eventually("the first set is there", &scene.provider.key, None).await;
    let new = stranger("corp-2");
    for (what, status, body) in bad_sets(&new) {
        let before = page.asked();
        page.says(status, body);
        eventually("two looks", SOON, async || page.asked() >= before + 2).await;
        assert_eq!(scene.refused(&scene.provider.key).await, None, "{what}");
        assert_eq!(scene.refused(&new).await, UNAVAILABLE, "{what}");
    }
    page.has(&[&new]);
    scene.eventually("a good set is taken", &new, None).await;
    scene.eventually("and takes the place of the last", &scene.provider.key, INVALID).await;
}

#[tokio::test]
async fn a_file_that_changes_is_read_again() {
    let provider = provider();
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("jwks.json");
    std::fs::write(&file, key_set(&[provider.key.jwk()])).unwrap();
    let members = format!("jwks_file = {:?}\nrefresh_s = 1", file.to_str().unwrap());
    let scene = Scene::new(provider, &members).await;
    assert_eq!(scene.refused(&scene.provider.key).await, None);
    let next = stranger("corp-2");
    std::fs::write(&file, key_set(&[next.jwk()])).unwrap();
    assert_eq!(scene.refused(&next).await, None, "an unknown key has the file read at once");
    assert_eq!(scene.refused(&scene.provider.key).await, INVALID);
    let third = stranger("corp-3");
    std::fs::write(&file, key_set(&[third.jwk()])).unwrap();
    scene.eventually("it is read in turn", &third, None).await;
    std::fs::write(&file, "not any more").unwrap();
    scene.eventually("a broken file is no set", &next, UNAVAILABLE).await;
    assert_eq!(scene.refused(&third).await, None, "the last good set stays");
}
