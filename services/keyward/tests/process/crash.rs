//! `kill -9` at any moment loses nothing that was acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use testkit::eventually;
use tokio::task::JoinSet;

use crate::child::PATIENCE;
use crate::client::{Client, Tenant};
use crate::embedded::{Embedded, postgres_goes};

/// Clients that create keys for as long as this lives.
struct Creators {
    acknowledged: Arc<Mutex<Vec<String>>>,
    _clients: JoinSet<()>,
}

impl Creators {
    fn start(address: SocketAddr, tenant: &Tenant) -> Self {
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let mut client = Client::new(address, tenant);
            let acknowledged = Arc::clone(&acknowledged);
            clients.spawn(async move {
                let mut pace = tokio::time::interval(Duration::from_millis(4));
                loop {
                    pace.tick().await;
                    if let Ok(created) = client.create(client.plain_key()).await {
                        acknowledged.lock().unwrap().push(created.secret);
                    }
                }
            });
        }
        Self { acknowledged, _clients: clients }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    async fn reach(&self, count: usize) {
        let what = format!("{count} acknowledged keys");
        eventually(&what, PATIENCE, async || self.count() >= count).await;
    }

    /// Every key that was acknowledged, and no more of them.
    fn end(self) -> Vec<String> {
        self.acknowledged.lock().unwrap().clone()
    }
}

async fn assert_all_verify(address: SocketAddr, tenant: &Tenant, keys: &[String]) {
    let mut client = Client::new(address, tenant);
    for key in keys {
        client.assert_accepted(key).await;
    }
}

#[tokio::test]
async fn kill_9_of_the_service_loses_no_acknowledged_key() {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let postmaster = embedded.postmaster();
    let tenant = Tenant::printed(&keyward.out());
    let creators = Creators::start(keyward.address(), &tenant);
    creators.reach(40).await;
    keyward.kill().await;
    postgres_goes(&embedded, postmaster).await;
    let keys = creators.end();

    let again = embedded.serve().await;
    assert_all_verify(again.address(), &tenant, &keys).await;
    again.stop().await;
    let verified = embedded.run(&["verify-log"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    assert!(verified.out.starts_with("sound: "), "{}", verified.out);
}

#[tokio::test]
async fn kill_9_of_the_private_postgres_is_recovered_from_without_a_restart() {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let tenant = Tenant::printed(&keyward.out());
    let creators = Creators::start(keyward.address(), &tenant);
    creators.reach(20).await;
    let killed = embedded.postmaster();
    kill_process(killed, Signal::KILL).unwrap();
    keyward.logged("the managed postgres ended").await;
    creators.reach(creators.count() + 20).await;
    assert_ne!(embedded.postmaster(), killed);
    let keys = creators.end();

    assert_all_verify(keyward.address(), &tenant, &keys).await;
    let verified = embedded.run(&["verify-log"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    assert!(verified.out.starts_with("sound: "), "{}", verified.out);
    keyward.stop().await;
}
