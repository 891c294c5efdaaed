//! Files that change while the gateway runs: the credential of `/verify`, and the certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::v1::Permission;
use gateway::config::Settings;
use harness::Server;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tempfile::TempDir;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::echo::Echo;
use crate::rest::{Rest, settings};
use crate::verify::Verifying;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_new_credential_is_taken_and_one_that_can_not_be_used_is_not() {
    let server = Server::shared().await;
    let verifying = Verifying::before(server, "reloaded", Settings::default()).await;
    let key = verifying.tenant.create(verifying.key()).await.secret;
    let status = async || {
        let asking = verifying.rest.get("/verify").bearer(&key);
        asking.header("x-forwarded-for", "127.0.0.2").send().await.status.as_u16()
    };
    assert_eq!(status().await, 200);
    let file = verifying.folder.path().join("credential");
    // In its place: the mode stays.
    std::fs::write(&file, "unknown").unwrap();
    eventually("the wrong one is taken", PATIENCE, async || status().await == 503).await;
    let next = verifying.server.service(&[Permission::Verify], &[]).await;
    std::fs::write(&file, &next).unwrap();
    eventually("the new one is taken", PATIENCE, async || status().await == 200).await;
    // What is no credential leaves the one before, also when it is asked to be read.
    std::fs::write(&file, "no credential").unwrap();
    verifying.rest.gateway.as_ref().unwrap().reload();
    assert_eq!(status().await, 200);
    std::fs::remove_file(&file).unwrap();
    verifying.rest.gateway.as_ref().unwrap().reload();
    assert_eq!(status().await, 200);
    verifying.rest.stop().await;
}

/// A certificate for localhost and its key, in files; the certificate.
fn certificate(folder: &Path) -> rustls_pki_types::CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// Whether a new client that trusts this certificate alone is answered.
async fn answered(rest: &Rest, trusted: &rustls_pki_types::CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(rest.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let Ok(mut stream) = connector.connect(name, stream).await else {
        return false;
    };
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut read = Vec::new();
    // It need not say goodbye.
    let _ = stream.read_to_end(&mut read).await;
    read.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn a_new_certificate_is_taken_by_new_connections() {
    let (folder, echo) = (TempDir::new().unwrap(), Echo::start().await);
    let first = certificate(folder.path());
    let rest = Rest::start(Settings {
        tls_cert: Some(folder.path().join("cert.pem")),
        tls_key: Some(folder.path().join("key.pem")),
        ..settings(echo.address)
    })
    .await;
    assert!(answered(&rest, &first).await);
    let second = certificate(folder.path());
    eventually("the new one is shown", PATIENCE, async || answered(&rest, &second).await).await;
    assert!(!answered(&rest, &first).await);
    std::fs::write(folder.path().join("cert.pem"), "no certificate").unwrap();
    rest.gateway.as_ref().unwrap().reload();
    assert!(answered(&rest, &second).await, "what can't be used is not taken");
    rest.stop().await;
}
