//! When a call that takes rights away has returned, no replica accepts what it took: not one that is
//! cut off, not one that has just started, not one whose tail stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::v1::{
    self as wire, Barrier, BarrierWait, Denial, Permission, RevocationReason, RevokeApiKeyRequest,
    RevokeServiceCredentialRequest, SuspendWorkspaceRequest, VerifyKeyResponse,
};
use harness::{ROLE, Server, Site, Tenant};
use testkit::{FaultProxy, eventually};

const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(800);
/// What a busy machine may add to a wait that is bounded by the lease.
const BUSY: Duration = Duration::from_secs(2);

/// What a node says of a key: accepted, denied, or that it can't say.
async fn verdict(tenant: &Tenant, secret: &str) -> Option<Denial> {
    let asked = tenant.client.clone().keys.verify_key(tenant.question(secret)).await;
    asked.ok().map(|answer| VerifyKeyResponse::denial(answer.get_ref()))
}

async fn knows(tenant: &Tenant, secret: &str) {
    eventually("the node knows the key", SOON, async || {
        verdict(tenant, secret).await == Some(Denial::Unspecified)
    })
    .await;
}

async fn revoke(tenant: &Tenant, key_id: &str, wait: BarrierWait) -> (Option<Barrier>, Duration) {
    let request = RevokeApiKeyRequest {
        workspace_id: tenant.id.clone(),
        key_id: key_id.to_owned(),
        reason: RevocationReason::Compromised.into(),
        wait: wait.into(),
        ..RevokeApiKeyRequest::default()
    };
    let began = Instant::now();
    let answer = tenant.client.clone().keys.revoke_api_key(request).await.unwrap().into_inner();
    (answer.barrier, began.elapsed())
}

/// Three replicas of one deployment, the third of which reaches the database through a proxy.
struct Scene {
    site: Site,
    proxy: FaultProxy,
    first: Server,
    second: Server,
    third: Server,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new().await;
        let proxy = FaultProxy::in_front_of(&site.database);
        let start = async |url: String| {
            let mut config = site.config(url);
            (config.lease, config.heartbeat) = (LEASE, Duration::from_millis(100));
            Server::start_with(config, site.operator_token()).await
        };
        let first = start(site.url()).await;
        let second = start(site.url()).await;
        let third = start(proxy.url_as(ROLE, site.database.name())).await;
        Self { first, second, third, site, proxy }
    }

    async fn stop(self) {
        self.third.stop().await;
        self.second.stop().await;
        self.first.stop().await;
        drop(self.site);
    }
}

#[tokio::test]
async fn when_revoke_returns_every_replica_denies_the_key_and_each_has_confirmed() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let others = [scene.second.tenant(&tenant), scene.third.tenant(&tenant)];
    for _ in 0..10 {
        let made = tenant.create_key("a key").await;
        for other in &others {
            knows(other, &made.secret).await;
        }
        let key_id = made.api_key.unwrap().key_id;
        let (barrier, _) = revoke(&tenant, &key_id, BarrierWait::Unspecified).await;
        // Asked once, right away: not eventually.
        for node in others.iter().chain([&tenant]) {
            assert_eq!(verdict(node, &made.secret).await, Some(Denial::Revoked));
        }
        let barrier = barrier.unwrap();
        assert_eq!((barrier.confirmed, barrier.fenced), (3, 0));
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_replica_that_is_cut_off_is_fenced_and_accepts_nothing_once_revoke_has_returned() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let cut_off = scene.third.tenant(&tenant);
    let mut accepted_meanwhile = 0;
    for _ in 0..4 {
        let made = tenant.create_key("a key").await;
        knows(&cut_off, &made.secret).await;
        scene.proxy.blackhole();
        let key_id = made.api_key.unwrap().key_id;
        let returned = Arc::new(AtomicBool::new(false));
        let asking = {
            let (returned, secret) = (Arc::clone(&returned), made.secret.clone());
            let cut_off = cut_off.clone();
            tokio::spawn(async move {
                let mut accepted = 0;
                loop {
                    // Whether the call had returned *before* this was asked.
                    let over = returned.load(Ordering::SeqCst);
                    match verdict(&cut_off, &secret).await {
                        Some(Denial::Unspecified) if over => {
                            panic!("accepted after the revocation")
                        }
                        Some(Denial::Unspecified) => accepted += 1,
                        Some(denial) => panic!("it can't know: {denial:?}"),
                        None if over => return accepted,
                        None => {}
                    }
                }
            })
        };
        let (barrier, took) = revoke(&tenant, &key_id, BarrierWait::AllVerifiers).await;
        returned.store(true, Ordering::SeqCst);
        accepted_meanwhile += asking.await.unwrap();
        let barrier = barrier.unwrap();
        assert_eq!((barrier.confirmed, barrier.fenced), (2, 1), "{barrier:?}");
        let elapsed = Duration::try_from(barrier.elapsed.unwrap()).unwrap();
        assert!(elapsed >= LEASE && elapsed < LEASE + BUSY, "{elapsed:?}");
        assert!(took >= elapsed);
        scene.proxy.resume();
        eventually("the replica is back", SOON, async || {
            verdict(&cut_off, &made.secret).await == Some(Denial::Revoked)
        })
        .await;
    }
    assert!(accepted_meanwhile > 0, "it did answer while the call waited: else nothing was shown");
    scene.stop().await;
}

#[tokio::test]
async fn a_replica_that_stopped_in_order_is_not_waited_for() {
    let scene = Scene::new().await;
    let Scene { first, second, third, .. } = scene;
    let tenant = first.workspace("a workspace").await;
    second.stop().await;
    third.stop().await;
    let key_id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    let (barrier, _) = revoke(&tenant, &key_id, BarrierWait::AllVerifiers).await;
    let barrier = barrier.unwrap();
    assert_eq!((barrier.confirmed, barrier.fenced), (1, 0));
    first.stop().await;
}

#[tokio::test]
async fn a_replica_that_starts_is_not_waited_for_before_it_answers() {
    let site = Site::new().await;
    let first = site.start().await;
    let tenant = first.workspace("a workspace").await;
    let key_id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    // The second one never gets its first row of the read models.
    let held = site.tables().connect().await;
    held.batch_execute("BEGIN; LOCK TABLE readmodel.keys IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let second = Server::launch(site.config(site.url()), site.operator_token()).await;
    eventually("it says that it is there", SOON, async || {
        let sql = "SELECT count(*) FROM log.verifiers";
        site.tables().row(sql, &[]).await.get::<_, i64>(0) == 2
    })
    .await;
    let (barrier, took) = revoke(&tenant, &key_id, BarrierWait::AllVerifiers).await;
    let barrier = barrier.unwrap();
    assert_eq!((barrier.confirmed, barrier.fenced), (1, 0));
    assert!(took < Duration::from_secs(4), "{took:?}");
    held.batch_execute("COMMIT").await.unwrap();
    second.stop().await;
    first.stop().await;
}

#[tokio::test]
async fn without_a_wait_the_answer_says_nothing_of_others() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let key_id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    assert_eq!(revoke(&tenant, &key_id, BarrierWait::None).await.0, None);
    // A revocation that was so already still says whether it is known everywhere.
    let (barrier, _) = revoke(&tenant, &key_id, BarrierWait::AllVerifiers).await;
    assert!(barrier.unwrap().confirmed >= 1);
}

#[tokio::test]
async fn a_repeated_request_waits_as_the_first_one_did() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("a workspace").await;
    let key_id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    let request =
        RevokeApiKeyRequest { request_id: "0123456789abcdef".to_owned(), ..tenant.revoke(&key_id) };
    let first = tenant.client.keys.revoke_api_key(request.clone()).await.unwrap().into_inner();
    let again = tenant.client.keys.revoke_api_key(request).await.unwrap().into_inner();
    assert!(first.barrier.is_some() && again.barrier.is_some());
    assert_eq!(first.api_key, again.api_key);
}

#[tokio::test]
async fn whatever_takes_rights_away_waits_for_every_replica() {
    let scene = Scene::new().await;
    let mut operator = scene.first.operator.clone();
    let tenant = scene.first.workspace("a workspace").await;
    let there = scene.second.tenant(&tenant);
    let made = tenant.create_key("a key").await;
    knows(&there, &made.secret).await;
    let key_id = made.api_key.unwrap().key_id;

    let disabled = tenant.client.clone().keys.disable_api_key(tenant.disable(&key_id)).await;
    assert_eq!(verdict(&there, &made.secret).await, Some(Denial::Disabled));
    assert_eq!(disabled.unwrap().into_inner().barrier.unwrap().confirmed, 3);

    tenant.client.clone().keys.enable_api_key(tenant.enable(&key_id)).await.unwrap();
    knows(&there, &made.secret).await;
    let suspend = SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
    let suspended = operator.workspaces.suspend_workspace(suspend).await;
    assert_eq!(verdict(&there, &made.secret).await, Some(Denial::WorkspaceSuspended));
    assert_eq!(suspended.unwrap().into_inner().barrier.unwrap().confirmed, 3);

    let service = scene.first.service(&[Permission::Verify], &[]).await;
    let asking = scene.second.bearer(&service);
    let question = || tenant.question(&made.secret);
    eventually("the replica knows the service", SOON, async || {
        asking.clone().keys.verify_key(question()).await.is_ok()
    })
    .await;
    let listed = operator
        .workspaces
        .list_service_credentials(wire::ListServiceCredentialsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let credential = listed.service_credentials.first().unwrap().service_credential_id.clone();
    let end = RevokeServiceCredentialRequest {
        service_credential_id: credential,
        ..RevokeServiceCredentialRequest::default()
    };
    let ended = operator.workspaces.revoke_service_credential(end).await;
    assert!(asking.clone().keys.verify_key(question()).await.is_err());
    assert_eq!(ended.unwrap().into_inner().barrier.unwrap().confirmed, 3);

    let reset = wire::ResetWorkspaceTokenRequest {
        workspace_id: tenant.id.clone(),
        ..wire::ResetWorkspaceTokenRequest::default()
    };
    let reset = operator.workspaces.reset_workspace_token(reset).await;
    assert!(there.client.clone().keys.verify_key(question()).await.is_err());
    assert_eq!(reset.unwrap().into_inner().barrier.unwrap().confirmed, 3);
    scene.stop().await;
}

/// What each replica says of a key, asked at once.
async fn everywhere(scene: &Scene, tenant: &Tenant, secret: &str) -> [Option<Denial>; 3] {
    let (second, third) = (scene.second.tenant(tenant), scene.third.tenant(tenant));
    [verdict(tenant, secret).await, verdict(&second, secret).await, verdict(&third, secret).await]
}

#[tokio::test]
async fn whatever_narrows_a_key_or_ends_one_of_its_secrets_waits_for_every_replica() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let mut keys = tenant.client.clone().keys;
    for turn in 0..6 {
        let made = tenant.create_key("a key").await;
        for replica in [&scene.second, &scene.third] {
            knows(&replica.tenant(&tenant), &made.secret).await;
        }
        let id = made.api_key.unwrap().key_id;
        let seconds = scene.first.clock.now().as_second() + 3_600;
        let later = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let restricted = wire::ApiKey {
            ip_allowlist: vec!["192.0.2.7".to_owned()],
            allowed_domains: vec!["example.com".to_owned()],
            not_before: later,
            ..wire::ApiKey::default()
        };
        let update = |path| tenant.update(&id, &[path], restricted.clone());
        let (barrier, told) = match turn {
            0 => {
                let grace = Some(prost_types::Duration::default());
                let request = wire::RotateApiKeyRequest { grace, ..tenant.rotate(&id) };
                let answer = keys.rotate_api_key(request).await.unwrap().into_inner();
                (answer.barrier, Denial::RotatedOut)
            }
            1 => {
                keys.rotate_api_key(tenant.rotate(&id)).await.unwrap();
                let answer = keys.end_rotation_grace(tenant.end_grace(&id)).await.unwrap();
                (answer.into_inner().barrier, Denial::RotatedOut)
            }
            2 => {
                let answer = keys.delete_api_key(tenant.delete(&id)).await.unwrap().into_inner();
                (answer.barrier, Denial::Disabled)
            }
            3 => {
                let answer = keys.update_api_key(update("ip_allowlist")).await.unwrap();
                (answer.into_inner().barrier, Denial::IpRequired)
            }
            4 => {
                let answer = keys.update_api_key(update("allowed_domains")).await.unwrap();
                (answer.into_inner().barrier, Denial::OriginRequired)
            }
            _ => {
                let answer = keys.update_api_key(update("not_before")).await.unwrap();
                (answer.into_inner().barrier, Denial::NotYetValid)
            }
        };
        assert_eq!(everywhere(&scene, &tenant, &made.secret).await, [Some(told); 3], "{turn}");
        assert_eq!(barrier.unwrap().confirmed, 3, "{turn}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn when_nobody_can_be_seen_the_longest_lease_is_waited_for() {
    let scene = Scene::new().await;
    let tenant = scene.first.workspace("a workspace").await;
    let made = tenant.create_key("a key").await;
    let there = scene.second.tenant(&tenant);
    knows(&there, &made.secret).await;
    let key_id = made.api_key.unwrap().key_id;
    // The table of heartbeats can be written, and not read by who looks.
    let tables = scene.site.tables();
    let hide = "ALTER TABLE log.verifiers RENAME COLUMN lease_ms TO lease_hidden";
    tables.run(hide).await;
    let (barrier, took) = revoke(&tenant, &key_id, BarrierWait::AllVerifiers).await;
    assert!(took >= Duration::from_secs(5), "{took:?}");
    assert_ne!(verdict(&there, &made.secret).await, Some(Denial::Unspecified));
    assert_eq!(barrier.unwrap().confirmed, 0);
    scene.stop().await;
}
