//! Where a key set comes from: a file or an address. Both are read whole and bounded.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::fetch::{LARGEST, Remote, RootsError};
use super::settings::Place;

/// Where a key set comes from.
pub(super) enum Source {
    /// A file. It is read at each look: modification times are too coarse to be told by.
    File(PathBuf),
    /// An address.
    Remote(Box<Remote>),
}

impl Source {
    /// Of this place.
    pub(super) fn of(place: &Place) -> Result<Self, RootsError> {
        Ok(match place {
            Place::File(path) => Self::File(path.clone()),
            Place::Url { uri, roots } => {
                Self::Remote(Box::new(Remote::new(uri, roots.as_deref())?))
            }
        })
    }

    /// The text of the set as it is now.
    pub(super) async fn read(&self) -> Result<Bytes, String> {
        match self {
            Self::File(path) => file(path).await,
            Self::Remote(remote) => remote.get().await,
        }
    }
}

async fn file(path: &Path) -> Result<Bytes, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let opened = tokio::fs::File::open(path).await.map_err(failed)?;
    opened.take(LARGEST as u64 + 1).read_to_end(&mut text).await.map_err(failed)?;
    if text.len() > LARGEST {
        return Err(format!("{}: more than {LARGEST} bytes", path.display()));
    }
    Ok(text.into())
}
