//! Unpacking a pack whose hash was found right: only its Postgres, only below the folder given.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde::Deserialize;

/// Where npm's pack has its Postgres.
const NATIVE: &str = "package/native";

/// npm keeps no links in its packs; this pack lists them.
#[derive(Debug, Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Unpacks npm's pack, makes the links it lists and sets permissions.
pub(crate) fn unpack_tarball(file: &Path, into: &Path) -> io::Result<()> {
    fs::create_dir(into)?;
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(file)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Ok(below) = path.strip_prefix(NATIVE) else {
            continue;
        };
        let place = into.join(inner(below)?);
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        entry.unpack(&place)?;
    }
    make_links(into)?;
    open_to_all(into, false)
}

/// Unpacks pip's pack with the Python that brought it, and sets permissions.
pub(crate) fn unpack_wheel(file: &Path, into: &Path) -> io::Result<()> {
    fs::create_dir(into)?;
    let mut python = Command::new("python3");
    python.args(["-m", "zipfile", "-e"]).arg(file).arg(into).stdin(Stdio::null());
    let output = python.output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("python3 -m zipfile ended with {}", output.status)));
    }
    open_to_all(into, false)
}

fn make_links(into: &Path) -> io::Result<()> {
    let list = into.join("pg-symlinks.json");
    if !list.exists() {
        return Ok(());
    }
    let links: Vec<Link> = serde_json::from_reader(File::open(&list)?)?;
    for link in links {
        let source = inner(link.source.strip_prefix("native").unwrap_or(&link.source))?;
        let target = inner(link.target.strip_prefix("native").unwrap_or(&link.target))?;
        if source.parent() != target.parent() {
            return Err(refused(target));
        }
        let Some(name) = source.file_name() else {
            return Err(refused(source));
        };
        let place = into.join(target);
        if fs::symlink_metadata(&place).is_err() {
            symlink(name, place)?;
        }
    }
    Ok(())
}

/// The path if it stays inside.
fn inner(path: &Path) -> io::Result<&Path> {
    let stays = path.components().all(|part| matches!(part, Component::Normal(_)));
    if stays { Ok(path) } else { Err(refused(path)) }
}

fn refused(path: &Path) -> io::Error {
    io::Error::other(format!("the pack names a path that leads elsewhere: {}", path.display()))
}

/// Readable for every account, since Postgres may run as another; programs in `bin` run.
fn open_to_all(folder: &Path, in_bin: bool) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            open_to_all(&path, entry.file_name() == "bin")?;
        } else if kind.is_file() {
            let runs = in_bin || fs::metadata(&path)?.permissions().mode() & 0o111 != 0;
            fs::set_permissions(&path, Permissions::from_mode(if runs { 0o755 } else { 0o644 }))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::inner;

    #[test]
    fn paths_that_lead_out_of_the_pack_are_refused() {
        assert!(inner(Path::new("lib/libpq.so.5")).is_ok());
        for path in ["../x", "lib/../../x", "/etc/passwd"] {
            assert!(inner(Path::new(path)).is_err(), "{path}");
        }
    }
}
