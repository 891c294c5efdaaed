//! TLS with ALPN `h2`, and client certificates if roots for them are given. The files are read again while
//! it runs: see `certificates.rs`.

use std::sync::Arc;

use ::serving::{TlsError, TlsFiles};
use arc_swap::ArcSwap;
use rustls::ServerConfig;

use super::certificate;

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
    let loaded = ::serving::load(files, &["h2"])?;
    let expiry = loaded.leaf.as_ref().and_then(certificate::expiry);
    Ok(Loaded { config: loaded.config, expiry })
}
