//! One `keyward serve`, which can be killed, paused and started again. Each start listens on another
//! port; whoever asks it looks the address up.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// How long a start may take, and a stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary: the one that cargo built, or another that the checker is to be tried on.
pub(crate) fn binary() -> PathBuf {
    let other = setting("KEYWARD_FAULTS_BINARY");
    other.map_or_else(|| env!("CARGO_BIN_EXE_keyward").into(), PathBuf::from)
}

/// A variable of the environment of this run.
pub(crate) fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "settings of a test, not of the service")]
    std::env::var(name).ok()
}

/// A command of the binary, with nothing of Keyward in its environment but this.
pub(crate) fn command(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    #[expect(
        clippy::disallowed_methods,
        reason = "what the caller has set must not reach the child"
    )]
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"KEYWARD_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().cloned());
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// A replica. Killed when dropped.
pub(crate) struct Replica {
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    address: Arc<Mutex<Option<SocketAddr>>>,
    child: Mutex<Option<Child>>,
}

impl Replica {
    /// One that is not started yet.
    pub(crate) fn new(flags: Vec<String>, environment: Vec<(String, String)>, log: &Path) -> Self {
        let log = log.to_owned();
        Self { flags, environment, log, address: Arc::default(), child: Mutex::default() }
    }

    /// Where it serves, if it does.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, again and again while the database can't be reached, as an operator's supervisor
    /// would; until it serves.
    pub(crate) async fn start(&self) {
        let began = Instant::now();
        loop {
            self.spawn();
            while self.runs() && self.address().is_none() {
                sleep(Duration::from_millis(5)).await;
                assert!(began.elapsed() < PATIENCE, "the replica did not start");
            }
            if self.address().is_some() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the replica ended at each start");
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn spawn(&self) {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        let mut command = command(&flags, &self.environment);
        let log = File::options().create(true).append(true).open(&self.log).expect("a log file");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = Arc::clone(&self.address);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said = line.split_once("serves gRPC on ").map(|(_, rest)| rest);
                if let Some(at) = said.and_then(|rest| rest.split(' ').next()?.parse().ok()) {
                    *address.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
                }
            }
            // Its end; the next start says where it is.
            *address.lock().unwrap_or_else(PoisonError::into_inner) = None;
        });
        *self.child() = Some(child);
    }

    /// Whether it runs, paused or not.
    pub(crate) fn runs(&self) -> bool {
        self.child().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// `kill -9`. `false` if it had ended by itself.
    pub(crate) async fn kill(&self) -> bool {
        let ran = self.runs();
        self.signal(Signal::KILL);
        self.gone().await;
        ran
    }

    /// Signals it, if it runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = self.child().as_ref() {
            // It may have ended; it is ours and not collected, so the id is right.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// Stops it in order.
    pub(crate) async fn stop(&self) {
        self.signal(Signal::TERM);
        self.gone().await;
    }

    async fn gone(&self) {
        let began = Instant::now();
        while self.runs() || self.address().is_some() {
            sleep(Duration::from_millis(2)).await;
            assert!(began.elapsed() < PATIENCE, "the replica did not end");
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut child) = self.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
