//! The watchdog: a shell whose standard input is a pipe from us. When we go, in whatever way, the
//! pipe closes and the shell stops Postgres.
//!
//! It knows one id at a time. The owner takes the id back (`forget`) as soon as Postgres has ended,
//! so that a reused id is never signalled. It needs nothing but `/bin/sh`.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

use crate::error::StartError;
use crate::pidfile::PidFile;

// $1 signal, $2 postmaster.pid, $3 a folder to remove at the end, or nothing.
// The file is looked at beside the id, because a zombie that nobody collects keeps its id.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
pid=
while read -r word id; do
  case $word in watch) pid=$id ;; forget) pid= ;; esac
done
if [ -n "$pid" ] && kill -"$1" "$pid" 2>/dev/null; then
  turns=0
  while [ $turns -lt 300 ] && [ -e "$2" ] && kill -0 "$pid" 2>/dev/null; do
    turns=$((turns + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  [ ! -e "$2" ] || kill -QUIT "$pid" 2>/dev/null
fi
[ -z "$3" ] || rm -rf "$3"
"#;

/// A running watchdog. Dropping it, like our death, makes it stop what it watches.
#[derive(Debug)]
pub(crate) struct Watchdog {
    pipe: Mutex<Option<ChildStdin>>,
    shell: Mutex<Option<Child>>,
}

impl Watchdog {
    /// Starts a watchdog for a cluster folder. With `remove`, that folder is deleted at the end and
    /// Postgres need not shut down in order.
    pub(crate) fn start(cluster: &Path, remove: Option<&Path>) -> Result<Self, StartError> {
        let signal = if remove.is_some() { "QUIT" } else { "INT" };
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "keyward-watchdog", signal])
            .arg(PidFile::path(cluster))
            .arg(remove.unwrap_or(Path::new("")))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(StartError::io("run", "/bin/sh"))?;
        let pipe = Mutex::new(shell.stdin.take());
        Ok(Self { pipe, shell: Mutex::new(Some(shell)) })
    }

    /// Watches this Postgres from now on.
    pub(crate) fn watch(&self, pid: u32) -> io::Result<()> {
        self.tell(&format!("watch {pid}\n"))
    }

    /// Postgres has ended; its id may soon be somebody else's.
    pub(crate) fn forget(&self) {
        // A watchdog that is gone has nothing to forget.
        let _ = self.tell("forget\n");
    }

    /// Lets the watchdog finish and waits for it.
    pub(crate) fn finish(&self) {
        drop(take(&self.pipe));
        if let Some(mut shell) = take(&self.shell) {
            let _ = shell.wait();
        }
    }

    fn tell(&self, line: &str) -> io::Result<()> {
        let mut pipe = self.pipe.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match pipe.as_mut() {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(take(&self.pipe));
        // Collected in the background: a drop must not wait for a shutdown.
        if let Some(mut shell) = take(&self.shell) {
            std::thread::spawn(move || shell.wait());
        }
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}
