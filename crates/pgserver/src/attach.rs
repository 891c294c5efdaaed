//! Finding a server that already runs on a folder, for commands that want to look beside it.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::cluster::{Cluster, SUPERUSER};
use crate::error::StartError;
use crate::pidfile::PidFile;
use crate::socket::socket_path;
use crate::url::socket_url;

/// A server that somebody else owns; it is not stopped when this is dropped.
pub struct Running {
    socket_folder: PathBuf,
    port: u16,
    password: String,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Running {
    /// The URL of the superuser on the database `postgres`. Holds the password: not for logs.
    pub fn superuser_url(&self) -> String {
        self.superuser_url_of(SUPERUSER)
    }

    /// The superuser's URL of another database. Holds the password: not for logs.
    pub fn superuser_url_of(&self, database: &str) -> String {
        socket_url(&self.socket_folder, self.port, SUPERUSER, &self.password, database)
    }
}

/// The server that runs on this state folder, or `None` when none is ready there.
///
/// # Errors
/// [`StartError::NotACluster`] or [`StartError::Io`] when a cluster is there but cannot be read.
pub fn attach(folder: &Path) -> Result<Option<Running>, StartError> {
    let Some(cluster) = Cluster::find(folder)? else {
        return Ok(None);
    };
    let Some(file) = PidFile::read(cluster.files()).filter(|file| file.ready) else {
        return Ok(None);
    };
    let (Some(port), Some(socket_folder)) = (file.port, file.socket_folder) else {
        return Ok(None);
    };
    if UnixStream::connect(socket_path(&socket_folder)).is_err() {
        return Ok(None);
    }
    let password = cluster.password().to_owned();
    Ok(Some(Running { socket_folder, port, password }))
}
