//! The embedded default: a folder and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, test_kill_process};
use testkit::eventually;

use crate::child::{ANYWHERE, Finished, Keyward, PATIENCE, command, run};

/// A folder that Keyward keeps everything in. What still runs in it is waited for when it goes.
pub(crate) struct Embedded {
    folder: tempfile::TempDir,
}

impl Embedded {
    pub(crate) fn new() -> Self {
        Self { folder: fresh_folder() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn flags(&self) -> [&str; 2] {
        ["--folder", self.folder().to_str().unwrap()]
    }

    /// Starts the service and waits until it serves.
    pub(crate) async fn serve(&self) -> Keyward {
        self.start(&[]).up().await
    }

    /// Starts the service.
    pub(crate) fn start(&self, flags: &[&str]) -> Keyward {
        Keyward::start(self.serving(flags))
    }

    /// The command that starts the service.
    pub(crate) fn serving(&self, flags: &[&str]) -> Command {
        command(&[&ANYWHERE, &self.flags()[..], flags].concat(), &[])
    }

    /// What runs and names this folder on its command line.
    pub(crate) fn at_work(&self) -> Vec<String> {
        let folder = self.folder().to_str().unwrap();
        let listed = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = listed.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(folder)).collect()
    }

    /// Runs a command on the folder.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Finished {
        run(&[&self.flags()[..], arguments].concat(), &[]).await
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.folder().join("cluster/files/postmaster.pid")
    }

    /// The id of its Postgres.
    pub(crate) fn postmaster(&self) -> Pid {
        let text = std::fs::read_to_string(self.pid_file()).expect("Postgres runs");
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
    }

    /// Whether its Postgres has left no trace of itself.
    pub(crate) fn postgres_is_gone(&self, pid: Pid) -> bool {
        !self.pid_file().exists() && test_kill_process(pid).is_err()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // After a failed test the watchdog is still at it; the folder must not go before.
        let begun = std::time::Instant::now();
        while self.pid_file().exists() && begun.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
    }
}

/// Waits until the Postgres that had this id is gone.
pub(crate) async fn postgres_goes(embedded: &Embedded, pid: Pid) {
    eventually("Postgres is gone", PATIENCE, async || embedded.postgres_is_gone(pid)).await;
}

/// A folder that the account of Postgres may pass through. Its name begins as testkit's do, so that
/// what is left running in it is found.
pub(crate) fn fresh_folder() -> tempfile::TempDir {
    let prefix = format!("kwtest-{}-", std::process::id());
    let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    tempfile::Builder::new().prefix(&prefix).permissions(passable).tempdir().unwrap()
}
