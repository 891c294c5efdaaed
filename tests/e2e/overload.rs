//! More calls at once than a server takes on are shed, with when to come back.

use api::v1::ErrorReason;
use harness::{Refused, Server, Site};

#[tokio::test]
async fn a_burst_beyond_the_limit_is_shed() {
    let site = Site::new().await;
    let mut config = site.config(site.url());
    config.max_management_calls = 2;
    let server = Server::start_with(config, site.operator_token()).await;
    let tenant = server.workspace("burst").await;
    // The head is locked, so that calls that write stay under way.
    let mut other = site.tables().connect().await;
    let lock = other.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM log.head FOR UPDATE", &[]).await.unwrap();
    let calls: Vec<_> = (0..3)
        .map(|n| {
            let (mut keys, request) = (tenant.client.keys.clone(), tenant.key(&format!("key {n}")));
            tokio::spawn(async move { keys.create_api_key(request).await })
        })
        .collect();
    let shed = testkit::eventually("one is shed", std::time::Duration::from_secs(5), async || {
        calls.iter().position(tokio::task::JoinHandle::is_finished)
    })
    .await;
    let verdict = tenant.client.keys.clone().verify_key(tenant.question("x")).await;
    assert!(verdict.is_ok(), "verdicts have a class of their own");
    lock.rollback().await.unwrap();
    for (n, call) in calls.into_iter().enumerate() {
        let answered = call.await.unwrap();
        if n == shed {
            assert_eq!(answered.refused().reason, ErrorReason::Overloaded);
        } else {
            answered.unwrap();
        }
    }
}
