//! Folders for servers: short names, new for each server, removed by the server's watchdog.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Linux' file system in memory. On disk a new database takes ten times as long, even unsynced.
const MEMORY: &str = "/dev/shm";
/// What must be free there, in bytes: a database takes 8 MB, and others may be testing as well.
const ROOM: u64 = 2 << 30;

/// A folder whose contents need not survive anything: in memory where there is room.
pub(crate) fn fleeting() -> PathBuf {
    let memory = Path::new(MEMORY);
    match rustix::fs::statvfs(memory) {
        Ok(room) if room.f_bavail.saturating_mul(room.f_frsize) > ROOM => fresh(memory),
        Ok(_) | Err(_) => on_disk(),
    }
}

/// A folder on the disk.
pub(crate) fn on_disk() -> PathBuf {
    fresh(&std::env::temp_dir())
}

/// A new folder that another account may pass through (Postgres does not run as root).
fn fresh(parent: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("kwtest-{}-{number}", std::process::id()));
        match fs::DirBuilder::new().mode(0o711).create(&folder) {
            Ok(()) => return folder,
            // Left by a test binary of the same id that could not clean up: take the next name.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("cannot create {}: {error}", folder.display()),
        }
    }
}
