//! A folder for one test, the binaries, and a second owner that can be killed.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgserver::{Binaries, BinarySearch, Durability, Options, Server, default_folders};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio_postgres::{Client, NoTls};

/// Names the folder that the second owner is to take.
const FOLDER: &str = "KEYWARD_TEST_FOLDER";

pub(crate) struct Scene {
    pub(crate) root: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        let root = builder.prefix("kwpg-").tempdir_in(parent()).unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(root.path(), open).unwrap();
        Self { root }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Quick to make; what is tested is not the disk.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(self.folder());
        options.durability = Durability::None;
        options
    }

    pub(crate) async fn start(&self) -> Server {
        Server::start(&binaries(), self.options()).await.unwrap()
    }
}

/// In memory where there is room: making a cluster is mostly waiting for the disk.
fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match rustix::fs::statvfs(memory) {
        Ok(room) if room.f_bavail * room.f_frsize > 2 << 30 => memory.to_owned(),
        Ok(_) | Err(_) => std::env::temp_dir(),
    }
}

pub(crate) fn binaries() -> Binaries {
    Binaries::find(&search()).unwrap()
}

pub(crate) fn search() -> BinarySearch {
    BinarySearch { configured: None, offline: true, cache: default_folders().cache }
}

pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

pub(crate) async fn ask(url: &str, question: &str) -> String {
    let client = connect(url).await.unwrap();
    client.query_one(question, &[]).await.unwrap().get(0)
}

pub(crate) fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Whether somebody has this id and still runs: nobody may collect the orphans of a test here.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let zombie = stat.is_ok_and(|stat| stat.contains(") Z "));
    !zombie && test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "still not: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Another program that owns a folder: this test binary, started again.
pub(crate) struct Owner {
    child: Child,
    pub(crate) postmaster: i32,
}

impl Owner {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "scene::owner", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.into_iter().find_map(|line| {
            line.split_once("owner of ").map(|(_, pid)| pid.trim().parse().unwrap())
        });
        Self { child, postmaster: ready.expect("the owner says when it is ready") }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
#[ignore = "not a test: the owner that others start and kill"]
fn owner() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut options = Options::new(folder);
    options.durability = Durability::None;
    let server = Server::start_blocking(&binaries(), options).unwrap();
    println!("owner of {}", server.pid());
    loop {
        std::thread::park();
    }
}
