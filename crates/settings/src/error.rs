//! Why a program can't run with what it was told.

use std::io;
use std::path::{Path, PathBuf};

/// A configuration that can't be used: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting has no allowed value.
    #[error("--{flag}: {rule}")]
    Setting {
        /// The flag (or TOML member) in question.
        flag: &'static str,
        /// What it must be.
        rule: String,
    },
    /// An environment variable begins like ours and is not one.
    #[error("unknown environment variable {name}: see `{help}` for those that exist")]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The command that shows which there are.
        help: &'static str,
    },
    /// A file can't be read.
    #[error("can't read {what}")]
    File {
        /// Which file.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The configuration file is not what it must be.
    #[error("the configuration file {path} is wrong: {reason}")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What the parser says, without the file's content.
        reason: String,
    },
}

impl ConfigError {
    /// The file of this path can't be read.
    #[must_use]
    pub fn file(path: &Path, source: io::Error) -> Self {
        Self::File { what: path.display().to_string(), source }
    }
}
