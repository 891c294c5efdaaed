//! Nobody's death leaves an orphan or a folder that cannot be started again.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::time::Duration;

use pgserver::Server;
use rustix::process::Signal;

use crate::scene::{Owner, Scene, ask, binaries, connect, kill, runs, wait_until};

#[tokio::test]
async fn a_killed_owner_takes_postgres_along() {
    let scene = Scene::new();
    let owner = Owner::start(&scene.folder());
    let postmaster = owner.postmaster;
    assert!(runs(postmaster));
    owner.kill();
    wait_until("postgres has ended", || !runs(postmaster));
}

#[tokio::test]
async fn after_a_killed_owner_the_folder_starts_at_once() {
    let scene = Scene::new();
    let owner = Owner::start(&scene.folder());
    let url = pgserver::attach(&scene.folder()).unwrap().unwrap().superuser_url().to_owned();
    let client = connect(&url).await.unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    let postmaster = owner.postmaster;
    owner.kill();
    let server = scene.start().await;
    assert!(!runs(postmaster));
    assert_eq!(ask(&url, "SELECT word FROM t").await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_postmaster_is_noticed_and_started_again() {
    let scene = Scene::new();
    let mut server = scene.start().await;
    let url = server.superuser_url();
    let client = connect(&url).await.unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    client.batch_execute("CHECKPOINT").await.unwrap();
    kill(server.pid(), Signal::KILL);
    server.ended().await;
    assert_eq!(server.ended_blocking(Duration::ZERO).map(|status| status.success()), Some(false));
    server.restart_blocking().unwrap();
    assert_eq!(ask(&url, "SELECT word FROM t").await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_supervised_server_comes_back_by_itself() {
    let scene = Scene::new();
    let server = scene.start().await;
    let (url, pid) = (server.superuser_url(), server.pid());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let supervised = tokio::spawn(server.supervise(async {
        let _ = stopped.await;
    }));
    kill(pid, Signal::KILL);
    let start = std::time::Instant::now();
    while connect(&url).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(()).unwrap();
    supervised.await.unwrap().unwrap();
    assert!(connect(&url).await.is_err());
}

#[tokio::test]
async fn a_left_pid_file_whose_id_another_program_has_does_not_stop_the_start() {
    let scene = Scene::new();
    scene.start().await.stop().await.unwrap();
    let file = scene.folder().join("cluster/files/postmaster.pid");
    std::fs::write(file, format!("{}\n/elsewhere\n1\n5432\n", std::process::id())).unwrap();
    scene.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_never_used() {
    let scene = Scene::new();
    let unfinished = scene.folder().join("cluster.unfinished/files");
    std::fs::create_dir_all(&unfinished).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    open(&scene);
    let server = scene.start().await;
    assert!(!unfinished.exists());
    assert_eq!(ask(&server.superuser_url(), "SELECT 'whole'").await, "whole");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let scene = Scene::new();
    let server = Server::start(&binaries(), scene.options()).await.unwrap();
    let pid = server.pid();
    drop(server);
    wait_until("postgres has ended", || !runs(pid));
}

/// The folder was made by the test, under whatever umask.
fn open(scene: &Scene) {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(scene.folder(), open).unwrap();
}
