//! A server as a child: this same binary under another name, on the cores it is given.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::machine::{self, Cores};

/// A running child. Killed when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts this binary as `name` on `cores`. Its first line with an address says where it listens,
    /// unless that is known before.
    pub fn start(name: &str, arguments: &[String], cores: Cores, at: Option<SocketAddr>) -> Self {
        let binary = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(binary);
        command.arg0(name).args(arguments).stdin(Stdio::null());
        command.stdout(if at.is_some() { Stdio::null() } else { Stdio::piped() });
        // A child inherits the cores of the thread that starts it.
        machine::bind(cores);
        let child = command.spawn();
        machine::bind(Cores::All);
        let mut child = child.expect("this binary can be started again");
        let address = at.unwrap_or_else(|| {
            let output = child.stdout.take().expect("it was piped");
            let line = BufReader::new(output).lines().next();
            let line = line.and_then(Result::ok).unwrap_or_default();
            line.parse().expect("the server says where it listens")
        });
        Self { child, address }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that all its threads have had; those that ended count no more.
    pub fn cpu(&self) -> Duration {
        machine::cpu(self.id())
    }

    /// The memory it holds, in bytes.
    pub fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.unwrap_or_default() * 1024
    }

    /// Makes it stand still.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Stops it in order.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // If it has ended already, there is nobody to tell.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
