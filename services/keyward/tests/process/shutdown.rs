//! The end in order: what is under way finishes, nothing new begins, nothing is left running.

use rustix::process::Signal;
use testkit::eventually;
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::child::{Keyward, PATIENCE};
use crate::client::{Client, channel};
use crate::deployment::{Deployment, SERVICE};
use crate::embedded::{Embedded, postgres_goes};

/// Holds the head of the log, so that every append waits, until it is dropped.
async fn hold_the_log(deployment: &Deployment) -> tokio_postgres::Client {
    let holder = deployment.superuser().await;
    holder.batch_execute("BEGIN; SELECT 1 FROM log.head FOR UPDATE").await.unwrap();
    holder
}

/// Waits until an append stands before the head that somebody holds.
async fn an_append_waits(deployment: &Deployment) {
    let observer = deployment.superuser().await;
    eventually("an append waits for the head", PATIENCE, async || {
        let waiting = "SELECT FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        observer.query_opt(waiting, &[]).await.unwrap().is_some()
    })
    .await;
}

#[tokio::test]
async fn sigterm_lets_a_call_under_way_finish_and_takes_no_new_connection() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let address = keyward.address();
    let mut client = Client::new(address, &tenant);
    let holder = hold_the_log(&deployment).await;
    let call = tokio::spawn(async move { client.create(client.plain_key()).await });
    an_append_waits(&deployment).await;

    keyward.signal(Signal::TERM);
    eventually("new connections are refused", PATIENCE, async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(!call.is_finished());
    drop(holder);

    let created = call.await.unwrap().expect("the call finishes");
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let again = deployment.serve(&[]).await;
    Client::new(again.address(), &tenant).assert_accepted(&created.secret).await;
}

#[tokio::test]
async fn a_change_whose_client_has_gone_is_finished_before_the_end() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let holder = hold_the_log(&deployment).await;
    let call = tokio::spawn(async move { client.create(client.plain_key()).await });
    an_append_waits(&deployment).await;
    call.abort();
    call.await.unwrap_err();

    keyward.signal(Signal::TERM);
    keyward.logged("waiting for calls whose clients have gone").await;
    drop(holder);
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let tail = deployment.run(SERVICE, &["events", "tail", "--no-follow", "--after", "1"]).await;
    assert!(tail.out.contains("api_key.created"), "{} {}", tail.out, finished.err);
}

#[tokio::test]
async fn an_open_health_watch_does_not_hold_the_drain_and_is_told_why_it_ends() {
    let deployment = Deployment::new().await;
    let keyward = deployment.serve(&["--drain-ms", "600000"]).await;
    let mut health = HealthClient::new(channel(keyward.address()));
    let mut statuses = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    statuses.message().await.unwrap().expect("the status now");

    keyward.signal(Signal::TERM);
    let end = loop {
        match timeout(PATIENCE, statuses.message()).await.expect("it ends") {
            Ok(status) => assert!(status.is_some(), "it ends without a word"),
            Err(end) => break end,
        }
    };
    assert_eq!(end.get_error_details().error_info().unwrap().reason, "SHUTTING_DOWN");
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&["--drain-ms", "600000"]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let _holder = hold_the_log(&deployment).await;
    let call = tokio::spawn(async move { client.create(client.plain_key()).await });
    an_append_waits(&deployment).await;

    keyward.signal(Signal::TERM);
    keyward.logged("draining").await;
    keyward.signal(Signal::TERM);
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(130), "{}", finished.err);
    call.await.unwrap().expect_err("nobody was left to answer it");
}

async fn stops_with_its_postgres(stop: impl AsyncFnOnce(Keyward) -> Option<i32>, code: i32) {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let postmaster = embedded.postmaster();
    assert_eq!(stop(keyward).await, Some(code));
    if code == 0 {
        assert!(embedded.postgres_is_gone(postmaster), "it goes before keyward does");
    }
    postgres_goes(&embedded, postmaster).await;
}

#[tokio::test]
async fn sigterm_stops_the_private_postgres_too() {
    stops_with_its_postgres(async |keyward| keyward.stop().await.code, 0).await;
}

#[tokio::test]
async fn ctrl_c_in_a_terminal_stops_both_in_order() {
    let stop = async |keyward: Keyward| {
        keyward.interrupt_all();
        let finished = keyward.finish().await;
        let troubled = finished.err.lines().find(|line| {
            ["WARN", "ERROR"].iter().any(|level| line.contains(&format!("\"level\":\"{level}\"")))
        });
        assert_eq!(troubled, None, "an orderly end is no trouble");
        finished.code
    };
    stops_with_its_postgres(stop, 0).await;
}
