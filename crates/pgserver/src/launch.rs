//! From a cluster at rest to a ready Postgres: what ran before is settled, the command line built,
//! the ready line in `postmaster.pid` awaited.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::account::Account;
use crate::error::StartError;
use crate::pidfile::{Holder, PidFile};
use crate::postmaster::{LOOK, Postmaster};
use crate::server::{Durability, Options};
use crate::url::PORT;
use crate::watchdog::Watchdog;

/// After a kill, what is left of the last run (its file, its shared memory, its backends) can
/// linger; so long a start is tried again.
const LINGER: Duration = Duration::from_secs(10);
/// A longer log is moved to `postgres.log.1` at start.
const LONG_LOG: u64 = 10 << 20;

/// What a start needs.
pub(crate) struct Launch<'a> {
    pub(crate) program: PathBuf,
    pub(crate) options: &'a Options,
    pub(crate) account: &'a Account,
    pub(crate) files: &'a Path,
    pub(crate) socket_folder: &'a Path,
    pub(crate) watchdog: &'a Arc<Watchdog>,
}

/// Starts Postgres and waits until it is ready. The caller holds the folder's lock.
pub(crate) fn launch(launch: &Launch<'_>) -> Result<Postmaster, StartError> {
    settle(launch)?;
    let start = Instant::now();
    loop {
        match launch.once() {
            Err(StartError::Refused { line, .. }) if lingers(&line) && start.elapsed() < LINGER => {
                thread::sleep(Duration::from_millis(100));
            }
            other => return other,
        }
    }
}

/// The messages of Postgres in a state folder.
pub(crate) fn log_path(folder: &Path) -> PathBuf {
    folder.join("postgres.log")
}

fn lingers(line: &str) -> bool {
    line.contains("shared memory block") || line.contains("lock file")
}

/// A Postgres that runs here although we hold the lock has lost its owner: its watchdog is stopping
/// it, or could not. A file whose id went to another program is removed, since Postgres would take
/// that program for itself; any other file is Postgres' own to judge.
fn settle(launch: &Launch<'_>) -> Result<(), StartError> {
    let start = Instant::now();
    let mut asked = None;
    while let Some(file) = PidFile::read(launch.files) {
        let pid = match file.holder() {
            Holder::Postgres(pid) => pid,
            Holder::Nobody => return Ok(()),
            Holder::Another => {
                let path = PidFile::path(launch.files);
                return match fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(StartError::io("remove", path)(error))
                    }
                    Ok(()) | Err(_) => Ok(()),
                };
            }
        };
        let signal = if start.elapsed() < LINGER { Signal::INT } else { Signal::QUIT };
        if asked != Some(signal) {
            tracing::warn!(
                pid = file.pid,
                "a postgres of a former run is still there; stopping it"
            );
            // It may end between the look and the signal; the next look tells.
            let _ = kill_process(pid, signal);
            asked = Some(signal);
        }
        if start.elapsed() > LINGER * 2 {
            let folder = launch.options.folder.clone();
            return Err(StartError::Orphan { pid: file.pid, folder });
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

impl Launch<'_> {
    fn once(&self) -> Result<Postmaster, StartError> {
        let log_path = log_path(&self.options.folder);
        let log = open_log(&log_path)?;
        let said_before = log.metadata().map_err(StartError::io("look at", &log_path))?.len();
        let errors = log.try_clone().map_err(StartError::io("open", &log_path))?;
        let mut command = self.command();
        command.stdout(log).stderr(errors);
        let postmaster = Postmaster::spawn(&mut command, &self.program, self.watchdog)?;
        let pid = postmaster.pid().as_raw_pid();
        let start = Instant::now();
        let mut told = 0;
        loop {
            if let Some(status) = postmaster.ended() {
                let line = last_fatal(&log_path, said_before).unwrap_or_else(|| status.to_string());
                return Err(StartError::Refused { line, log: log_path });
            }
            if PidFile::read(self.files).is_some_and(|file| file.pid == pid && file.ready) {
                return Ok(postmaster);
            }
            if start.elapsed() > self.options.start_timeout {
                postmaster.signal(Signal::QUIT);
                postmaster.wait_blocking(Duration::from_secs(10));
                let seconds = self.options.start_timeout.as_secs();
                return Err(StartError::Slow { seconds, log: log_path });
            }
            if start.elapsed().as_secs() / 5 > told {
                told = start.elapsed().as_secs() / 5;
                tracing::info!(seconds = told * 5, "postgres is still starting (recovery)");
            }
            thread::sleep(LOOK);
        }
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(&self.program);
        command.arg("-D").arg(self.files).arg("-k").arg(self.socket_folder);
        let switch = match self.options.durability {
            Durability::Full => "on",
            Durability::None => "off",
        };
        let port = PORT.to_string();
        let ours = [
            ("port", port.as_str()),
            ("listen_addresses", ""),
            ("unix_socket_permissions", "0700"),
            ("fsync", switch),
            ("full_page_writes", switch),
            ("synchronous_commit", switch),
            ("password_encryption", "scram-sha-256"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_checkpoints", "off"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        let asked =
            self.options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in ours.into_iter().chain(asked) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
    }
}

fn open_log(path: &Path) -> Result<File, StartError> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > LONG_LOG) {
        fs::rename(path, path.with_extension("log.1")).map_err(StartError::io("rename", path))?;
    }
    File::options().create(true).append(true).open(path).map_err(StartError::io("open", path))
}

/// The FATAL line of this try, without time and id; lines from before `from` belong to others.
fn last_fatal(path: &Path, from: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(64 << 10).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let fatal = text.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:"));
    let line = fatal.or_else(|| text.lines().rfind(|line| !line.trim().is_empty()))?;
    let start = line.find("FATAL:").or_else(|| line.find("PANIC:")).unwrap_or(0);
    Some(line[start..].to_owned())
}
