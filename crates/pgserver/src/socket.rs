//! The private folder of the socket. A socket's path may have 107 bytes and no more, so a long
//! state folder gets a short one elsewhere, always the same for the same folder.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::error::StartError;
use crate::folders::runtime_folder;
use crate::url::PORT;

const LONGEST: usize = 107;

/// Makes sure of the socket's folder and returns it.
pub(crate) fn socket_folder(folder: &Path, account: &Account) -> Result<PathBuf, StartError> {
    let near = folder.join("run");
    if fits(&near) {
        return own(near, account);
    }
    let digest = Sha256::digest(folder.as_os_str().as_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("keyward-{}-{short}", account.uid());
    let ours = rustix::process::geteuid().as_raw() == account.uid();
    let session = runtime_folder().filter(|_| ours).map(|folder| folder.join(&name));
    match session.filter(|folder| fits(folder) && folder.parent().is_some_and(Path::is_dir)) {
        Some(session) => own(session, account),
        None => own(Path::new("/tmp").join(name), account),
    }
}

fn fits(folder: &Path) -> bool {
    socket_path(folder).as_os_str().len() <= LONGEST
}

/// The socket's file in its folder.
pub(crate) fn socket_path(folder: &Path) -> PathBuf {
    folder.join(format!(".s.PGSQL.{PORT}"))
}

/// Creates the folder, or takes one that is already the account's alone: `/tmp` is everybody's.
fn own(folder: PathBuf, account: &Account) -> Result<PathBuf, StartError> {
    match fs::symlink_metadata(&folder) {
        Err(_) => account.make_private(&folder)?,
        Ok(meta) if meta.is_dir() && meta.uid() == account.uid() && meta.mode() & 0o077 == 0 => {}
        Ok(_) => return Err(StartError::SocketFolder { folder }),
    }
    Ok(folder)
}
