//! A node that follows the log at a hot standby answers as one that follows it at the primary; a standby
//! that falls behind costs it the right to answer, and nobody a stale verdict.

use std::time::{Duration, Instant};

use api::v1::{Denial, ErrorReason};
use harness::{ROLE, Refused, Server, Site, Tables, Tenant};
use keyward::config::{Config, Settings};
use testkit::{DurableServer, Standby, eventually, primary_server, standby_of};

const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(800);

/// Two replicas on one primary; the second follows at its standby.
struct Scene {
    first: Server,
    second: Server,
    standby: Standby,
    _primary: DurableServer,
    _site: Site,
}

impl Scene {
    async fn new() -> Self {
        let primary = primary_server().await;
        harness::prepare(&primary.url()).await;
        let standby = standby_of(&primary).await;
        let site = Site::new().await;
        let config = || {
            let mut config = site.config(primary.url_as(ROLE, "postgres"));
            (config.lease, config.heartbeat) = (LEASE, Duration::from_millis(100));
            config
        };
        let first = Server::start_with(config(), site.operator_token()).await;
        let follow = Some(standby.url_as(ROLE, "postgres").into());
        let second = Config { follow, ..config() };
        let second = Server::start_with(second, site.operator_token()).await;
        Self { first, second, standby, _primary: primary, _site: site }
    }

    /// Lets the standby take in what it has received, or not.
    async fn replay(&self, goes_on: bool) {
        let which = if goes_on { "resume" } else { "pause" };
        let standby = Tables::at(&self.standby.url_as("postgres", "postgres"));
        standby.run(&format!("SELECT pg_wal_replay_{which}()")).await;
    }

    async fn stop(self) {
        self.second.stop().await;
        self.first.stop().await;
    }
}

/// What a node says of a key: accepted, denied, or that it can't say.
async fn verdict(tenant: &Tenant, secret: &str) -> Option<Denial> {
    let asked = tenant.client.clone().keys.verify_key(tenant.question(secret)).await;
    asked.ok().map(|answer| answer.get_ref().denial())
}

#[tokio::test]
async fn what_is_revoked_is_denied_by_a_follower_of_the_standby_when_the_call_returns() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let there = scene.second.tenant(&tenant);
    for _ in 0..10 {
        let made = tenant.create_key("a key").await;
        eventually("the follower knows the key", SOON, async || {
            verdict(&there, &made.secret).await == Some(Denial::Unspecified)
        })
        .await;
        let revoke = tenant.revoke(&made.api_key.unwrap().key_id);
        let revoked = tenant.client.clone().keys.revoke_api_key(revoke).await.unwrap();
        // On a busy machine the standby may be late: the follower says that it can't know, and nothing else.
        let at_once = verdict(&there, &made.secret).await;
        assert!([None, Some(Denial::Revoked)].contains(&at_once), "{at_once:?}");
        let barrier = revoked.into_inner().barrier.unwrap();
        assert_eq!(barrier.confirmed + barrier.fenced, 2);
        eventually("the follower says why", SOON, async || {
            verdict(&there, &made.secret).await == Some(Denial::Revoked)
        })
        .await;
    }
    // It writes as well, to the primary, and sees what it wrote.
    let made = there.create_key("made there").await;
    eventually("the follower knows its own key", SOON, async || {
        verdict(&there, &made.secret).await == Some(Denial::Unspecified)
    })
    .await;
    assert_eq!(there.read_key(&made.api_key.unwrap().key_id).await.name, "made there");
    scene.stop().await;
}

#[tokio::test]
async fn a_standby_that_falls_behind_costs_its_follower_the_right_to_answer() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let there = scene.second.tenant(&tenant);
    let made = tenant.create_key("a key").await;
    eventually("the follower knows the key", SOON, async || {
        verdict(&there, &made.secret).await == Some(Denial::Unspecified)
    })
    .await;
    scene.replay(false).await;
    let began = Instant::now();
    let revoke = tenant.revoke(&made.api_key.unwrap().key_id);
    let revoked = tenant.client.clone().keys.revoke_api_key(revoke).await.unwrap();
    assert!(began.elapsed() >= LEASE, "the call waits until the follower may not answer");
    let barrier = revoked.into_inner().barrier.unwrap();
    assert_eq!((barrier.confirmed, barrier.fenced), (1, 1));
    let refusal = there.client.clone().keys.verify_key(there.question(&made.secret)).await;
    assert_eq!(refusal.refused().reason, ErrorReason::StalenessBoundExceeded);
    assert_eq!(verdict(&tenant, &made.secret).await, Some(Denial::Revoked));
    scene.replay(true).await;
    eventually("the follower has caught up", SOON, async || {
        verdict(&there, &made.secret).await == Some(Denial::Revoked)
    })
    .await;
    scene.stop().await;
}

#[test]
fn a_standby_needs_a_primary_beside_it() {
    let alone = Settings {
        follow_url: Some("postgres://standby/keyward".to_owned().into()),
        ..Settings::default()
    };
    let Err(error) = Config::resolve(alone) else { panic!("it was taken") };
    assert!(error.to_string().contains("--follow-url"), "{error}");
    assert!(error.to_string().contains("--database-url"), "{error}");
}
