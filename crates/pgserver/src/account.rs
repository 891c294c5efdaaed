//! The account that Postgres runs as, and whether it can reach a folder.
//!
//! Postgres refuses root. Accounts are read from `/etc/passwd` only; ACLs are not looked at.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::StartError;

/// Who the server's programs run as: ourselves, or another account when we are root.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    other: Option<Other>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves, or for root `postgres`, else `nobody`.
    pub(crate) fn for_server() -> Result<Self, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let passwd =
            fs::read_to_string("/etc/passwd").map_err(StartError::io("read", "/etc/passwd"))?;
        let other = ["postgres", "nobody"].into_iter().find_map(|name| in_passwd(&passwd, name));
        Ok(Self { other: Some(other.ok_or(StartError::NoAccount)?) })
    }

    /// A command that runs as this account: clean environment, own process group (so that Ctrl-C
    /// on the terminal reaches only us), nothing on its standard input.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir("/").process_group(0).stdin(Stdio::null());
        if let Some(other) = &self.other {
            command.uid(other.uid).gid(other.gid);
        }
        command
    }

    /// The user id of this account.
    pub(crate) fn uid(&self) -> u32 {
        self.other.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |other| other.uid)
    }

    /// Creates the folder if it is missing. A folder that only leads on to the account's own folders
    /// is ours: 0700, or 0711 where another account must pass through.
    pub(crate) fn make_passage(&self, folder: &Path) -> Result<(), StartError> {
        if folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(StartError::io("create", folder))?;
        let mode = if self.other.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(folder, Permissions::from_mode(mode))
            .map_err(StartError::io("set the permissions of", folder))
    }

    /// Gives a file or folder to this account, with these permissions.
    pub(crate) fn give(&self, path: &Path, mode: u32) -> Result<(), StartError> {
        if let Some(other) = &self.other {
            chown(path, Some(other.uid), Some(other.gid)).map_err(StartError::io("chown", path))?;
        }
        fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(StartError::io("set the permissions of", path))
    }

    /// Creates a folder that is this account's alone.
    pub(crate) fn make_private(&self, folder: &Path) -> Result<(), StartError> {
        fs::create_dir(folder).map_err(StartError::io("create", folder))?;
        self.give(folder, 0o700)
    }

    /// Fails with the first folder on the way to `wanted` (itself included) that this account
    /// cannot enter. Says nothing about ourselves: the system's own error is clear enough then.
    pub(crate) fn check_reach(&self, wanted: &Path) -> Result<(), StartError> {
        let Some(other) = &self.other else {
            return Ok(());
        };
        let wanted = wanted.canonicalize().map_err(StartError::io("find", wanted))?;
        let mut way: Vec<&Path> = wanted.ancestors().collect();
        way.reverse();
        for step in way {
            let meta = fs::metadata(step).map_err(StartError::io("look at", step))?;
            if !other.may_enter(meta.uid(), meta.gid(), meta.mode()) {
                return Err(StartError::Unreachable {
                    account: other.name.clone(),
                    closed: step.to_owned(),
                    wanted: wanted.clone(),
                });
            }
        }
        Ok(())
    }
}

impl Other {
    fn may_enter(&self, uid: u32, gid: u32, mode: u32) -> bool {
        let bit = if self.uid == uid {
            0o100
        } else if self.gid == gid {
            0o010
        } else {
            0o001
        };
        mode & bit != 0
    }
}

fn in_passwd(passwd: &str, name: &str) -> Option<Other> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Other { name: name.to_owned(), uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::{Other, in_passwd};

    #[test]
    fn an_account_is_read_from_the_password_file() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib:/bin/sh\n";
        let expected = Other { name: "postgres".into(), uid: 101, gid: 104 };
        assert_eq!(in_passwd(passwd, "postgres"), Some(expected));
        assert_eq!(in_passwd(passwd, "nobody"), None);
    }

    #[test]
    fn a_folder_closed_to_others_cannot_be_entered() {
        let postgres = Other { name: "postgres".into(), uid: 101, gid: 104 };
        assert!(!postgres.may_enter(0, 0, 0o700));
        assert!(postgres.may_enter(0, 0, 0o711));
        assert!(postgres.may_enter(0, 104, 0o710));
        assert!(postgres.may_enter(101, 104, 0o700));
        assert!(!postgres.may_enter(101, 104, 0o011));
    }
}
