//! What the gateway proves itself with when it asks on its own behalf, for verdicts above all: a service
//! credential with the one permission that this needs, in a file that nobody else may read.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use http::HeaderValue;

use crate::config::ConfigError;

/// The credential. Never shown.
#[derive(Clone)]
pub struct Secret(HeaderValue);

impl Secret {
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

/// Reads the credential from its file, which this flag names.
///
/// # Errors
/// It is not there, others may read it, or it can be no credential.
pub(crate) fn load(flag: &'static str, path: &Path) -> Result<Secret, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    let wrong = |rule: &str| ConfigError::Setting { flag, rule: rule.to_owned() };
    if std::fs::metadata(path).map_err(failed)?.mode() & 0o077 != 0 {
        return Err(wrong("others must have no access to the file: chmod 600"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let secret = text.trim();
    if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("the file must have one service credential in it"));
    }
    let mut header = HeaderValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| wrong("the file must have one service credential in it"))?;
    header.set_sensitive(true);
    Ok(Secret(header))
}
