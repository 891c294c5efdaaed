//! The operator's token: one secret in a file of mode 0600, for whoever runs this deployment.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::entropy;

/// What an operator's token begins with; no credential of a tenant does.
const PREFIX: &str = "operator_";

/// Whether a text has the shape of an operator's token.
#[must_use]
pub fn resembles(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The operator's token.
pub struct OperatorToken(SecretString);

/// An operator's token that can't be had: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OperatorTokenError {
    /// There is a file already; it is never replaced.
    #[error("there is an operator token in {0} already: move it away first if you want a new one")]
    AlreadyThere(PathBuf),
    /// The file can't be read or made.
    #[error("can't read or make the operator token file {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the operator token file {0} can be read by others: run `chmod 600 {0}`")]
    Exposed(PathBuf),
    /// It holds something else.
    #[error("the operator token file {0} must hold `operator_` and at least 32 visible characters")]
    Malformed(PathBuf),
    /// No random bytes.
    #[error("no operator token can be drawn")]
    NoEntropy(#[from] vault::NoEntropy),
}

impl OperatorToken {
    /// The token in this file.
    ///
    /// # Errors
    /// The file is missing, readable by others, or holds something else.
    pub fn load(path: &Path) -> Result<Self, OperatorTokenError> {
        let failed = |source| OperatorTokenError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(OperatorTokenError::Exposed(path.to_owned()));
        }
        let mut text = Zeroizing::new(String::new());
        Read::by_ref(&mut file).take(1_024).read_to_string(&mut text).map_err(failed)?;
        let token = text.trim_end();
        let secret = token.strip_prefix(PREFIX).unwrap_or_default();
        if secret.len() < 32 || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OperatorTokenError::Malformed(path.to_owned()));
        }
        Ok(Self(token.to_owned().into()))
    }

    /// The token in this file, made if there is none.
    ///
    /// # Errors
    /// As [`OperatorToken::load`], or the file can't be made.
    pub fn load_or_make(path: &Path) -> Result<Self, OperatorTokenError> {
        match Self::make(path) {
            Err(OperatorTokenError::AlreadyThere(_)) => {}
            made => made?,
        }
        Self::load(path)
    }

    /// Makes a new token in a file of mode 0600 that does not exist yet.
    ///
    /// # Errors
    /// The file is there already, or can't be made.
    pub fn make(path: &Path) -> Result<(), OperatorTokenError> {
        let failed = |source| OperatorTokenError::File { path: path.to_owned(), source };
        let secret = entropy::secret()?;
        let mut open = OpenOptions::new();
        let opened = open.write(true).create_new(true).mode(0o600).open(path);
        let mut file = opened.map_err(|source| {
            if source.kind() == ErrorKind::AlreadyExists {
                return OperatorTokenError::AlreadyThere(path.to_owned());
            }
            failed(source)
        })?;
        let mut text = Zeroizing::new(PREFIX.as_bytes().to_vec());
        text.extend_from_slice(secret.expose());
        text.push(b'\n');
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Whether `presented` is this token. Takes the same time for every wrong one of the same shape.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        resembles(presented)
            && vault::same_secret(presented.as_bytes(), self.0.expose_secret().as_bytes())
    }

    /// The token, for the command line's own calls.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
