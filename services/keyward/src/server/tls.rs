//! TLS by rustls on ring: 1.2 and 1.3, ALPN `h2`, client certificates if roots for them are given. The
//! files are read again while it runs: see `certificates.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate;
use crate::config::TlsFiles;

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

/// The server's side of TLS as the files have it by now.
pub struct Tls {
    pub(super) files: TlsFiles,
    pub(super) current: ArcSwap<Loaded>,
}

/// The server's side of TLS as some files had it once.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    /// The end of the leaf, in seconds of the Unix epoch, if it can be told.
    pub(super) expiry: Option<u64>,
}

impl Tls {
    /// The server's side of TLS with these files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let loaded = load(files)?;
        Ok(Self { files: files.clone(), current: ArcSwap::from_pointee(loaded) })
    }

    /// What a new connection is to be shaken hands with.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }
}

/// Reads the files.
///
/// # Errors
/// See [`TlsError`].
pub(super) fn load(files: &TlsFiles) -> Result<Loaded, TlsError> {
    let chain = certificates(&files.certificate)?;
    let expiry = chain.first().and_then(certificate::expiry);
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
    config.alpn_protocols = vec![b"h2".to_vec()];
    if files.client_ca.is_some() {
        // A session that is taken up again is not verified again: it would outlive its certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Loaded { config: Arc::new(config), expiry })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}
