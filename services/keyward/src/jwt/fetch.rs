//! One GET of a key set: from the one address that the table of issuers has, with nothing of a token in
//! it. A redirection is a failure, as is every status but 200.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest that it may take, from the look-up of the name to the last byte.
pub(super) const LONGEST: Duration = Duration::from_secs(5);

/// The most bytes of a key set.
pub(super) const LARGEST: usize = 256 * 1024;

/// Roots that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file is missing or is no PEM with certificates.
    #[error("can't read certificates from {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// There are none.
    #[error("there are no root certificates: name a file by ca_file")]
    None,
    /// TLS can't be set up.
    #[error("TLS can't be set up")]
    Tls(#[source] rustls::Error),
}

/// Where and how a key set is got.
pub(super) struct Remote {
    uri: Uri,
    host: String,
    port: u16,
    /// For https.
    tls: Option<TlsConnector>,
}

impl Remote {
    /// The set at this address, whose certificate leads to a root in this file, or to one of the system's.
    pub(super) fn new(uri: &Uri, roots: Option<&Path>) -> Result<Self, RootsError> {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            tls: if secure { Some(connector(roots)?) } else { None },
            uri: uri.clone(),
        })
    }

    /// Gets it.
    pub(super) async fn get(&self) -> Result<Bytes, String> {
        let late = || format!("no answer within {} s", LONGEST.as_secs());
        timeout(LONGEST, self.connect_and_get()).await.map_err(|_| late())?
    }

    async fn connect_and_get(&self) -> Result<Bytes, String> {
        let address = (self.host.as_str(), self.port);
        let stream = TcpStream::connect(address).await.map_err(|error| said(&error))?;
        let Some(tls) = &self.tls else {
            return self.ask(stream).await;
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|error| said(&error))?;
        self.ask(tls.connect(name, stream).await.map_err(|error| said(&error))?).await
    }

    async fn ask<S>(&self, stream: S) -> Result<Bytes, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let handshake = http1::Builder::new().max_headers(64).handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(|error| said(&error))?;
        let answer = async {
            let host = self.uri.authority().map_or("", http::uri::Authority::as_str);
            let path = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
            let request = Request::get(path)
                .header(header::HOST, host)
                .header(header::ACCEPT, "application/jwk-set+json, application/json")
                .header(header::USER_AGENT, "keyward")
                .header(header::CONNECTION, "close")
                .body(Empty::<Bytes>::new())
                .map_err(|error| said(&error))?;
            let response = sender.send_request(request).await.map_err(|error| said(&error))?;
            if response.status() != StatusCode::OK {
                return Err(format!("status {}", response.status().as_u16()));
            }
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
        };
        // Both in this task, so that nothing is left of it if it takes too long.
        let mut connection = std::pin::pin!(connection);
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            answer = &mut answer => answer,
            ended = &mut connection => {
                ended.map_err(|error| said(&error))?;
                answer.await
            }
        }
    }
}

/// An error with its causes, in one line.
fn said(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn connector(file: Option<&Path>) -> Result<TlsConnector, RootsError> {
    let certificates = match file {
        None => rustls_native_certs::load_native_certs().certs,
        Some(path) => CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|source| RootsError::File { path: path.to_owned(), source })?,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(RootsError::None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(RootsError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
