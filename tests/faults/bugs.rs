//! The seeded bugs are patches against the service as it is: each must still apply.

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_seeded_bug_still_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = std::fs::read_dir(root.join("tests/faults/bugs")).unwrap();
    let patches = listed.map(|entry| entry.unwrap().path());
    let mut patches: Vec<PathBuf> =
        patches.filter(|path| path.extension().is_some_and(|end| end == "patch")).collect();
    patches.sort();
    assert!(patches.len() >= 8, "there are fewer than the checker is to be proven by");
    for patch in patches {
        let mut tried = Command::new("git");
        tried.args(["apply", "--check"]).arg(&patch).current_dir(&root);
        let tried = tried.output().expect("git is here");
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "make it anew, {}: {said}", patch.display());
    }
}
