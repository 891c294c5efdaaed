//! A server starts, keeps what it was given, is found by others, and stops.

use std::os::unix::fs::PermissionsExt;

use pgserver::{Options, Server, attach, cluster_major};
use rustix::process::{Pid, getpgid};

use crate::scene::{Scene, ask, binaries, connect, runs};

#[tokio::test]
async fn rows_are_kept_over_a_stop_and_a_start() {
    let scene = Scene::new();
    let server = scene.start().await;
    let client = connect(&server.superuser_url()).await.unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    let (pid, url) = (server.pid(), server.superuser_url());
    server.stop().await.unwrap();
    assert!(!runs(pid));
    assert!(connect(&url).await.is_err());
    let server = scene.start().await;
    assert_eq!(server.superuser_url(), url);
    assert_eq!(ask(&url, "SELECT word FROM t").await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn by_default_commits_are_durable_pages_are_checked_and_only_the_socket_listens() {
    let scene = Scene::new();
    let server = Server::start(&binaries(), Options::new(scene.folder())).await.unwrap();
    let expected = [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
    ];
    for (name, value) in expected {
        let question = format!("SELECT current_setting('{name}')");
        assert_eq!(ask(&server.superuser_url(), &question).await, value, "{name}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn only_who_knows_the_password_gets_in() {
    let scene = Scene::new();
    let server = scene.start().await;
    let password = scene.folder().join("cluster/password");
    let mode = std::fs::metadata(password).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.password().len(), 64);
    connect(&server.superuser_url()).await.unwrap();
    let wrong = server.superuser_url().replace(server.password(), "00");
    assert!(connect(&wrong).await.is_err());
    assert!(connect(&server.url_without_password("postgres", "postgres")).await.is_err());
    assert!(!format!("{server:?}").contains(server.password()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_running_server_is_found_and_a_stopped_one_is_not() {
    let scene = Scene::new();
    assert!(attach(&scene.folder()).unwrap().is_none());
    assert_eq!(cluster_major(&scene.folder()), None);
    let server = scene.start().await;
    assert_eq!(cluster_major(&scene.folder()), Some(server.binaries().version().major));
    let running = attach(&scene.folder()).unwrap().unwrap();
    assert_eq!(running.superuser_url(), server.superuser_url());
    drop(running);
    ask(&server.superuser_url(), "SELECT 'not stopped by that'").await;
    server.stop().await.unwrap();
    assert!(attach(&scene.folder()).unwrap().is_none());
}

#[tokio::test]
async fn a_long_path_gets_its_socket_elsewhere() {
    let scene = Scene::new();
    let folder = scene.root.path().join("long".repeat(30));
    let mut options = scene.options();
    options.folder.clone_from(&folder);
    let server = Server::start(&binaries(), options).await.unwrap();
    let socket_folder = server.socket_folder().to_owned();
    assert!(!socket_folder.starts_with(&folder));
    assert!(server.socket().as_os_str().len() <= 107);
    let mode = std::fs::metadata(&socket_folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    let running = attach(&folder).unwrap().unwrap();
    assert_eq!(ask(&running.superuser_url(), "SELECT 'here'").await, "here");
    server.stop().await.unwrap();
    assert!(!socket_folder.exists());
}

#[tokio::test]
async fn a_signal_to_the_group_of_the_terminal_does_not_reach_postgres() {
    let scene = Scene::new();
    let server = scene.start().await;
    let pid = Pid::from_raw(server.pid());
    assert_eq!(getpgid(pid).unwrap(), pid.unwrap());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_temporary_folder_is_gone_after_the_stop() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.temporary = true;
    let server = Server::start(&binaries(), options).await.unwrap();
    server.stop().await.unwrap();
    assert!(!scene.folder().exists());
}
