//! Certificates that are replaced while the service runs.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use testkit::eventually;

use crate::child::{Keyward, PATIENCE};
use crate::observability::scrape;
use crate::tls::{Authority, Leaf, Scene};

const EXPIRY: &str = "keyward_tls_certificate_expiry_timestamp_seconds";

fn replace(scene: &Scene, leaf: &Leaf) {
    // As deployments do: a new file in the place of the old one.
    for (name, text) in
        [("server.pem", leaf.certificate.pem()), ("server.key", leaf.key.serialize_pem())]
    {
        let new = scene.write("new", &text);
        std::fs::rename(new, scene.deployment.file(name)).unwrap();
    }
}

/// Whether a new client that trusts this authority alone is served.
async fn trusted(scene: &Scene, keyward: &Keyward, authority: &Authority) -> bool {
    let mut client = scene.client(keyward.address(), authority.client(None));
    client.verify("x").await.is_ok()
}

#[tokio::test]
async fn a_new_certificate_is_taken_by_new_connections_and_old_ones_go_on() {
    let scene = Scene::new().await;
    let keyward = scene.serve(&[]).await;
    let mut before = scene.client(keyward.address(), scene.authority.client(None));
    let key = before.create(before.plain_key()).await.unwrap().secret;
    before.assert_accepted(&key).await;

    let next = Authority::new();
    assert!(!trusted(&scene, &keyward, &next).await);
    // Nobody says so: it is seen.
    replace(&scene, &next.sign("localhost"));
    eventually("the new certificate", PATIENCE, async || trusted(&scene, &keyward, &next).await)
        .await;
    assert!(!trusted(&scene, &keyward, &scene.authority).await, "the old one is gone");
    before.assert_accepted(&key).await;
    let metrics = scrape(keyward.metrics_address()).await;
    assert!(metrics.contains("keyward_tls_reloads_total{result=\"loaded\"} 1"), "{metrics}");
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_one_line_and_the_old_one_stays() {
    let scene = Scene::new().await;
    let keyward = scene.serve(&[]).await;
    let other = Authority::new().sign("localhost");
    scene.write("server.pem", &other.certificate.pem());
    keyward.logged("certificates were refused").await;
    assert!(trusted(&scene, &keyward, &scene.authority).await);
    // SIGHUP reads at once, whether anything has changed or not.
    keyward.signal(Signal::HUP);
    let refused = "keyward_tls_reloads_total{result=\"refused\"} 2";
    eventually(refused, PATIENCE, async || {
        scrape(keyward.metrics_address()).await.contains(refused)
    })
    .await;
    std::fs::remove_file(scene.deployment.file("server.key")).unwrap();
    keyward.logged("can't read PEM from").await;
    assert!(trusted(&scene, &keyward, &scene.authority).await);
    replace(&scene, &other);
    keyward.logged("certificates were read again").await;
    assert!(!trusted(&scene, &keyward, &scene.authority).await);
    let finished = keyward.stop().await;
    let lines = finished.err.lines().filter(|line| line.contains("certificates were refused"));
    assert_eq!(lines.count(), 3, "one a state of the files: {}", finished.err);
    assert!(!finished.err.contains("PRIVATE"), "nothing of the files is told");
}

#[tokio::test]
async fn a_root_that_is_taken_away_vouches_for_nobody_any_more() {
    let scene = Scene::new().await;
    let (old, new) = (Authority::new(), Authority::new());
    let roots = scene.write("clients.pem", &old.0.pem());
    let keyward = scene.serve(&["--tls-client-ca", roots.to_str().unwrap()]).await;
    let leaf = old.sign("a client");
    // The same configuration each time: it would take its session up again if it could.
    let config = scene.authority.client(Some(&leaf));
    let served = async || scene.client(keyward.address(), config.clone()).verify("x").await.is_ok();
    assert!(served().await && served().await);
    replace_roots(&roots, &new);
    keyward.signal(Signal::HUP);
    keyward.logged("certificates were read again").await;
    assert!(!served().await);
}

fn replace_roots(roots: &Path, authority: &Authority) {
    std::fs::write(roots, authority.0.pem()).unwrap();
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_warned_of_and_its_end_is_a_metric() {
    let scene = Scene::new().await;
    let soon = std::time::UNIX_EPOCH.elapsed().unwrap() + Duration::from_secs(3 * 86_400);
    let leaf = scene.authority.sign_as("localhost", |params| {
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + soon;
    });
    replace(&scene, &leaf);
    let keyward = scene.serve(&[]).await;
    keyward.logged("the certificate expires soon").await;
    let metrics = scrape(keyward.metrics_address()).await;
    let line = metrics.lines().find(|line| line.starts_with(EXPIRY)).unwrap();
    let told: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(told, soon.as_secs() as f64);
}
