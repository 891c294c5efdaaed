//! The running `postgres`, our child: when it has ended, and signals that can only reach it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

use crate::error::StartError;
use crate::watchdog::Watchdog;

/// How often a blocking wait looks.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// One run of `postgres`.
#[derive(Debug)]
pub(crate) struct Postmaster {
    pid: Pid,
    /// True until the child is collected. Held while signalling and while collecting, so that a
    /// signal never goes to an id that was given to somebody else.
    alive: Arc<Mutex<bool>>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Postmaster {
    /// Runs the command as a child that the watchdog stops when we go.
    pub(crate) fn spawn(
        command: &mut Command,
        program: &Path,
        watchdog: &Arc<Watchdog>,
    ) -> Result<Self, StartError> {
        let child = command.spawn().map_err(StartError::io("run", program))?;
        let pid = Pid::from_child(&child);
        let (tell, ended) = watch::channel(None);
        let alive = Arc::new(Mutex::new(true));
        let postmaster = Self { pid, alive: Arc::clone(&alive), ended };
        let told = watchdog.watch(child.id());
        // Weak: the reaper must not keep the watchdog's pipe open when the owner is gone.
        let dog = Arc::downgrade(watchdog);
        thread::Builder::new()
            .name("postgres-reaper".into())
            .spawn(move || reap(child, pid, &alive, &dog, &tell))
            .map_err(StartError::io("start a thread for", program))?;
        if let Err(source) = told {
            postmaster.signal(Signal::QUIT);
            return Err(StartError::io("tell the watchdog of", program)(source));
        }
        Ok(postmaster)
    }

    /// The process id; another's once this one has ended.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Signals Postgres if it still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *alive {
            // Ours and not collected yet: the id is right, and a zombie does not mind.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Waits until it has ended, or until the time is over.
    pub(crate) fn wait_blocking(&self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < limit {
            thread::sleep(LOOK);
        }
        self.ended()
    }

    /// A receiver that learns of the end.
    pub(crate) fn ending(&self) -> watch::Receiver<Option<ExitStatus>> {
        self.ended.clone()
    }
}

fn reap(
    mut child: Child,
    pid: Pid,
    alive: &Mutex<bool>,
    watchdog: &Weak<Watchdog>,
    tell: &watch::Sender<Option<ExitStatus>>,
) {
    // Waits without collecting, so that the lock is held only for the moment of collecting.
    while let Err(rustix::io::Errno::INTR) =
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
    {}
    let mut alive = alive.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watchdog) = watchdog.upgrade() {
        watchdog.forget();
    }
    let status = child.wait().unwrap_or_default();
    *alive = false;
    tell.send_replace(Some(status));
}
