//! Where things live when nobody says so. Not a configuration: the service may name other folders.

use std::path::PathBuf;

/// The two folders of a managed Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Holds the cluster, its socket, its log.
    pub state: PathBuf,
    /// Holds fetched binaries; may be deleted at any time the server is stopped.
    pub cache: PathBuf,
}

/// The default folders: `/var/lib/keyward` and `/var/cache/keyward` for root (the account that
/// Postgres runs as must be able to reach them), else the XDG folders of the user.
pub fn default_folders() -> Folders {
    if rustix::process::geteuid().is_root() {
        return Folders { state: "/var/lib/keyward".into(), cache: "/var/cache/keyward".into() };
    }
    let home = environment("HOME").unwrap_or_else(std::env::temp_dir);
    let state = environment("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
    let cache = environment("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
    Folders { state: state.join("keyward"), cache: cache.join("keyward") }
}

/// The folder for sockets of this login session, if there is one.
pub(crate) fn runtime_folder() -> Option<PathBuf> {
    environment("XDG_RUNTIME_DIR")
}

/// The folders on `PATH`, in order.
pub(crate) fn path_folders() -> Vec<PathBuf> {
    search_path().map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the places of installed programs come from PATH")]
fn search_path() -> Option<String> {
    std::env::var("PATH").ok()
}

/// An absolute folder from the environment; XDG says that relative ones are to be ignored.
#[expect(clippy::disallowed_methods, reason = "default folders follow the XDG variables")]
fn environment(name: &str) -> Option<PathBuf> {
    std::env::var(name).ok().map(PathBuf::from).filter(|path| path.is_absolute())
}
