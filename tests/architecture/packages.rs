//! The workspace as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Asked once for all tests.
pub(crate) static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    // Only what this machine builds: the rest of the lock file may not have been fetched.
    let host = host();
    MetadataCommand::new()
        .cargo_path(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), host])
        .exec()
        .unwrap()
});

fn host() -> String {
    let about = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo names the machine it is for").to_owned()
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    METADATA.workspace_root.clone().into_std_path_buf()
}

/// The packages of the workspace.
pub(crate) fn ours() -> Vec<&'static Package> {
    METADATA.workspace_packages()
}

/// Their names.
pub(crate) fn our_names() -> BTreeSet<&'static str> {
    ours().iter().map(|package| package.name.as_str()).collect()
}

/// Every crate whose code can end up in a program through this package: its dependencies and
/// theirs, but not what only build scripts or tests need. The value is a path that leads there.
pub(crate) fn behind(package: &Package) -> BTreeMap<&'static str, String> {
    let resolve = METADATA.resolve.as_ref().unwrap();
    let mut found = BTreeMap::new();
    let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
    let mut open = vec![(&package.id, package.name.to_string())];
    while let Some((id, path)) = open.pop() {
        let node = resolve.nodes.iter().find(|node| node.id == *id).unwrap();
        for dependency in &node.deps {
            let kinds = &dependency.dep_kinds;
            let normal = kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if normal && seen.insert(&dependency.pkg) {
                let name = METADATA[&dependency.pkg].name.as_str();
                let path = format!("{path} -> {name}");
                found.insert(name, path.clone());
                open.push((&dependency.pkg, path));
            }
        }
    }
    found
}
