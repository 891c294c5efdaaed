//! The log alone is enough: what is built anew from it is what was there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::v1::{
    ApiKey, Config, CreateApiKeyRequest, Denial, EmailService, Environment, ListApiKeysRequest,
    Plan, SuspendWorkspaceRequest, VerifyKeyRequest, VerifyKeyResponse, VerifyMode,
};
use harness::{Server, Site, Tables, Tenant};
use keyward::rebuild::ReadModel;
use keyward::storage;
use testkit::eventually;

const SOON: Duration = Duration::from_secs(20);

/// Two workspaces with keys of every kind; the second is suspended in the end.
struct Story {
    tenants: [Tenant; 2],
    secrets: Vec<String>,
    key_ids: Vec<String>,
}

async fn story(server: &Server) -> Story {
    let tenants = [server.workspace("first").await, server.workspace("second").await];
    let (mut secrets, mut key_ids) = (Vec::new(), Vec::new());
    for (n, tenant) in tenants.iter().cycle().take(24).enumerate() {
        let every = |m: usize| n.is_multiple_of(m);
        let expires = server.clock.now().as_second() + 86_400;
        let made = tenant
            .create(CreateApiKeyRequest {
                env: if every(5) { Environment::Test } else { Environment::Live }.into(),
                scopes: (0..n % 4).map(|scope| format!("scope:{scope}")).collect(),
                ip_allowlist: if every(3) { vec!["192.0.2.0/24".to_owned()] } else { vec![] },
                allowed_domains: if every(4) { vec!["example.com".to_owned()] } else { vec![] },
                expires_at: every(6)
                    .then_some(prost_types::Timestamp { seconds: expires, nanos: 0 }),
                metadata: [("n".to_owned(), n.to_string())].into(),
                plan: Some(Plan::default()),
                ..tenant.key(&format!("key {n}"))
            })
            .await;
        let key_id = made.api_key.unwrap().key_id;
        let mut keys = tenant.client.clone().keys;
        if every(7) {
            tenant.revoke_key(&key_id).await;
        } else if every(2) {
            keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
            if every(4) {
                keys.enable_api_key(tenant.enable(&key_id)).await.unwrap();
            }
        }
        secrets.extend(later_life(tenant, &key_id, n).await);
        secrets.push(made.secret);
        key_ids.push(key_id);
    }
    let request = SuspendWorkspaceRequest {
        workspace_id: tenants[1].id.clone(),
        ..SuspendWorkspaceRequest::default()
    };
    server.operator.workspaces.clone().suspend_workspace(request).await.unwrap();
    Story { tenants, secrets, key_ids }
}

/// Rotations, changes and deletions; the secrets that come of it.
async fn later_life(tenant: &Tenant, key_id: &str, n: usize) -> Option<String> {
    let mut keys = tenant.client.clone().keys;
    let asked = ApiKey {
        name: format!("changed {n}"),
        scopes: vec!["scope:9".to_owned()],
        metadata: [("changed".to_owned(), n.to_string())].into(),
        ..ApiKey::default()
    };
    match n {
        1 | 9 | 11 | 13 => {
            let rotated = keys.rotate_api_key(tenant.rotate(key_id)).await.unwrap().into_inner();
            if n == 11 {
                keys.end_rotation_grace(tenant.end_grace(key_id)).await.unwrap();
            }
            Some(rotated.secret)
        }
        2..=5 => {
            let paths = ["name", "scopes", "metadata", "ip_allowlist"];
            keys.update_api_key(tenant.update(key_id, &paths, asked)).await.unwrap();
            later_config(tenant, key_id).await;
            None
        }
        15 | 17 => {
            keys.delete_api_key(tenant.delete(key_id)).await.unwrap();
            if n == 17 {
                keys.undelete_api_key(tenant.undelete(key_id)).await.unwrap();
            }
            None
        }
        _ => None,
    }
}

/// Changes of a configuration.
async fn later_config(tenant: &Tenant, key_id: &str) {
    let mut keys = tenant.client.clone().keys;
    let secret = "sk-a-secret-of-a-provider";
    for field in ["email.api_key", "webhook.auth_token", "ai_models.openai", "ai_models.other"] {
        keys.put_config_secret(tenant.put_secret(key_id, field, secret)).await.unwrap();
    }
    keys.delete_config_secret(tenant.delete_secret(key_id, "ai_models.other")).await.unwrap();
    let email = EmailService { from_company: "Acme".to_owned(), ..EmailService::default() };
    let asked = Config { email: Some(email), require_jwt_token: true, ..Config::default() };
    let paths = ["email", "plan", "require_jwt_token"];
    keys.update_config(tenant.update_config(key_id, &paths, asked)).await.unwrap();
}

impl Story {
    /// All that lists and configurations say.
    async fn shown(&self) -> (Vec<ApiKey>, Vec<Config>) {
        let (mut keys, mut configs) = (Vec::new(), Vec::new());
        for tenant in &self.tenants {
            let mut client = tenant.client.clone().keys;
            let request = ListApiKeysRequest {
                show_dead: true,
                show_deleted: true,
                page_size: 1_000,
                ..tenant.list()
            };
            for key in client.list_api_keys(request).await.unwrap().into_inner().api_keys {
                let config = client.get_config(tenant.config(&key.key_id)).await.unwrap();
                configs.push(config.into_inner().config.unwrap());
                keys.push(key);
            }
        }
        assert_eq!((keys.len(), configs.len()), (self.key_ids.len(), self.key_ids.len()));
        (keys, configs)
    }

    /// The verdicts on every key, asked by each tenant of a server, with and without what could let
    /// it pass; without their freshness.
    async fn verdicts(&self, server: &Server) -> Vec<VerifyKeyResponse> {
        let mut verdicts = Vec::new();
        for tenant in &self.tenants {
            let tenant = server.tenant(tenant);
            for secret in &self.secrets {
                let bare = tenant.question(secret);
                let full = VerifyKeyRequest {
                    client_ip: "192.0.2.7".to_owned(),
                    origin: "https://example.com".to_owned(),
                    ..bare.clone()
                };
                let explained =
                    VerifyKeyRequest { mode: VerifyMode::Explain.into(), ..bare.clone() };
                for request in [bare, full, explained] {
                    let mut keys = tenant.client.clone().keys;
                    let mut verdict = keys.verify_key(request).await.unwrap().into_inner();
                    verdict.freshness = None;
                    // Texts of the moment.
                    verdict.cache_for = None;
                    for check in &mut verdict.checks {
                        if check.needed.starts_with("before ") || check.needed.starts_with("from ")
                        {
                            check.held.clear();
                        }
                    }
                    verdicts.push(verdict);
                }
            }
        }
        verdicts
    }
}

async fn rebuild(site: &Site, model: ReadModel) {
    let config = site.config(site.database.url().to_owned());
    let opened = storage::open_for_command(&config).await.unwrap();
    let chain = storage::chain_mac(&storage::key_ring(&config).unwrap());
    model.rebuild(&opened.owner, &chain, |_, _| {}).await.unwrap();
}

/// Empties the tables of a read model behind everybody's back, as nothing of ours ever does.
async fn spoil(tables: &Tables, model: ReadModel) {
    let table = match model {
        ReadModel::Keys => "keys",
        ReadModel::Configs => "configs",
        ReadModel::Workspaces => "workspaces",
    };
    tables.run(&format!("DELETE FROM readmodel.{table}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_read_model_shows_what_the_one_before_showed_and_nobody_notices() {
    let site = Site::new().await;
    let server = site.start().await;
    let story = story(&server).await;
    let before = story.shown().await;
    let stop = Arc::new(AtomicBool::new(false));
    // Somebody reads and writes all the while, in a workspace of its own.
    let busy = tokio::spawn({
        let (tenant, stop) = (server.workspace("busy").await, Arc::clone(&stop));
        async move {
            let mut names = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                names.push(format!("busy {}", names.len()));
                tenant.create_key(names.last().unwrap()).await;
                let list = ListApiKeysRequest { page_size: 1_000, ..tenant.list() };
                let mut listed = tenant.names(list).await;
                listed.reverse();
                assert_eq!(listed, names);
            }
            names.len()
        }
    });
    for model in ReadModel::ALL {
        rebuild(&site, model).await;
        assert_eq!(story.shown().await, before, "{model:?}");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(busy.await.unwrap() > 3);
    server.stop().await;
}

#[tokio::test]
async fn a_rebuild_uses_nothing_of_the_old_tables() {
    let site = Site::new().await;
    let server = site.start().await;
    let story = story(&server).await;
    let before = story.shown().await;
    for model in ReadModel::ALL {
        spoil(&site.tables(), model).await;
        rebuild(&site, model).await;
        assert_eq!(story.shown().await, before, "{model:?}");
    }
    // A node that warms from them knows every key and every tenant.
    let warm = site.start().await;
    assert_eq!(story.verdicts(&warm).await, story.verdicts(&server).await);
    warm.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_node_that_was_warmed_gives_the_verdicts_of_one_that_followed_from_the_first_event() {
    let server = Server::start().await;
    let story = story(&server).await;
    let followed = story.verdicts(&server).await;
    let denials: std::collections::BTreeSet<_> =
        followed.iter().map(|verdict| verdict.denial().as_str_name()).collect();
    for expected in [
        Denial::Unspecified,
        Denial::NotFound,
        Denial::Revoked,
        Denial::Disabled,
        Denial::WorkspaceSuspended,
        Denial::IpRequired,
        Denial::OriginRequired,
    ] {
        assert!(denials.contains(expected.as_str_name()), "{denials:?}");
    }
    let warmed = server.replica().await;
    assert_eq!(story.verdicts(&warmed).await, followed);
    warmed.stop().await;
    // Warmed from read models that stopped long ago, and followed from there: the same.
    let site = server.stop().await.unwrap();
    let (tables, again) = (site.tables(), site.start().await);
    assert_eq!(story.verdicts(&again).await, followed);
    again.stop().await;
    tables
        .run(
            "DELETE FROM readmodel.keys; DELETE FROM readmodel.credentials; \
        DELETE FROM readmodel.workspaces; DELETE FROM readmodel.service_credentials; \
        UPDATE log.checkpoints SET position = 0",
        )
        .await;
    let from_zero = site.start().await;
    assert_eq!(story.verdicts(&from_zero).await, followed);
    from_zero.stop().await;
}

/// The log is tampered with while a node follows it.
#[tokio::test]
async fn a_node_that_finds_the_log_changed_withdraws_and_says_so() {
    let site = Site::new().await;
    let server = site.start().await;
    let tenant = server.workspace("a workspace").await;
    let secret = tenant.create_key("a key").await.secret;
    let tables = site.tables();
    // The second node will read the changed event; the first one has read it long ago.
    tables
        .run(
            "ALTER TABLE log.events DISABLE TRIGGER ALL; \
             UPDATE log.events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), \
               'a key', 'b key'), 'UTF8') WHERE kind = 'api_key.created'; \
             UPDATE log.checkpoints SET position = 0; \
             DELETE FROM readmodel.keys; DELETE FROM readmodel.credentials; \
             ALTER TABLE log.events ENABLE TRIGGER ALL",
        )
        .await;
    let second = Server::launch(site.config(site.url()), site.operator_token()).await;
    let asked = second.tenant(&tenant);
    for _ in 0..50 {
        let status =
            asked.client.clone().keys.verify_key(asked.question(&secret)).await.unwrap_err();
        let refusal = harness::Refusal::of(&status);
        assert_eq!(refusal.reason, api::v1::ErrorReason::StartingUp);
    }
    assert!(!second.app().ready(Duration::from_millis(500)).await);
    second.stop().await;
    server.stop().await;
}

/// The head is moved behind what a running node has applied: a failover that lost the tail.
#[tokio::test]
async fn a_running_node_that_finds_the_tail_lost_stops_answering_and_goes_on_without_what_was_lost()
{
    let site = Site::new().await;
    let server = site.start().await;
    let tenant = server.workspace("a workspace").await;
    let kept = tenant.create_key("kept").await.secret;
    let tables = site.tables();
    let head = tables.row("SELECT position, mac FROM log.head", &[]).await;
    let (position, mac): (i64, Vec<u8>) = (head.get(0), head.get(1));
    let lost = tenant.create_key("lost").await.secret;
    assert_eq!(tenant.verify(&lost).await.denial(), Denial::Unspecified);
    // The checkpoints first: a projection under way is done, or waits, as the rest is taken away.
    let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    tables
        .run(&format!(
            "BEGIN; UPDATE log.checkpoints SET position = least(position, {position}); \
             ALTER TABLE log.events DISABLE TRIGGER ALL; \
             DELETE FROM log.events WHERE position > {position}; \
             UPDATE log.head SET position = {position}, mac = decode('{mac}', 'hex'); \
             DELETE FROM readmodel.keys WHERE position > {position}; \
             DELETE FROM readmodel.credentials WHERE position > {position}; \
             DELETE FROM readmodel.configs WHERE position > {position}; \
             ALTER TABLE log.events ENABLE TRIGGER ALL; COMMIT",
        ))
        .await;
    eventually("the node knows what is left, and no more", SOON, async || {
        let verdict = tenant.client.clone().keys.verify_key(tenant.question(&lost)).await;
        verdict.is_ok_and(|verdict| verdict.into_inner().denial() == Denial::NotFound)
    })
    .await;
    assert_eq!(tenant.verify(&kept).await.denial(), Denial::Unspecified);
    server.stop().await;
}
