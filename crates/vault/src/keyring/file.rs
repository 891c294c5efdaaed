//! A key ring's place on the disk: read only where nobody but its owner could, and made so that it
//! is never seen half-written. What stands in it is `parse`'s.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeyRingFault;

const MAX_BYTES: usize = 64 * 1024;
const OWNER_ONLY: u32 = 0o600;

/// The text of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, KeyRingFault> {
    let file = File::open(path).map_err(KeyRingFault::Unreadable)?;
    // Asked of the open file, not of the path: it can't be another one by now.
    let metadata = file.metadata().map_err(KeyRingFault::Unreadable)?;
    if !metadata.is_file() {
        return Err(KeyRingFault::NotAFile);
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & !OWNER_ONLY != 0 {
        return Err(KeyRingFault::Exposed { mode });
    }
    if metadata.len() > MAX_BYTES as u64 {
        return Err(KeyRingFault::TooLarge);
    }
    // Room for all of it at once: a buffer that grew would leave keys behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES + 1));
    file.take(MAX_BYTES as u64).read_to_string(&mut text).map_err(KeyRingFault::Unreadable)?;
    Ok(text)
}

/// Writes `text` to a new file at `path`: first to a neighbour, then linked into place, which fails
/// if the name is taken. So of two that do this at once one wins, and no reader sees half a ring.
pub(super) fn publish(path: &Path, text: &[u8]) -> Result<(), KeyRingFault> {
    let draft = draft_beside(path)?;
    let published = write_new(&draft, text)
        .and_then(|()| fs::hard_link(&draft, path))
        .and_then(|()| sync_folder(path));
    // The draft holds the same keys: it must not stay, whatever happened.
    let removed = match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    match published.and(removed) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeyRingFault::AlreadyThere)
        }
        Err(error) => Err(KeyRingFault::Unwritable(error)),
    }
}

/// Puts `text` in the place of the file at `path`: whoever reads gets all of the old or all of the new.
/// A link leads to the file that is replaced.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), KeyRingFault> {
    let path = fs::canonicalize(path).map_err(KeyRingFault::Unreadable)?;
    let draft = draft_beside(&path)?;
    let replaced = write_new(&draft, text)
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| sync_folder(&path));
    replaced.map_err(|error| {
        // It holds keys, and may be there.
        let _ = fs::remove_file(&draft);
        KeyRingFault::Unwritable(error)
    })
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// A name in the same folder that nobody else uses.
fn draft_beside(path: &Path) -> Result<PathBuf, KeyRingFault> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}", u64::from_ne_bytes(crate::random()?)));
    Ok(path.with_file_name(name))
}

/// A new name is safe only once its folder is on the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
