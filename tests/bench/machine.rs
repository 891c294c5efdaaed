//! The machine that is measured on, and which core a thread may use.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

/// One line on the machine, one on what was built.
pub fn describe() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "machine: {} cores, {}, Linux {}\ncommit:  {}\nload average at the start: {}",
        cores(),
        model.map_or("unknown", |(_, model)| model),
        kernel.trim(),
        commit.unwrap_or_default(),
        load(),
    )
}

/// How busy the machine has been in the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// How many cores there are. Counted once, before any thread is bound: the system's answer is how many
/// the asking thread may use.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The cores that a thread, and the children it starts, may use.
#[derive(Debug, Clone, Copy)]
pub enum Cores {
    /// The server's.
    Server,
    /// The load's.
    Load,
    /// Every one.
    All,
}

/// Binds the calling thread.
pub fn bind(cores: Cores) {
    sched_setaffinity(None, &set(cores)).expect("a thread may choose among its own cores");
}

/// Binds all threads that a program has now.
pub fn bind_program(program: u32, cores: Cores) {
    for thread in threads(program) {
        let thread = thread.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
        // One that has ended needs no core.
        let _ = sched_setaffinity(thread, &set(cores));
    }
}

/// The processor time that all threads of a program have had; those that ended count no more.
pub fn cpu(program: u32) -> Duration {
    let nanos = threads(program).filter_map(|thread| {
        let line = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn threads(program: u32) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(format!("/proc/{program}/task")).into_iter().flatten().flatten()
}

fn set(cores: Cores) -> CpuSet {
    let mut set = CpuSet::new();
    match cores {
        Cores::Server => set.set(0),
        Cores::Load => set.set(1 % self::cores()),
        Cores::All => (0..self::cores()).for_each(|core| set.set(core)),
    }
    set
}
