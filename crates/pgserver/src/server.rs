//! The supervisor: from a folder and binaries to a ready server, and back to rest.
//!
//! Blocking and asynchronous forms do the same; the blocking ones are for callers without a runtime.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster::{Cluster, SUPERUSER};
use crate::error::{StartError, StopError};
use crate::launch;
use crate::lock::FolderLock;
use crate::postmaster::Postmaster;
use crate::socket::socket_folder;
use crate::url::{PORT, socket_url};
use crate::watchdog::Watchdog;

/// Whether what was committed survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync`, `full_page_writes` and `synchronous_commit` on.
    Full,
    /// All three off; for tests whose cluster nobody needs again.
    None,
}

/// Who may connect through the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// SCRAM; the superuser has a random password in a 0600 file.
    Password,
    /// Any role without a password; for tests. The socket's folder is private all the same.
    Trust,
}

/// How a server is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The state folder: cluster, socket, lock and log. Created if missing.
    pub folder: PathBuf,
    /// Default [`Durability::Full`]. Counts at each start.
    pub durability: Durability,
    /// Default [`Access::Password`]. Counts when the cluster is made.
    pub access: Access,
    /// Further settings of `postgresql.conf`, name and value; they win over ours.
    pub settings: Vec<(String, String)>,
    /// Remove the folder when the server has stopped, in whatever way. Default no.
    pub temporary: bool,
    /// How long a start may take, recovery included. Default two minutes.
    pub start_timeout: Duration,
}

impl Options {
    /// The defaults, for this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            durability: Durability::Full,
            access: Access::Password,
            settings: Vec::new(),
            temporary: false,
            start_timeout: Duration::from_secs(120),
        }
    }
}

/// A running private Postgres. Dropped without [`stop`](Self::stop), it is stopped a moment later.
#[derive(Debug)]
pub struct Server {
    binaries: Binaries,
    options: Options,
    account: Account,
    cluster: Cluster,
    socket_folder: PathBuf,
    postmaster: Postmaster,
    watchdog: Arc<Watchdog>,
    // The last to go: the folder stays ours until the watchdog has been told.
    _lock: FolderLock,
}

impl Server {
    /// Starts the server of a folder, making the cluster first if there is none. Comes back when
    /// Postgres accepts connections.
    ///
    /// # Errors
    /// [`StartError`], one line each: folder in use, other major, unreachable folder, and so on.
    pub async fn start(binaries: &Binaries, options: Options) -> Result<Self, StartError> {
        let binaries = binaries.clone();
        blocking(move || Self::start_blocking(&binaries, options)).await
    }

    /// [`start`](Self::start) for callers without a runtime.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_blocking(binaries: &Binaries, mut options: Options) -> Result<Self, StartError> {
        let account = Account::for_server()?;
        account.make_passage(&options.folder)?;
        let given = options.folder;
        options.folder = given.canonicalize().map_err(StartError::io("find", &given))?;
        let lock = FolderLock::take(&options.folder)?;
        account.check_reach(&options.folder)?;
        account.check_reach(binaries.folder())?;
        let cluster = Cluster::find_or_make(binaries, &options, &account)?;
        let socket_folder = socket_folder(&options.folder, &account)?;
        let remove = options.temporary.then_some(options.folder.as_path());
        let watchdog = Arc::new(Watchdog::start(cluster.files(), remove)?);
        let postmaster = launch::launch(&launch::Launch {
            program: binaries.postgres(),
            options: &options,
            account: &account,
            files: cluster.files(),
            socket_folder: &socket_folder,
            watchdog: &watchdog,
        })?;
        let binaries = binaries.clone();
        Ok(Self {
            binaries,
            options,
            account,
            cluster,
            socket_folder,
            postmaster,
            watchdog,
            _lock: lock,
        })
    }

    /// Starts Postgres again on the same folder after it has ended; stops it first if it has not.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart_blocking(&mut self) -> Result<(), StartError> {
        // A killed one is recovered by the start that follows.
        let _ = self.end_postmaster();
        self.postmaster = launch::launch(&launch::Launch {
            program: self.binaries.postgres(),
            options: &self.options,
            account: &self.account,
            files: self.cluster.files(),
            socket_folder: &self.socket_folder,
            watchdog: &self.watchdog,
        })?;
        Ok(())
    }

    /// Waits until Postgres has ended, whoever ended it.
    pub async fn ended(&self) -> ExitStatus {
        let mut ending = self.postmaster.ending();
        match ending.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            Err(_) => ExitStatus::default(),
        }
    }

    /// Waits, without a runtime, until Postgres has ended; `None` when the time was over first.
    pub fn ended_blocking(&self, limit: Duration) -> Option<ExitStatus> {
        self.postmaster.wait_blocking(limit)
    }

    /// Keeps the server running until `stop` is done, then stops it: a Postgres that ends by itself
    /// is started again, at first at once, later with pauses of up to five seconds. Each is logged.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub async fn supervise(self, stop: impl Future<Output = ()>) -> Result<(), StopError> {
        let mut server = self;
        let mut stop = std::pin::pin!(stop);
        let mut pause = Duration::ZERO;
        loop {
            let status = tokio::select! {
                () = &mut stop => return server.stop().await,
                status = server.ended() => status,
            };
            tracing::error!(%status, "the managed postgres ended; starting it again");
            tokio::select! {
                () = &mut stop => return server.stop().await,
                () = tokio::time::sleep(pause) => {}
            }
            let restarted;
            (server, restarted) = blocking(move || {
                let restarted = server.restart_blocking();
                (server, restarted)
            })
            .await;
            pause = match restarted {
                Ok(()) => Duration::ZERO,
                Err(error) => {
                    tracing::error!(%error, "the managed postgres did not start again");
                    (pause * 2).clamp(Duration::from_millis(100), Duration::from_secs(5))
                }
            };
        }
    }

    /// Stops the server: a fast shutdown (open transactions are rolled back), for a temporary one an
    /// immediate one. Comes back when nothing of it runs any more.
    ///
    /// # Errors
    /// [`StopError::Killed`] when it would not stop within 30 s.
    pub async fn stop(self) -> Result<(), StopError> {
        blocking(move || self.stop_blocking()).await
    }

    /// [`stop`](Self::stop) for callers without a runtime.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn stop_blocking(self) -> Result<(), StopError> {
        let ended = self.end_postmaster();
        self.watchdog.finish();
        if !self.socket_folder.starts_with(&self.options.folder) {
            // An empty folder in /tmp; the next start takes it if it stays.
            let _ = fs::remove_dir(&self.socket_folder);
        }
        ended
    }

    fn end_postmaster(&self) -> Result<(), StopError> {
        let steps = [(Signal::INT, 30), (Signal::QUIT, 10), (Signal::KILL, 10)];
        for (signal, seconds) in steps.into_iter().skip(usize::from(self.options.temporary)) {
            self.postmaster.signal(signal);
            if self.postmaster.wait_blocking(Duration::from_secs(seconds)).is_some() {
                return if signal == Signal::KILL { Err(StopError::Killed) } else { Ok(()) };
            }
        }
        Err(StopError::Killed)
    }

    /// The URL of the superuser on the database `postgres`. Holds the password: not for logs.
    pub fn superuser_url(&self) -> String {
        self.url(SUPERUSER, SUPERUSER)
    }

    /// The superuser's URL of another database. Holds the password: not for logs.
    pub fn superuser_url_of(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }

    /// A URL without password, for a role that has none or whose password the caller adds.
    pub fn url_without_password(&self, role: &str, database: &str) -> String {
        socket_url(&self.socket_folder, PORT, role, "", database)
    }

    fn url(&self, role: &str, database: &str) -> String {
        socket_url(&self.socket_folder, PORT, role, self.password(), database)
    }

    /// The folder of the Unix socket.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// The Unix socket itself.
    pub fn socket(&self) -> PathBuf {
        crate::socket::socket_path(&self.socket_folder)
    }

    /// The port that names the socket file.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        self.cluster.password()
    }

    /// The state folder.
    pub fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// Where Postgres writes its messages.
    pub fn log(&self) -> PathBuf {
        launch::log_path(&self.options.folder)
    }

    /// The binaries that run.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The process id of the postmaster; another's once it has ended.
    pub fn pid(&self) -> i32 {
        self.postmaster.pid().as_raw_pid()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("a started blocking task is never cancelled"),
        },
    }
}
