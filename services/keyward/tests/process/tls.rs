//! TLS and mutual TLS by flags, with certificates made for the test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::child::Keyward;
use crate::client::{Client, Tenant};
use crate::deployment::Deployment;

/// An authority that signs certificates.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct Leaf {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn sign(&self, name: &str) -> Leaf {
        self.sign_as(name, |_| {})
    }

    /// A certificate of a client with these URIs among its names.
    pub(crate) fn identify(&self, uris: &[&str]) -> Leaf {
        let uri = |uri: &&str| SanType::URI((*uri).try_into().unwrap());
        self.sign_as("a client", |params| params.subject_alt_names.extend(uris.iter().map(uri)))
    }

    /// A certificate with something about it.
    pub(crate) fn sign_as(&self, name: &str, with: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        with(&mut params);
        Leaf { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    /// A client that trusts this authority and shows a certificate, if it has one.
    pub(crate) fn client(&self, shown: Option<&Leaf>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shown {
            None => builder.with_no_client_auth(),
            Some(leaf) => {
                let key = PrivatePkcs8KeyDer::from(leaf.key.serialize_der());
                let chain = vec![leaf.certificate.der().clone()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key)).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// A deployment that serves TLS.
pub(crate) struct Scene {
    pub(crate) deployment: Deployment,
    pub(crate) authority: Authority,
    pub(crate) tenant: Tenant,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let deployment = Deployment::new().await;
        let tenant = deployment.tenant().await;
        let scene = Self { deployment, authority: Authority::new(), tenant };
        let leaf = scene.authority.sign("localhost");
        scene.write("server.pem", &leaf.certificate.pem());
        scene.write("server.key", &leaf.key.serialize_pem());
        scene
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.deployment.file(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(crate) async fn serve(&self, flags: &[&str]) -> Keyward {
        let files = ["server.pem", "server.key"].map(|name| self.deployment.file(name));
        let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
        let pair = ["--tls-cert", certificate, "--tls-key", key];
        self.deployment.serve(&[&pair, flags].concat()).await
    }

    pub(crate) fn client(&self, address: SocketAddr, config: ClientConfig) -> Client {
        Client::over(encrypted(address, config), &self.tenant)
    }
}

pub(crate) fn encrypted(address: SocketAddr, config: ClientConfig) -> Channel {
    let connector = TlsConnector::from(Arc::new(config));
    let connect = service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let socket = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, socket).await.map(TokioIo::new)
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect)
}

#[tokio::test]
async fn tls_serves_those_who_trust_it_and_nobody_else() {
    let scene = Scene::new().await;
    let keyward = scene.serve(&[]).await;
    let address = keyward.address();
    assert!(keyward.out().contains("(TLS, "), "{}", keyward.out());

    let mut trusting = scene.client(address, scene.authority.client(None));
    let key = trusting.create(trusting.plain_key()).await.unwrap().secret;
    trusting.assert_accepted(&key).await;

    let mut distrusting = scene.client(address, Authority::new().client(None));
    let refused = distrusting.verify(&key).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");

    let mut plain = Client::new(address, &scene.tenant);
    plain.verify(&key).await.expect_err("plain text is not understood");
    trusting.assert_accepted(&key).await;
}

#[tokio::test]
async fn mutual_tls_serves_only_clients_with_a_certificate_of_the_authority() {
    let scene = Scene::new().await;
    let clients = Authority::new();
    let roots = scene.write("clients.pem", &clients.0.pem());
    let keyward = scene.serve(&["--tls-client-ca", roots.to_str().unwrap()]).await;
    let address = keyward.address();

    let own = clients.sign("a client");
    let mut known = scene.client(address, scene.authority.client(Some(&own)));
    let key = known.create(known.plain_key()).await.unwrap().secret;
    let foreign = Authority::new().sign("a client");
    for shown in [None, Some(&foreign)] {
        let mut unknown = scene.client(address, scene.authority.client(shown));
        unknown.verify(&key).await.expect_err("nobody vouches for this client");
    }
    known.assert_accepted(&key).await;
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_its_key_is_refused_with_one_line() {
    let scene = Scene::new().await;
    let other = scene.authority.sign("localhost").key.serialize_pem();
    for (content, said) in [(other.as_str(), "certificate and key"), ("", "server.key")] {
        scene.write("server.key", content);
        let files = ["server.pem", "server.key"].map(|name| scene.deployment.file(name));
        let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
        let flags = ["--tls-cert", certificate, "--tls-key", key];
        let refused = scene.deployment.start(&flags).await.finish().await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.lines().last().unwrap().contains(said), "{}", refused.err);
        assert_eq!(refused.out, "");
    }
}

/// The lines to paste fit the listener.
#[tokio::test]
async fn the_banner_of_a_tls_listener_does_not_tell_grpcurl_to_speak_plaintext() {
    let scene = Scene::new().await;
    let embedded = crate::embedded::Embedded::new();
    let files = ["server.pem", "server.key"].map(|name| scene.deployment.file(name));
    let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
    let keyward = embedded.start(&["--tls-cert", certificate, "--tls-key", key]).up().await;
    let banner = keyward.out();
    assert!(banner.contains("grpcurl ") && !banner.contains("-plaintext"), "{banner}");
    keyward.stop().await;
}
