//! What the gateway proves itself with, each in a file that nobody else may read: service credentials with
//! the one permission that is needed, and the secret by which the service knows that it is a gateway who
//! calls.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ::settings::{ConfigError, refuse};
use http::HeaderValue;

/// The least characters of the secret that gateway and service have.
const SHORTEST: usize = 32;

/// A secret. Never shown.
#[derive(Clone)]
pub struct Secret(HeaderValue);

impl Secret {
    /// A service credential; none if the text can be no credential.
    #[must_use]
    pub fn credential(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self::header_of(&format!("Bearer {text}"))).flatten()
    }

    /// What gateway and service have; none if it is too short to be a secret.
    #[must_use]
    pub fn shared(text: &str) -> Option<Self> {
        let visible = text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self::header_of(text)).flatten()
    }

    fn header_of(text: &str) -> Option<Self> {
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// As the service takes it.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

/// Reads a service credential from its file, which this flag names.
///
/// # Errors
/// It is not there, others may read it, or it can be no credential.
pub(crate) fn load_credential(flag: &'static str, path: &Path) -> Result<Secret, ConfigError> {
    let text = load(flag, path)?;
    Secret::credential(text.trim())
        .ok_or_else(|| refuse(flag, "the file must have one service credential in it"))
}

/// Reads the secret that the service has as well: the first line, as a second one is for the service.
///
/// # Errors
/// It is not there, others may read it, or it is too short.
pub(crate) fn load_shared(path: &Path) -> Result<Secret, ConfigError> {
    let flag = "gateway-secret-file";
    let text = load(flag, path)?;
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Secret::shared(first).ok_or_else(|| {
        refuse(flag, "the file must have one secret of at least 32 visible characters in it")
    })
}

fn load(flag: &'static str, path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::file(path, source);
    if std::fs::metadata(path).map_err(failed)?.mode() & 0o077 != 0 {
        return Err(refuse(flag, "others must have no access to the file: chmod 600"));
    }
    std::fs::read_to_string(path).map_err(failed)
}
