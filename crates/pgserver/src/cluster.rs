//! The cluster on disk: made whole under another name and then renamed, so that a half-made one is
//! never used; or found, and refused when another major made it.
//!
//! `FOLDER/cluster/` holds `files/` (Postgres' own) and `password` (the superuser's).

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::StartError;
use crate::server::{Access, Durability, Options};

/// The superuser of a managed cluster.
pub(crate) const SUPERUSER: &str = "postgres";

/// A whole cluster. Its password is not printed.
pub(crate) struct Cluster {
    files: PathBuf,
    password: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Cluster {
    /// The cluster that is there; `None` if none was made yet.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>, StartError> {
        let home = home(folder);
        if !home.exists() {
            return Ok(None);
        }
        let files = files(folder);
        if !files.join("PG_VERSION").is_file() {
            let why = "files/PG_VERSION is missing".to_owned();
            return Err(StartError::NotACluster { folder: home, why });
        }
        let path = home.join("password");
        let password = fs::read_to_string(&path).map_err(StartError::io("read", &path))?;
        Ok(Some(Self { files, password: password.trim().to_owned() }))
    }

    /// The cluster of this folder, made if there is none. The caller holds the folder's lock.
    pub(crate) fn find_or_make(
        binaries: &Binaries,
        options: &Options,
        account: &Account,
    ) -> Result<Self, StartError> {
        let folder = &options.folder;
        if let (Some(cluster), ours) = (cluster_major(folder), binaries.version().major)
            && cluster != ours
        {
            return Err(StartError::OtherMajor { folder: home(folder), cluster, binaries: ours });
        }
        if let Some(found) = Self::find(folder)? {
            return Ok(found);
        }
        make(binaries, options, account)?;
        Self::find(folder)?.ok_or_else(|| StartError::NotACluster {
            folder: home(folder),
            why: "it vanished after it was made".into(),
        })
    }

    /// The folder that Postgres calls its own.
    pub(crate) fn files(&self) -> &Path {
        &self.files
    }

    /// The superuser's password, hexadecimal.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

/// The major of the Postgres that made the cluster of this state folder; `None` without a cluster.
pub fn cluster_major(folder: &Path) -> Option<u32> {
    fs::read_to_string(files(folder).join("PG_VERSION")).ok()?.trim().parse().ok()
}

fn home(folder: &Path) -> PathBuf {
    folder.join("cluster")
}

fn files(folder: &Path) -> PathBuf {
    home(folder).join("files")
}

fn make(binaries: &Binaries, options: &Options, account: &Account) -> Result<(), StartError> {
    let folder = &options.folder;
    let unfinished = folder.join("cluster.unfinished");
    let passwords = unfinished.join("password");
    remove(&unfinished)?;
    account.make_private(&unfinished)?;
    write_password(&passwords, account)?;
    // C.UTF-8 sorts by code point and knows upper from lower; where the system lacks it, C does.
    if initdb(binaries, options, account, &unfinished, "C.UTF-8").is_err() {
        remove(&unfinished.join("files"))?;
        initdb(binaries, options, account, &unfinished, "C")?;
    }
    if options.durability == Durability::Full {
        sync(&passwords)?;
        sync(&unfinished)?;
    }
    fs::rename(&unfinished, home(folder)).map_err(StartError::io("rename", &unfinished))?;
    if options.durability == Durability::Full {
        sync(folder)?;
    }
    Ok(())
}

fn initdb(
    binaries: &Binaries,
    options: &Options,
    account: &Account,
    unfinished: &Path,
    locale: &str,
) -> Result<(), StartError> {
    let program = binaries.initdb();
    let mut command = account.command(&program);
    command.arg("--pgdata").arg(unfinished.join("files"));
    command.args(["--username", SUPERUSER, "--encoding=UTF8", "--data-checksums"]);
    command.arg("--pwfile").arg(unfinished.join("password")).arg(format!("--locale={locale}"));
    command.arg(match options.access {
        Access::Password => "--auth=scram-sha-256",
        Access::Trust => "--auth=trust",
    });
    if options.durability == Durability::None {
        command.arg("--no-sync");
    }
    let output = command.output().map_err(StartError::io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("error:") || line.contains("FATAL"));
    let line = line.or_else(|| text.lines().last()).unwrap_or("no reason given").to_owned();
    Err(StartError::Initdb { line })
}

fn write_password(path: &Path, account: &Account) -> Result<(), StartError> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut chance| chance.read_exact(&mut bytes))
        .map_err(StartError::io("read", "/dev/urandom"))?;
    let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| writeln!(file, "{password}"))
        .map_err(StartError::io("write", path))?;
    account.give(path, 0o600)
}

fn sync(path: &Path) -> Result<(), StartError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StartError::io("sync", path))
}

fn remove(folder: &Path) -> Result<(), StartError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StartError::io("remove", folder)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
