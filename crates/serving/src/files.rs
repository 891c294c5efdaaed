//! Whether a file is still the one that was read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells one state of a file from another: inode, size and time of change.
pub type FileStamp = (u64, u64, i64, i64);

/// The state of this file. One that is not there is a state, too: `None`.
#[must_use]
pub fn stamp(path: &Path) -> Option<FileStamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_by_one_of_the_same_size_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (file, next) = (folder.path().join("file"), folder.path().join("next"));
        assert_eq!(stamp(&file), None);
        std::fs::write(&file, "one").unwrap();
        let first = stamp(&file);
        assert!(first.is_some() && first == stamp(&file));
        std::fs::write(&next, "two").unwrap();
        std::fs::rename(&next, &file).unwrap();
        assert_ne!(stamp(&file), first);
    }
}
