//! `postmaster.pid`, as Postgres writes it: who runs on the cluster, on which socket, and how far.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

/// What the file says. Lines that are not written yet are `None`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: Option<u16>,
    pub(crate) socket_folder: Option<PathBuf>,
    pub(crate) ready: bool,
}

impl PidFile {
    /// Reads the file of a cluster folder; `None` when it is missing or not yet written.
    pub(crate) fn read(cluster: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(Self::path(cluster)).ok()?)
    }

    pub(crate) fn path(cluster: &Path) -> PathBuf {
        cluster.join("postmaster.pid")
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            // A single-user backend writes its id negated.
            pid: lines.first()?.parse::<i32>().ok()?.abs(),
            port: lines.get(3).and_then(|line| line.parse().ok()),
            socket_folder: lines.get(4).filter(|line| !line.is_empty()).map(PathBuf::from),
            ready: lines.get(7).is_some_and(|line| *line == "ready"),
        })
    }

    /// Who has the id that the file names.
    pub(crate) fn holder(&self) -> Holder {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Holder::Nobody;
        };
        match test_kill_process(pid) {
            Ok(()) | Err(rustix::io::Errno::PERM) if is_postgres(self.pid) => Holder::Postgres(pid),
            Ok(()) | Err(rustix::io::Errno::PERM) => Holder::Another,
            Err(_) => Holder::Nobody,
        }
    }
}

/// Who has a process id now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody: what is left is for Postgres itself to judge.
    Nobody,
    /// Another program got the id since, or it is a Postgres that only waits to be collected.
    Another,
    /// A running Postgres.
    Postgres(Pid),
}

/// Where the system cannot tell (no `/proc`), it counts as Postgres.
fn is_postgres(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return !Path::new("/proc/self/stat").exists();
    };
    // "123 (postgres) S ...": a zombie no longer runs, it only waits for its parent to look.
    stat.contains("(postgres)") && !stat.contains(") Z ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Holder, PidFile};

    #[test]
    fn a_whole_file_tells_socket_and_readiness() {
        let text = "77\n/c\n1700000000\n5432\n/run/x\n\n  5432001  12\nready   \n";
        let expected = PidFile {
            pid: 77,
            port: Some(5432),
            socket_folder: Some(PathBuf::from("/run/x")),
            ready: true,
        };
        assert_eq!(PidFile::parse(text), Some(expected));
    }

    #[test]
    fn a_file_that_is_being_written_is_not_ready() {
        assert_eq!(PidFile::parse(""), None);
        assert!(!PidFile::parse("77\n/c\n17\n5432\n/run/x\n\n 1 2\nstarting\n").unwrap().ready);
        assert_eq!(PidFile::parse("77\n").unwrap().port, None);
    }

    #[test]
    fn an_id_that_now_belongs_to_another_program_is_not_postgres() {
        let own = i32::try_from(std::process::id()).unwrap();
        let file = PidFile { pid: own, port: None, socket_folder: None, ready: true };
        assert_eq!(file.holder(), Holder::Another);
    }
}
