//! A server that keeps its promises to the disk, for tests that kill it.

use std::path::PathBuf;
use std::time::Duration;

use pgserver::{Durability, Server};
use rustix::process::{Pid, Signal, kill_process};

use crate::folder;
use crate::postgres::{options, owned, start};

/// A server of this test's own, with `fsync` on, which can be killed and started again. It ends, and
/// its folder is removed, when this is dropped or the test binary ends.
#[derive(Debug)]
pub struct DurableServer {
    server: Server,
}

/// Starts a durable server. Takes about a second.
pub async fn durable_server() -> DurableServer {
    durable_server_at(folder::on_disk(), &[]).await
}

/// A durable server in this folder, with these settings beside the usual ones.
pub(crate) async fn durable_server_at(folder: PathBuf, settings: &[(&str, &str)]) -> DurableServer {
    let mut options = options(folder);
    options.durability = Durability::Full;
    options.settings.extend(owned(settings));
    DurableServer { server: away(move || start(options)).await }
}

impl DurableServer {
    /// The superuser's URL of the database `postgres`.
    pub fn url(&self) -> String {
        self.url_as("postgres", "postgres")
    }

    /// The URL of a role on a database; every role gets in without a password.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        self.server.url_without_password(role, database)
    }

    /// The server, for what else is to be known of it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Kills the postmaster as `kill -9` does and waits until it is gone. Its backends notice and go
    /// by themselves a moment later; commits they acknowledge until then count.
    pub async fn kill_postmaster(&self) {
        self.signal(Signal::KILL);
        self.server.ended().await;
    }

    /// Makes every backend stand still (`SIGSTOP`), as on a machine that hangs.
    pub fn freeze(&self) {
        for pid in self.everyone() {
            // Who has just ended need not stand still.
            let _ = kill_process(pid, Signal::STOP);
        }
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        for pid in self.everyone() {
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// Starts Postgres again on the same folder, after a kill or as an orderly restart; comes back
    /// when recovery is done and it accepts connections.
    pub async fn start_again(self) -> Self {
        let mut server = self.server;
        let server = away(move || {
            if let Err(error) = server.restart_blocking() {
                panic!("Postgres did not start again: {error}");
            }
            server
        });
        Self { server: server.await }
    }

    /// Stops the server in order and keeps the folder for `start_again`.
    pub async fn stop_postmaster(&self) {
        self.signal(Signal::INT);
        self.server.ended().await;
    }

    fn signal(&self, signal: Signal) {
        assert!(self.server.ended_blocking(Duration::ZERO).is_none(), "Postgres has ended before");
        if let Some(pid) = Pid::from_raw(self.server.pid()) {
            kill_process(pid, signal).expect("the postmaster runs and is ours");
        }
    }

    /// The postmaster and its children.
    fn everyone(&self) -> Vec<Pid> {
        let postmaster = self.server.pid();
        let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = ids.filter(|pid| *pid == postmaster || parent(*pid) == Some(postmaster));
        ours.filter_map(Pid::from_raw).collect()
    }
}

/// The fourth field of `/proc/PID/stat`; the second may hold blanks and ends with the last bracket.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

pub(crate) async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
