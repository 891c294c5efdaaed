//! How connections to Postgres are encrypted, and whom they trust.
//!
//! The words are libpq's: `disable`, `prefer`, `require` (encrypted, nobody is checked) and
//! `verify-full` (certificate chain and host name are checked). There is no `verify-ca`: a
//! certificate that is checked without its name protects from nobody.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::LogError;

/// Whether a connection is encrypted and whom it trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Encrypt if the mode says so, check nobody.
    Anyone(SslMode),
    /// Encrypt, and check the chain and the host's name.
    VerifyFull,
}

impl Trust {
    /// Reads `sslmode`.
    pub(crate) fn parse(word: &str) -> Result<Self, LogError> {
        match word {
            "disable" => Ok(Self::Anyone(SslMode::Disable)),
            "prefer" => Ok(Self::Anyone(SslMode::Prefer)),
            "require" => Ok(Self::Anyone(SslMode::Require)),
            "verify-full" => Ok(Self::VerifyFull),
            other => Err(LogError::configuration(format!(
                "sslmode is one of disable, prefer, require, verify-full, not {other:?}"
            ))),
        }
    }

    pub(crate) fn mode(self) -> SslMode {
        match self {
            Self::Anyone(mode) => mode,
            Self::VerifyFull => SslMode::Require,
        }
    }

    /// The connector for this trust; `roots` is a PEM file, without it the system's roots count.
    pub(crate) fn connector(self, roots: Option<&Path>) -> Result<MakeRustlsConnect, LogError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| LogError::configuration(format!("TLS: {error}")))?;
        let config = match self {
            Self::Anyone(_) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth(),
            Self::VerifyFull => {
                builder.with_root_certificates(load_roots(roots)?).with_no_client_auth()
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }
}

fn load_roots(file: Option<&Path>) -> Result<RootCertStore, LogError> {
    let certificates = match file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| {
                LogError::configuration(format!("root certificates in {}: {error}", file.display()))
            })?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(LogError::configuration(
            "sslmode=verify-full needs root certificates: none found, name a file by sslrootcert",
        ));
    }
    Ok(roots)
}

/// Accepts any certificate, but still proves that the peer holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
