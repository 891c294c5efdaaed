//! The server's side of TLS from its files: by rustls on ring, 1.2 and 1.3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// PEM files for TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain, leaf first.
    pub certificate: PathBuf,
    /// Private key of the leaf.
    pub key: PathBuf,
    /// Roots that client certificates must lead to; `None` to ask for none.
    pub client_ca: Option<PathBuf>,
}

/// TLS files that can't be used: one line that says which.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or is no PEM of the right kind.
    #[error("can't read PEM from {path}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or are of a kind that is not taken.
    #[error("certificate and key can't be used")]
    Pair(#[source] rustls::Error),
    /// The roots for client certificates can't be used.
    #[error("the roots in {path} can't be used")]
    Roots {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What was in the files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What a new connection is to be shaken hands with.
    pub config: Arc<ServerConfig>,
    /// The certificate itself, without those that it leads to; `None` if there is none, with which no
    /// handshake comes to an end.
    pub leaf: Option<CertificateDer<'static>>,
}

/// Reads the files, for a server that speaks these protocols (ALPN), best first.
///
/// # Errors
/// See [`TlsError`].
pub fn load(files: &TlsFiles, protocols: &[&str]) -> Result<Loaded, TlsError> {
    let chain = certificates(&files.certificate)?;
    let leaf = chain.first().cloned();
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|source| TlsError::Pem { path: files.key.clone(), source })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let failed = |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Roots {
                path: path.clone(),
                source,
            };
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|error| failed(error.into()))?;
            }
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
                .build()
                .map_err(|error| failed(error.into()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Pair)?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    if files.client_ca.is_some() {
        // A session that is taken up again is not verified again: it would outlive its certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Loaded { config: Arc::new(config), leaf })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_tls_are_read_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut files = TlsFiles { certificate: at("cert"), key: at("key"), client_ca: None };
        let said = |files: &TlsFiles| load(files, &["h2"]).unwrap_err().to_string();
        assert!(said(&files).ends_with("/cert"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(at("cert"), made.cert.pem()).unwrap();
        assert!(said(&files).ends_with("/key"));
        std::fs::write(at("key"), made.signing_key.serialize_pem()).unwrap();
        let loaded = load(&files, &["h2", "http/1.1"]).unwrap();
        assert_eq!(loaded.leaf.as_ref(), Some(made.cert.der()));
        assert_eq!(loaded.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(loaded.config.send_tls13_tickets > 0);
        files.client_ca = Some(at("none"));
        assert!(said(&files).ends_with("/none"));
        std::fs::write(at("none"), "").unwrap();
        assert!(said(&files).starts_with("the roots in "));
        files.client_ca = Some(at("cert"));
        assert_eq!(load(&files, &["h2"]).unwrap().config.send_tls13_tickets, 0);
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(at("key"), other.signing_key.serialize_pem()).unwrap();
        assert_eq!(said(&files), "certificate and key can't be used");
    }
}
