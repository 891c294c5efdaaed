//! What can go wrong, each as one line that says what to do.
//!
//! Only the missing of any Postgres takes three lines, since there are three ways out.

use std::io;
use std::path::PathBuf;

/// Why no usable binaries were found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing is installed, cached or could be fetched. `fetch` says why no pack was fetched.
    #[error(
        "no Postgres {needed} found here; name a server of yours: --database-url postgres://USER@HOST/NAME\n\
         or install one: apt-get install postgresql\n\
         or put {pack} into {} ({fetch})", .cache.display()
    )]
    NotFound {
        /// "15 or later", or the one major that the folder needs.
        needed: String,
        /// The pack's file name, or what kind of folder is looked for.
        pack: String,
        /// The cache folder that is searched.
        cache: PathBuf,
        /// Why no pack was fetched.
        fetch: Box<FetchError>,
    },
    /// The folder that the configuration names has no usable `postgres` and `initdb`.
    #[error("the configured Postgres folder {} is not usable: {why}", .folder.display())]
    Configured {
        /// The folder as configured.
        folder: PathBuf,
        /// What is missing or wrong there.
        why: String,
    },
}

/// Why a pack of binaries was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The caller turned fetching off.
    #[error("not fetched: --offline")]
    Offline,
    /// There is no pinned pack for this kind of machine.
    #[error("not fetched: there is no pinned pack for {0}")]
    NoPack(String),
    /// The folder needs another major than the pinned packs have.
    #[error("not fetched: the pinned packs are Postgres {0}")]
    OtherMajor(u32),
    /// Neither registry client could bring the pack.
    #[error("not fetched: npm: {npm}; pip: {pip}")]
    Clients {
        /// What npm's try came to.
        npm: String,
        /// What pip's try came to.
        pip: String,
    },
    /// The file's SHA-256 is not the pinned one; nothing of it was used.
    #[error("refused: {file} has SHA-256 {found}, pinned is {pinned}")]
    Hash {
        /// The file's name.
        file: String,
        /// Its hash, hexadecimal.
        found: String,
        /// The hash in our table.
        pinned: &'static str,
    },
    /// The pack was brought and is genuine, but could not be unpacked or run here.
    #[error("the fetched pack is not usable: {0}")]
    Unusable(String),
    /// The cache folder cannot be written.
    #[error("the cache folder {} cannot be written", .folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another Keyward holds the folder.
    #[error("another keyward{} already runs on {}; stop it or choose another folder", pid_words(.pid), .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The other's process id, when it could be read.
        pid: Option<u32>,
    },
    /// We are root, and there is no other account that Postgres could run as.
    #[error(
        "Postgres refuses to run as root and there is no user `postgres` or `nobody`; create one: useradd --system postgres"
    )]
    NoAccount,
    /// The account that Postgres runs as cannot reach a folder it needs.
    #[error("user `{account}` cannot enter {} (needed for {}); choose a folder outside of it, such as /var/lib/keyward", .closed.display(), .wanted.display())]
    Unreachable {
        /// The account's name.
        account: String,
        /// The closed folder.
        closed: PathBuf,
        /// What is behind it.
        wanted: PathBuf,
    },
    /// The cluster was made by another major.
    #[error("{} was made by Postgres {cluster}, these binaries are {binaries}; install postgresql-{cluster} or choose another folder", .folder.display())]
    OtherMajor {
        /// The folder.
        folder: PathBuf,
        /// The cluster's major.
        cluster: u32,
        /// The binaries' major.
        binaries: u32,
    },
    /// A `cluster` folder is there that is not a whole cluster of ours.
    #[error("{} is not a whole cluster: {why}; move it away or choose another folder", .folder.display())]
    NotACluster {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// `initdb` said no.
    #[error("initdb failed: {line}")]
    Initdb {
        /// Its last line.
        line: String,
    },
    /// Postgres ended while starting.
    #[error("Postgres did not start: {line} (more in {})", .log.display())]
    Refused {
        /// Its last FATAL line, or its exit status.
        line: String,
        /// The log file.
        log: PathBuf,
    },
    /// Postgres was not ready in time; it was stopped again.
    #[error("Postgres was not ready after {seconds} s (more in {})", .log.display())]
    Slow {
        /// How long was waited.
        seconds: u64,
        /// The log file.
        log: PathBuf,
    },
    /// A Postgres that nobody owns still runs on the folder and does not stop.
    #[error("a Postgres without owner (pid {pid}) runs on {} and does not stop; end it: kill -QUIT {pid}", .folder.display())]
    Orphan {
        /// Its process id.
        pid: i32,
        /// The folder.
        folder: PathBuf,
    },
    /// A fallback socket folder exists and is not privately ours.
    #[error("the socket folder {} is not ours alone; remove it or choose a folder with a shorter path", .folder.display())]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl StartError {
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

/// Why the server did not stop in the orderly way.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Postgres did not end after a fast and an immediate shutdown; it was killed. Nothing committed
    /// is lost, the next start recovers.
    #[error("Postgres did not stop in time and was killed; the next start recovers")]
    Killed,
}

fn pid_words(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
