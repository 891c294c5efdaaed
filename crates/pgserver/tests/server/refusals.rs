//! What cannot be done is refused in one line that says what to do.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pgserver::{Binaries, BinarySearch, FindError, Server, StartError};

use crate::scene::{Owner, Scene, binaries, search};

fn one_line(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn refused(scene: &Scene) -> StartError {
    Server::start_blocking(&binaries(), scene.options()).unwrap_err()
}

#[test]
fn a_second_owner_of_a_folder_is_refused_and_told_who_has_it() {
    let scene = Scene::new();
    let owner = Owner::start(&scene.folder());
    let error = refused(&scene);
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    assert!(one_line(&error).contains(&owner.pid().to_string()), "{error}");
    owner.kill();
}

#[test]
fn a_cluster_of_another_major_is_refused_with_the_reason() {
    let scene = Scene::new();
    let files = scene.folder().join("cluster/files");
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("PG_VERSION"), "14\n").unwrap();
    fs::set_permissions(scene.folder(), fs::Permissions::from_mode(0o711)).unwrap();
    let error = refused(&scene);
    assert!(matches!(error, StartError::OtherMajor { cluster: 14, .. }), "{error}");
    assert!(one_line(&error).contains("install postgresql-14"));
    let error = Binaries::find_for(&scene.folder(), &search()).unwrap_err();
    assert!(error.to_string().starts_with("no Postgres 14 found here"), "{error}");
}

#[test]
fn a_folder_that_is_no_whole_cluster_is_refused() {
    let scene = Scene::new();
    fs::create_dir_all(scene.folder().join("cluster/files")).unwrap();
    fs::set_permissions(scene.folder(), fs::Permissions::from_mode(0o711)).unwrap();
    let error = refused(&scene);
    assert!(matches!(error, StartError::NotACluster { .. }), "{error}");
    one_line(&error);
}

#[test]
fn a_folder_that_the_account_of_postgres_cannot_reach_is_named() {
    if !rustix::process::geteuid().is_root() {
        return; // Postgres runs as ourselves then, and reaches what we reach
    }
    let scene = Scene::new();
    fs::set_permissions(scene.root.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = refused(&scene);
    let StartError::Unreachable { closed, .. } = &error else { panic!("{error}") };
    assert_eq!(closed, &scene.root.path().canonicalize().unwrap());
    one_line(&error);
}

#[test]
fn a_postgres_that_does_not_start_says_why() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.settings.push(("shared_buffers".into(), "plenty".into()));
    let error = Server::start_blocking(&binaries(), options).unwrap_err();
    assert!(matches!(error, StartError::Refused { .. }), "{error}");
    assert!(one_line(&error).contains("shared_buffers"), "{error}");
}

#[test]
fn a_configured_folder_without_postgres_is_refused_and_no_other_is_taken() {
    let scene = Scene::new();
    let configured = Some(scene.root.path().to_owned());
    let error = Binaries::find(&BinarySearch { configured, ..search() }).unwrap_err();
    assert!(matches!(error, FindError::Configured { .. }), "{error}");
    assert!(one_line(&error).contains("there is no postgres in it"));
    let configured = Some(binaries().folder().to_owned());
    assert_eq!(Binaries::find(&BinarySearch { configured, ..search() }).unwrap(), binaries());
}

#[test]
fn without_any_postgres_three_lines_say_three_ways_out() {
    let scene = Scene::new();
    let files = scene.folder().join("cluster/files");
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("PG_VERSION"), "99\n").unwrap();
    let error = Binaries::find_for(&scene.folder(), &search()).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[0].contains("--database-url"));
    assert!(lines[1].contains("apt-get install postgresql"));
    assert!(lines[2].contains("put "));
}
