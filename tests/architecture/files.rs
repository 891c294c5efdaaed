//! The files of the work tree.

use std::fs;
use std::path::{Path, PathBuf};

use crate::packages::{METADATA, root};

/// Every file of the project whose name ends so, as a path from the workspace's folder.
pub(crate) fn files(extension: &str) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &mut found);
    let mut found: Vec<_> = found
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == extension))
        .map(|file| file.strip_prefix(&root).unwrap().to_owned())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no .{extension} file under {}", root.display());
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let kind = entry.file_type().unwrap();
        if kind.is_file() {
            found.push(path);
        } else if kind.is_dir() && !hidden && !built(&path) {
            walk(&path, found);
        }
    }
}

/// Whether cargo or a package manager made this folder.
fn built(folder: &Path) -> bool {
    folder == METADATA.target_directory
        || folder.join("CACHEDIR.TAG").exists()
        || folder.ends_with("node_modules")
}

/// A file's text.
pub(crate) fn text(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Whether the file is part of what is shipped, not of a test, an example or a benchmark.
pub(crate) fn shipped(file: &Path) -> bool {
    let folders = ["crates", "services"];
    let inside = folders.iter().any(|folder| file.starts_with(folder));
    let mut parts = file.iter();
    let source = parts.nth(2).is_some_and(|folder| folder == "src");
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let test = stem == "spec" || stem == "tests" || stem.ends_with("_tests");
    inside && source && !test && !parts.any(|folder| folder == "tests")
}
