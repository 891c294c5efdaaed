//! A failover that loses the log's tail: the nodes find it by themselves, drop what never happened, and
//! go on without a restart.

use std::time::Duration;

use api::v1::{Denial, VerifyKeyResponse};
use harness::{ROLE, Server, Site, Tenant};
use testkit::{FaultProxy, eventually};

const SOON: Duration = Duration::from_secs(20);

async fn verdict(tenant: &Tenant, secret: &str) -> Option<Denial> {
    let asked = tenant.client.clone().keys.verify_key(tenant.question(secret)).await;
    asked.ok().map(|answer| VerifyKeyResponse::denial(answer.get_ref()))
}

/// What a failover leaves behind.
struct Scene {
    _site: Site,
    _proxy: FaultProxy,
    node: Server,
    tenant: Tenant,
    /// A key that the new primary has.
    kept: String,
    /// A key that it has not.
    lost: String,
}

/// A node that has seen what a failover then loses; `written_on` is how many keys another node makes
/// on the new primary before this one can reach it.
async fn after_the_tail_was_lost(written_on: usize) -> Scene {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let node = site.start_at(proxy.url_as(ROLE, site.database.name())).await;
    let tenant = node.workspace("a workspace").await;
    let kept = tenant.create_key("kept").await.secret;

    proxy.cut();
    let standby = site.database.fork().await;
    proxy.resume();
    let lost = eventually("the node writes again", SOON, async || {
        let made = tenant.client.clone().keys.create_api_key(tenant.key("lost")).await;
        made.ok().map(|made| made.into_inner().secret)
    })
    .await;
    eventually("the key is known", SOON, async || {
        verdict(&tenant, &lost).await == Some(Denial::Unspecified)
    })
    .await;

    proxy.cut();
    site.database.fail_over_to(standby).await;
    if written_on > 0 {
        let other = site.start().await;
        let there = other.tenant(&tenant);
        for number in 0..written_on {
            there.create_key(&format!("written on {number}")).await;
        }
        other.stop().await;
    }
    proxy.resume();
    Scene { _site: site, _proxy: proxy, node, tenant, kept, lost }
}

#[tokio::test]
async fn a_node_forgets_what_a_failover_lost_and_serves_on_without_a_restart() {
    // The positions that were lost are given to nobody, to some, to all and more.
    for written_on in [0, 1, 5] {
        let scene = after_the_tail_was_lost(written_on).await;
        let Scene { node, tenant, kept, lost, .. } = scene;
        eventually("the lost key is unknown", SOON, async || {
            verdict(&tenant, &lost).await == Some(Denial::NotFound)
        })
        .await;
        assert_eq!(verdict(&tenant, &kept).await, Some(Denial::Unspecified), "{written_on}");
        // Writing, and reading one's own writes, come back too.
        let made = eventually("the node writes again", SOON, async || {
            let made = tenant.client.clone().keys.create_api_key(tenant.key("new")).await;
            made.ok().map(tonic::Response::into_inner)
        })
        .await;
        let list = tenant.client.clone().keys.list_api_keys(tenant.list()).await.unwrap();
        let names: Vec<_> = list.get_ref().api_keys.iter().map(|key| key.name.as_str()).collect();
        assert!(names.contains(&"new") && names.contains(&"kept"), "{names:?}");
        assert!(!names.contains(&"lost"), "{names:?}");
        assert_eq!(names.len(), 2 + written_on, "{names:?}");
        assert_eq!(verdict(&tenant, &made.secret).await, Some(Denial::Unspecified));
        node.stop().await;
    }
}
