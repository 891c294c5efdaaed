//! Keys of identity providers over https: whom the service trusts, and how long it waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::v1::ErrorReason;
use harness::{IdentityProvider, Refused, Server, Site, Tenant, key_set};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const SOON: Duration = Duration::from_secs(30);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A web server with a certificate for `name` by this authority, that answers with one body.
async fn web(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, body: String) -> u16 {
    let pair = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&pair, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(pair.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

struct Scene {
    provider: IdentityProvider,
    server: Server,
    tenant: Tenant,
    _site: Site,
}

impl Scene {
    /// With the keys at this address, and these roots for it.
    async fn new(url: &str, roots: Option<&CertifiedIssuer<'static, KeyPair>>) -> Self {
        Self::of(IdentityProvider::new("corp", "ES256"), url, roots).await
    }

    async fn of(
        provider: IdentityProvider,
        url: &str,
        roots: Option<&CertifiedIssuer<'static, KeyPair>>,
    ) -> Self {
        let site = Site::new().await;
        let (table, file) =
            (site.folder.path().join("https.toml"), site.folder.path().join("ca.pem"));
        let mut members = format!("jwks_url = \"{url}\"\nrefresh_s = 1\ncool_down_s = 1");
        if let Some(roots) = roots {
            std::fs::write(&file, roots.pem()).unwrap();
            members.push_str(&format!("\nca_file = {:?}", file.to_str().unwrap()));
        }
        std::fs::write(&table, provider.row(&members)).unwrap();
        let mut config = site.config(site.url());
        config.jwt_issuers = Some(table);
        let server = Server::start_with(config, site.operator_token()).await;
        let tenant = server.workspace("users").await;
        Self { provider, server, tenant, _site: site }
    }

    async fn refused(&self) -> Option<ErrorReason> {
        let token = self.provider.token(&self.tenant, "owner");
        let listed = self.server.bearer(&token).keys.list_api_keys(self.tenant.list()).await;
        if listed.is_ok() { None } else { Some(listed.refused().reason) }
    }
}

const UNAVAILABLE: Option<ErrorReason> = Some(ErrorReason::IdentityProviderUnavailable);

#[tokio::test]
async fn keys_come_from_a_server_whose_certificate_leads_to_the_named_roots_and_from_no_other() {
    let (ours, other) = (authority(), authority());
    let provider = IdentityProvider::new("corp", "ES256");
    let keys = key_set(&[provider.key.jwk()]);
    let port = web(&ours, "localhost", keys.clone()).await;
    let url = format!("https://localhost:{port}/jwks.json");
    let trusted = Scene::of(provider, &url, Some(&ours)).await;
    eventually("the keys are there", SOON, async || trusted.refused().await.is_none()).await;

    let elsewhere = web(&ours, "elsewhere.example", keys).await;
    for (url, roots, what) in [
        (url.clone(), &other, "another authority"),
        (format!("https://localhost:{elsewhere}/jwks.json"), &ours, "another name"),
    ] {
        let scene = Scene::new(&url, Some(roots)).await;
        // Each waits for a look of its own.
        for _ in 0..3 {
            assert_eq!(scene.refused().await, UNAVAILABLE, "{what}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_given_up_and_hinders_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", silent.local_addr().unwrap());
    let scene = Scene::new(&url, None).await;
    let began = Instant::now();
    let waiting = async {
        assert_eq!(scene.refused().await, UNAVAILABLE);
        began.elapsed()
    };
    let meanwhile = async {
        scene.tenant.create_key("others go on").await;
        began.elapsed()
    };
    let (waited, went_on) = tokio::join!(waiting, meanwhile);
    assert!(waited < Duration::from_secs(15), "{waited:?}");
    assert!(went_on < waited, "{went_on:?} {waited:?}");
}
