//! The start: a signal breaks it off in order, and what it alone can show is never lost.

use std::fs::File;

use rustix::process::Signal;
use testkit::eventually;

use crate::child::{Finished, Keyward, PATIENCE};
use crate::client::{Client, Tenant};
use crate::deployment::Deployment;
use crate::embedded::Embedded;

/// Starts on an empty folder, sends SIGTERM once `come` is true, and waits for the end.
async fn stopped_when(embedded: &Embedded, come: impl Fn() -> bool) -> Finished {
    let keyward = embedded.start(&[]);
    eventually("the start has come so far", PATIENCE, async || come()).await;
    keyward.signal(Signal::TERM);
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    finished
}

#[tokio::test]
async fn sigterm_while_the_private_postgres_is_made_or_started_leaves_nothing_behind() {
    for come in ["cluster.unfinished/files", "cluster", "cluster/files/postmaster.pid"] {
        let embedded = Embedded::new();
        let path = embedded.folder().join(come);
        let stopped = stopped_when(&embedded, || path.exists()).await;
        assert_eq!(stopped.out, "", "it ends before it serves");
        assert_eq!(embedded.at_work(), [""; 0], "after {come} was there");
        assert!(!embedded.pid_file().exists());
        // Nor is the folder spoilt for the next start.
        embedded.serve().await.stop().await;
    }
}

#[tokio::test]
async fn sigterm_while_the_verifier_warms_up_ends_it_at_once() {
    let deployment = Deployment::new().await;
    let holder = deployment.superuser().await;
    // Without heartbeats there is no lease, and without a lease nothing is ready.
    holder.batch_execute("BEGIN; LOCK TABLE log.verifiers IN EXCLUSIVE MODE").await.unwrap();
    let keyward = deployment.start(&[]).await;
    keyward.logged("the verifier is warm").await;
    keyward.signal(Signal::TERM);
    let finished = keyward.finish().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    assert_eq!(finished.out, "", "it did not wait for the verifier first");
    drop(holder);
}

#[tokio::test]
async fn a_demo_token_that_could_not_be_shown_is_replaced_at_the_next_start() {
    let embedded = Embedded::new();
    let mut unheard = embedded.serving(&[]);
    unheard.stdout(File::options().write(true).open("/dev/full").unwrap());
    let finished = Keyward::start(unheard).finish().await;
    assert_eq!(finished.code, Some(1), "{}", finished.err);
    assert_eq!(embedded.at_work(), [""; 0], "it stops in order all the same");

    let keyward = embedded.serve().await;
    let banner = keyward.out();
    assert!(banner.contains("may not have been shown"), "{banner}");
    let tenant = Tenant::printed(&banner);
    let mut client = Client::new(keyward.address(), &tenant);
    client.create(client.plain_key()).await.expect("the new token is good");
    keyward.stop().await;

    let again = embedded.serve().await;
    let banner = again.out();
    assert!(banner.contains("was shown at an earlier start"), "{banner}");
    let mut client = Client::new(again.address(), &tenant);
    client.create(client.plain_key()).await.expect("and stays so");
    again.stop().await;
}
