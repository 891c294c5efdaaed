//! What an answer is worth: STARTING_UP, the lease, consistency tokens, and what other nodes did.

use std::time::{Duration, Instant};

use api::v1::consistency::Requirement;
use api::v1::{
    BarrierWait, Consistency, Denial, ErrorReason, RevokeApiKeyRequest, VerifyKeyRequest,
    VerifyKeyResponse,
};
use harness::{ROLE, Refusal, Server, Site, Tenant};
use testkit::{FaultProxy, Mode, eventually};
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const LEASE: Duration = Duration::from_millis(800);
const SOON: Duration = Duration::from_secs(20);

/// A deployment with a proxy in front of its database.
struct Scene {
    site: Site,
    proxy: FaultProxy,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new().await;
        let proxy = FaultProxy::in_front_of(&site.database);
        Self { site, proxy }
    }

    /// A server that reaches the database through the proxy, with a short lease.
    async fn launch(&self) -> Server {
        let url = self.proxy.url_as(ROLE, self.site.database.name());
        let mut config = self.site.config(url);
        (config.lease, config.heartbeat) = (LEASE, Duration::from_millis(100));
        Server::launch(config, self.site.operator_token()).await
    }

    async fn start(&self) -> Server {
        let server = self.launch().await;
        assert!(server.app().ready(SOON).await);
        server
    }
}

async fn try_verify(
    tenant: &Tenant,
    request: VerifyKeyRequest,
) -> Result<VerifyKeyResponse, Refusal> {
    let answered = tenant.client.clone().keys.verify_key(request).await;
    answered.map(tonic::Response::into_inner).map_err(|status| Refusal::of(&status))
}

fn at_least(tenant: &Tenant, secret: &str, token: &str) -> VerifyKeyRequest {
    let requirement = Some(Requirement::AtLeast(token.to_owned()));
    VerifyKeyRequest { consistency: Some(Consistency { requirement }), ..tenant.question(secret) }
}

async fn health(server: &Server, service: &str) -> i32 {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut client = HealthClient::new(server.channel().clone());
    client.check(request).await.unwrap().into_inner().status
}

const READINESS: [&str; 4] =
    ["", "keyward.v1.ApiKeyService", "keyward.v1.WorkspaceService", "keyward.v1.AuditService"];

async fn becomes(server: &Server, status: ServingStatus) {
    for service in READINESS {
        eventually("the health changes", SOON, async || {
            health(server, service).await == status as i32
        })
        .await;
    }
    // Liveness never depends on the database.
    assert_eq!(health(server, "keyward.liveness").await, ServingStatus::Serving as i32);
}

#[tokio::test]
async fn before_the_first_catch_up_nothing_is_decided_and_health_says_so() {
    let scene = Scene::new().await;
    let first = scene.site.start().await;
    let tenant = first.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    // The second node opens the log, and then can't read a line more of it: the statement that the
    // warm start begins with never gets through.
    let held = scene.site.tables().connect().await;
    held.batch_execute("BEGIN; LOCK TABLE readmodel.keys IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let second = scene.launch().await;
    let asked = second.tenant(&tenant);
    for _ in 0..20 {
        let refusal = try_verify(&asked, asked.question(&secret)).await.unwrap_err();
        assert_eq!(refusal.reason, ErrorReason::StartingUp);
        assert_eq!(refusal.code, Code::Unavailable);
        assert!(refusal.retry_after.is_some());
    }
    becomes(&second, ServingStatus::NotServing).await;
    assert!(!second.app().ready(Duration::ZERO).await);
    held.batch_execute("COMMIT").await.unwrap();
    becomes(&second, ServingStatus::Serving).await;
    assert_eq!(
        try_verify(&asked, asked.question(&secret)).await.unwrap().denial(),
        Denial::Unspecified
    );
    second.stop().await;
    first.stop().await;
}

#[tokio::test]
async fn without_the_database_verdicts_go_on_for_the_lease_and_not_longer_and_come_back() {
    let scene = Scene::new().await;
    let server = scene.start().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    for fault in [Mode::Blackhole, Mode::Cut, Mode::Pause] {
        eventually("the node answers", SOON, async || {
            try_verify(&tenant, tenant.question(&secret)).await.is_ok()
        })
        .await;
        match fault {
            Mode::Blackhole => scene.proxy.blackhole(),
            Mode::Cut => scene.proxy.cut(),
            Mode::Pause => scene.proxy.pause(),
            Mode::Pass | Mode::BlackholeOneWay(_) => unreachable!(),
        }
        let began = Instant::now();
        let mut answered = 0;
        let refusal = loop {
            match try_verify(&tenant, tenant.question(&secret)).await {
                Ok(verdict) => {
                    answered += 1;
                    let staleness = verdict.freshness.unwrap().staleness.unwrap();
                    let staleness = Duration::try_from(staleness).unwrap();
                    assert!(staleness < LEASE, "{fault:?}: {staleness:?}");
                    assert_eq!(verdict.denial, Denial::Unspecified as i32);
                }
                Err(refusal) => break refusal,
            }
            // Nothing that was sent before the fault renews it beyond this.
            let late = began.elapsed() > LEASE + Duration::from_secs(2);
            assert!(!late, "{fault:?}: verdicts {:?} after the database went", began.elapsed());
        };
        assert!(answered > 0, "{fault:?}: no verdict within the lease");
        assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded, "{fault:?}");
        assert!(refusal.retry_after.is_some());
        becomes(&server, ServingStatus::NotServing).await;
        let refusal = try_verify(&tenant, tenant.question(&secret)).await.unwrap_err();
        assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded, "{fault:?}");
        scene.proxy.resume();
        becomes(&server, ServingStatus::Serving).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_node_that_is_cut_off_accepts_a_revoked_key_for_no_longer_than_its_lease() {
    let scene = Scene::new().await;
    let (writer, cut_off) = (scene.site.start().await, scene.start().await);
    let tenant = writer.workspace("a workspace").await;
    let made = tenant.create_key("a key").await;
    let (key_id, secret) = (made.api_key.unwrap().key_id, made.secret);
    let asked = cut_off.tenant(&tenant);
    let request = at_least(&asked, &secret, &made.consistency_token);
    eventually("the second node knows the key", SOON, async || {
        try_verify(&asked, request.clone()).await.is_ok()
    })
    .await;
    scene.proxy.blackhole();
    // Without the barrier, which would return only when the node has fallen silent.
    let at_once = RevokeApiKeyRequest { wait: BarrierWait::None.into(), ..tenant.revoke(&key_id) };
    tenant.client.clone().keys.revoke_api_key(at_once).await.unwrap();
    let revoked = Instant::now();
    let mut last_accepted = None;
    let refusal = loop {
        let began = Instant::now();
        match try_verify(&asked, asked.question(&secret)).await {
            Ok(verdict) if verdict.denial() == Denial::Unspecified => last_accepted = Some(began),
            Ok(verdict) => panic!("it can't know: {verdict:?}"),
            Err(refusal) => break refusal,
        }
        assert!(revoked.elapsed() < LEASE * 5, "it accepts the key for ever");
    };
    assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded);
    let accepted = last_accepted.expect("the node answered on within its lease");
    let stale = accepted.saturating_duration_since(revoked);
    assert!(stale < LEASE, "accepted {stale:?} after the revocation");
    // Back on the line it never accepts it again.
    scene.proxy.resume();
    let verdict = eventually("the second node is back", SOON, async || {
        try_verify(&asked, asked.question(&secret)).await.ok()
    })
    .await;
    assert_eq!(verdict.denial(), Denial::Revoked);
    cut_off.stop().await;
    writer.stop().await;
}

#[tokio::test]
async fn a_revocation_on_one_node_is_a_denial_on_the_other_within_the_lease() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("a workspace").await;
    let asked = replica.tenant(&tenant);
    for _ in 0..20 {
        let made = tenant.create_key("a key").await;
        let request = at_least(&asked, &made.secret, &made.consistency_token);
        eventually("the replica has the key", SOON, async || {
            try_verify(&asked, request.clone()).await.is_ok()
        })
        .await;
        tenant.revoke_key(&made.api_key.unwrap().key_id).await;
        let revoked = Instant::now();
        eventually("the replica denies the key", SOON, async || {
            try_verify(&asked, asked.question(&made.secret)).await.unwrap().denial()
                == Denial::Revoked
        })
        .await;
        // The lease of the harness.
        assert!(revoked.elapsed() < Duration::from_secs(5));
    }
    replica.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn at_least_on_another_node_sees_the_write_or_says_that_it_does_not() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("a workspace").await;
    let asked = replica.tenant(&tenant);
    eventually("the replica knows the workspace", SOON, async || {
        try_verify(&asked, asked.question("x")).await.is_ok()
    })
    .await;
    let (mut seen, mut not_reached) = (0, 0);
    for _ in 0..50 {
        let made = tenant.create_key("a key").await;
        match try_verify(&asked, at_least(&asked, &made.secret, &made.consistency_token)).await {
            Ok(verdict) => {
                assert_eq!(verdict.denial(), Denial::Unspecified);
                seen += 1;
            }
            Err(refusal) => {
                assert_eq!(refusal.reason, ErrorReason::ConsistencyTokenNotReached);
                not_reached += 1;
            }
        }
    }
    assert!(seen > 25, "{seen} seen, {not_reached} not reached: a replica follows in milliseconds");
    replica.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_cut_off_node_says_within_a_tenth_of_a_second_that_it_has_not_reached_a_token() {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let writer = site.start().await;
    // The longest lease: it must be the token that is not reached.
    let cut_off = site.start_at(proxy.url_as(ROLE, site.database.name())).await;
    let tenant = writer.workspace("a workspace").await;
    let asked = cut_off.tenant(&tenant);
    let known = tenant.create_key("known").await;
    let request = at_least(&asked, &known.secret, &known.consistency_token);
    eventually("the second node knows the key", SOON, async || {
        try_verify(&asked, request.clone()).await.is_ok()
    })
    .await;
    proxy.pause();
    let unknown = tenant.create_key("unknown").await;
    let began = Instant::now();
    let request = at_least(&asked, &unknown.secret, &unknown.consistency_token);
    let refusal = try_verify(&asked, request.clone()).await.unwrap_err();
    let took = began.elapsed();
    assert_eq!(refusal.reason, ErrorReason::ConsistencyTokenNotReached);
    assert!((100..1_500).contains(&took.as_millis()), "{took:?}");
    // What asks for no more than the node has is answered.
    let old = at_least(&asked, &known.secret, &known.consistency_token);
    assert_eq!(try_verify(&asked, old).await.unwrap().denial(), Denial::Unspecified);
    proxy.resume();
    let verdict = eventually("the token is reached", SOON, async || {
        try_verify(&asked, request.clone()).await.ok()
    })
    .await;
    assert_eq!(verdict.denial(), Denial::Unspecified);
    cut_off.stop().await;
    writer.stop().await;
}

#[tokio::test]
async fn a_revoked_key_is_denied_after_restart() {
    let server = Server::start().await;
    let tenant = server.workspace("a workspace").await;
    let (kept, ended) = (tenant.create_key("kept").await, tenant.create_key("ended").await);
    tenant.revoke_key(&ended.api_key.unwrap().key_id).await;
    let site = server.stop().await.unwrap();
    let again = site.start().await;
    let tenant = again.tenant(&tenant);
    assert_eq!(tenant.verify(&kept.secret).await.denial(), Denial::Unspecified);
    assert_eq!(tenant.verify(&ended.secret).await.denial(), Denial::Revoked);
    again.stop().await;
}

#[tokio::test]
async fn a_credential_that_a_cut_off_node_does_not_know_is_not_called_invalid() {
    let scene = Scene::new().await;
    let (writer, cut_off) = (scene.site.start().await, scene.start().await);
    scene.proxy.blackhole();
    let tenant = writer.workspace("made elsewhere").await;
    let asked = cut_off.tenant(&tenant);
    // Within the lease it may be; past it nobody knows.
    let refusal = eventually("the lease ends", SOON, async || {
        let refusal = try_verify(&asked, asked.question("x")).await.unwrap_err();
        (refusal.reason != ErrorReason::CredentialInvalid).then_some(refusal)
    })
    .await;
    assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded);
    scene.proxy.resume();
    eventually("the node knows the workspace", SOON, async || {
        try_verify(&asked, asked.question("x")).await.is_ok()
    })
    .await;
    cut_off.stop().await;
    writer.stop().await;
}
