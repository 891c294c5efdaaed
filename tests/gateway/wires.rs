//! HTTP/1.1 and HTTP/2 on one port, plain and by TLS.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gateway::config::Settings;
use gateway::{Config, Gateway};
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use telemetry::Telemetry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::echo::Echo;
use crate::rest::{Rest, settings};

fn question() -> Request<Full<Bytes>> {
    let request = Request::builder().uri("http://localhost/healthz").header("host", "localhost");
    request.body(Full::default()).unwrap()
}

/// Asks twice over one connection; answers with the version that was spoken.
async fn ask_twice<S>(stream: S, http2: bool) -> Version
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut version = Version::HTTP_09;
    if http2 {
        let executor = TokioExecutor::new();
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..2 {
            let answer = client.send_request(question()).await.unwrap();
            assert_eq!(answer.status(), 200);
            version = answer.version();
        }
    } else {
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..2 {
            client.ready().await.unwrap();
            let answer = client.send_request(question()).await.unwrap();
            assert_eq!(answer.status(), 200);
            version = answer.version();
            answer.into_body().collect().await.unwrap();
        }
    }
    version
}

#[tokio::test]
async fn both_versions_are_spoken_on_one_plain_port() {
    let rest = Rest::shared().await;
    for (http2, version) in [(false, Version::HTTP_11), (true, Version::HTTP_2)] {
        let stream = TcpStream::connect(rest.address).await.unwrap();
        assert_eq!(ask_twice(stream, http2).await, version);
    }
}

#[tokio::test]
async fn both_versions_are_agreed_on_by_tls() {
    let echo = Echo::start().await;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| -> Option<PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let config = Config::resolve(Settings {
        tls_cert: file("cert.pem", made.cert.pem()),
        tls_key: file("key.pem", made.signing_key.serialize_pem()),
        ..settings(echo.address)
    });
    let gateway = Gateway::start(config.unwrap(), &Telemetry::for_tests()).await.unwrap();
    for (agreed, version) in [("http/1.1", Version::HTTP_11), ("h2", Version::HTTP_2)] {
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![agreed.as_bytes().to_vec()];
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
        assert_eq!(ask_twice(stream, agreed == "h2").await, version);
    }
    gateway.stop().await;
}

#[test]
fn a_plain_listener_for_others_needs_a_word() {
    let settings = || Settings { listen: Some(([0, 0, 0, 0], 0).into()), ..Settings::default() };
    let refused = Config::resolve(settings()).unwrap_err().to_string();
    assert!(refused.starts_with("--listen: "), "{refused}");
    assert!(Config::resolve(Settings { plaintext: Some(true), ..settings() }).is_ok());
}
