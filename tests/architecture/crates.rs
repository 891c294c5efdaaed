//! Which package may use which.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Package};

use crate::packages::{behind, our_names, ours};
use crate::table::{FOR_TESTS, RESERVED, TESTS, WALLS, Wall};

fn wall(package: &Package) -> Option<&'static Wall> {
    WALLS.iter().find(|wall| wall.package == package.name.as_str())
}

#[test]
fn every_package_has_a_row_in_the_table() {
    let rows: BTreeSet<_> = WALLS.iter().map(|wall| wall.package).collect();
    assert_eq!(rows.len(), WALLS.len(), "a package has two rows");
    let missing: Vec<_> = our_names().difference(&rows).copied().collect();
    assert!(
        missing.is_empty(),
        "a further package needs a further wall, and a row in tests/architecture/table.rs: {missing:?}"
    );
}

#[test]
fn packages_use_only_the_packages_that_their_row_allows() {
    let names = our_names();
    let mut broken = Vec::new();
    for package in ours() {
        let allowed = wall(package).map_or(&[][..], |wall| wall.may_use);
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            if names.contains(used) && !allowed.contains(&used) {
                broken.push(format!("{} -> {used}", package.name));
            }
        }
    }
    assert!(broken.is_empty(), "arrows that the table does not have: {broken:#?}");
}

#[test]
fn arrows_between_rows_never_turn_back() {
    // A table with a circle in it would allow what it is there to forbid.
    let mut left: Vec<_> = WALLS.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        let names: BTreeSet<_> = left.iter().map(|wall| wall.package).collect();
        left.retain(|wall| wall.may_use.iter().any(|used| names.contains(used)));
        let circle: Vec<_> = left.iter().map(|wall| wall.package).collect();
        assert!(left.len() < before, "in a circle: {circle:?}");
    }
}

#[test]
fn the_test_kit_is_a_dev_dependency_and_nobody_uses_the_tests() {
    let mut broken = Vec::new();
    for package in ours() {
        for dependency in &package.dependencies {
            let tests =
                package.name.as_str() == TESTS || dependency.kind == DependencyKind::Development;
            if dependency.name == TESTS || (dependency.name == FOR_TESTS && !tests) {
                broken.push(format!("{} -> {}", package.name, dependency.name));
            }
        }
        if package.name.as_str() != TESTS && behind(package).contains_key(FOR_TESTS) {
            broken.push(format!("{} ships with {FOR_TESTS}", package.name));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_package_sees_a_crate_behind_its_wall() {
    let mut broken = Vec::new();
    for package in ours() {
        let Some(wall) = wall(package) else { continue };
        let seen = behind(package);
        for forbidden in wall.never_sees.iter().copied().flatten() {
            if let Some(path) = seen.get(forbidden) {
                broken.push(path.clone());
            }
            let named = |dependency: &&cargo_metadata::Dependency| dependency.name == *forbidden;
            if let Some(dependency) = package.dependencies.iter().find(named) {
                broken.push(format!("{} names {forbidden} ({})", package.name, dependency.kind));
            }
        }
    }
    assert!(broken.is_empty(), "behind the wall: {broken:#?}");
}

#[test]
fn reserved_crates_are_named_only_where_they_belong() {
    let mut broken = Vec::new();
    for package in ours() {
        for (reserved, packages) in RESERVED {
            let names = package.dependencies.iter().any(|dependency| dependency.name == *reserved);
            if names && !packages.contains(&package.name.as_str()) {
                broken.push(format!("{} -> {reserved}, which is for {packages:?}", package.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn walls_name_crates_that_exist() {
    // A wall against a misspelt crate holds nothing.
    let known: BTreeSet<_> =
        crate::packages::METADATA.packages.iter().map(|package| package.name.as_str()).collect();
    let forbidden = WALLS.iter().flat_map(|wall| wall.never_sees.iter().copied().flatten());
    let reserved = RESERVED.iter().map(|(reserved, _)| reserved);
    let unknown: BTreeSet<_> =
        forbidden.chain(reserved).filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty(), "not in the tree of dependencies: {unknown:?}");
}
