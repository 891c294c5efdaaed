//! Postgres gone: what is refused, with which words; and that nothing acknowledged is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use api::v1::{
    CreateApiKeyRequest, CreateWorkspaceRequest, Denial, ErrorReason, ListApiKeysRequest,
};
use harness::{ROLE, Refusal, Server, Site, Tables, Tenant};
use testkit::{Direction, FaultProxy, Moment, durable_server, eventually};
use tonic::{Code, Status};

const SOON: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(3);

/// Reads a refusal that must be a passing trouble, never a fault of ours.
fn passing(status: &Status) -> Refusal {
    let refusal = Refusal::of(status);
    assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}");
    assert!(refusal.retry_after.is_some(), "{refusal:?}");
    refusal
}

async fn create(tenant: &Tenant, name: &str) -> Result<(), Refusal> {
    let made = tenant.client.clone().keys.create_api_key(tenant.key(name)).await;
    made.map(drop).map_err(|status| passing(&status))
}

async fn works(tenant: &Tenant, secret: &str) {
    eventually("writes are done again", SOON, async || create(tenant, "after").await.is_ok()).await;
    eventually("lists are answered again", SOON, async || {
        tenant.client.clone().keys.list_api_keys(tenant.list()).await.is_ok()
    })
    .await;
    eventually("verdicts are answered again", SOON, async || {
        tenant.client.clone().keys.verify_key(tenant.question(secret)).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn with_the_database_cut_off_writes_and_reads_are_unavailable_and_come_back_by_themselves() {
    outage(FaultProxy::cut).await;
}

#[tokio::test]
async fn with_the_database_silent_writes_and_reads_are_unavailable_and_come_back_by_themselves() {
    outage(FaultProxy::blackhole).await;
}

async fn outage(fault: impl Fn(&FaultProxy)) {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let mut config = site.config(proxy.url_as(ROLE, site.database.name()));
    config.lease = LEASE;
    let server = Server::start_with(config, site.operator_token()).await;
    let tenant = server.workspace("a workspace").await;
    let made = tenant.create_key("before").await;
    let key_id = made.api_key.unwrap().key_id;
    fault(&proxy);
    let (mut keys, mut operator) = (tenant.client.clone().keys, server.operator.workspaces.clone());
    let new_workspace = CreateWorkspaceRequest { name: "w".to_owned(), ..Default::default() };
    let (list, get, config, switch, write, workspace) = tokio::join!(
        async { keys.clone().list_api_keys(tenant.list()).await.map(drop) },
        async { keys.clone().get_api_key(tenant.get(&key_id)).await.map(drop) },
        async { keys.clone().get_config(tenant.config(&key_id)).await.map(drop) },
        async { keys.clone().disable_api_key(tenant.disable(&key_id)).await.map(drop) },
        async { keys.clone().create_api_key(tenant.key("during")).await.map(drop) },
        async { operator.clone().create_workspace(new_workspace.clone()).await.map(drop) },
    );
    for failed in [list, get, config, switch, write, workspace] {
        let refusal = passing(&failed.unwrap_err());
        let known = [ErrorReason::DatabaseUnavailable, ErrorReason::CommitOutcomeUnknown];
        assert!(known.contains(&refusal.reason), "{refusal:?}");
    }
    // Past the lease nobody knows the tenants; the operator is known by the file.
    eventually("the lease ends", SOON, async || !server.app().ready(Duration::ZERO).await).await;
    let refusal = passing(&keys.list_api_keys(tenant.list()).await.unwrap_err());
    assert_eq!(refusal.reason, ErrorReason::StalenessBoundExceeded);
    let refusal = passing(&operator.create_workspace(new_workspace).await.unwrap_err());
    assert_eq!(refusal.reason, ErrorReason::DatabaseUnavailable);
    proxy.resume();
    works(&tenant, &made.secret).await;
    // What was refused while nothing could be written was not written.
    let names = tenant.names(ListApiKeysRequest { page_size: 1_000, ..tenant.list() }).await;
    assert!(names.iter().all(|name| name != "during"), "{names:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_looked_up_and_answered_for_what_it_was() {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let server = site.start_at(proxy.url_as(ROLE, site.database.name())).await;
    let tenant = server.workspace("a workspace").await;
    // Heartbeats and projections commit as well: only the lines of the writer are of interest, so
    // the fault is armed anew until a write has met it.
    for (moment, direction) in [
        (Moment::BeforeForwarding, Direction::ToClient),
        (Moment::BeforeForwarding, Direction::ToServer),
    ] {
        let mut fired = 0;
        for attempt in 0..20 {
            let trigger = proxy.cut_at(b"COMMIT", direction, moment);
            let name = format!("{direction:?} {attempt}");
            let outcome = create(&tenant, &name).await;
            let listed = async || {
                let page = ListApiKeysRequest { page_size: 1_000, ..tenant.list() };
                tenant.client.clone().keys.list_api_keys(page).await.ok()
            };
            let listed = eventually("lists are answered", SOON, listed).await.into_inner();
            let times = listed.api_keys.iter().filter(|key| key.name == name).count();
            match outcome {
                Ok(()) => assert_eq!(times, 1, "{name}"),
                Err(refusal) if refusal.reason == ErrorReason::CommitOutcomeUnknown => {
                    assert!(times <= 1)
                }
                Err(_) => assert_eq!(times, 0, "{name}"),
            }
            fired += usize::from(trigger.fired());
        }
        assert!(fired > 0, "no commit met the fault");
    }
    server.stop().await;
}

/// What became of one create, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Done,
    Failed,
    /// The answer was lost, or said that nobody knows.
    Unknown,
}

/// What writers and the test tell each other.
#[derive(Debug, Default)]
struct Counts {
    stop: AtomicBool,
    done: AtomicUsize,
    refused: AtomicUsize,
}

/// Creates keys one after the other until told to stop; answers with the outcome of each name.
async fn write_on(tenant: Tenant, writer: usize, counts: Arc<Counts>) -> BTreeMap<String, Known> {
    let mut outcomes = BTreeMap::new();
    while !counts.stop.load(Ordering::Relaxed) {
        let name = format!("w{writer}-{}", outcomes.len());
        let known = match create(&tenant, &name).await {
            Ok(()) => {
                counts.done.fetch_add(1, Ordering::Relaxed);
                Known::Done
            }
            Err(refusal) if refusal.reason == ErrorReason::CommitOutcomeUnknown => Known::Unknown,
            Err(_) => {
                counts.refused.fetch_add(1, Ordering::Relaxed);
                Known::Failed
            }
        };
        outcomes.insert(name, known);
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    let mut postgres = durable_server().await;
    let (site, tables) = (Site::new().await, Tables::at(&postgres.url()));
    tables.run(include_str!("../../deploy/roles.sql")).await;
    tables.run(&format!("CREATE ROLE {ROLE} LOGIN IN ROLE keyward_writer")).await;
    keyward::storage::migrate(&site.config(postgres.url())).await.unwrap();
    let server = site.start_at(postgres.url_as(ROLE, "postgres")).await;
    let tenant = server.workspace("a workspace").await;
    let anchor = tenant.create_key("anchor").await;

    let counts = Arc::new(Counts::default());
    let Counts { stop, done, refused } = &*counts;
    let writers: Vec<_> =
        (0..4).map(|n| tokio::spawn(write_on(tenant.clone(), n, Arc::clone(&counts)))).collect();
    let go_on = async |more: usize| {
        let goal = done.load(Ordering::Relaxed) + more;
        eventually("writes are done", SOON, async || done.load(Ordering::Relaxed) >= goal).await;
    };
    // Once for so long that writes are refused, once so shortly that they are only late.
    for long in [true, false] {
        go_on(100).await;
        postgres.kill_postmaster().await;
        if long {
            let before = refused.load(Ordering::Relaxed);
            let more = async || refused.load(Ordering::Relaxed) > before;
            eventually("a write is refused", SOON, more).await;
        }
        postgres = postgres.start_again().await;
    }
    go_on(100).await;
    stop.store(true, Ordering::Relaxed);
    let mut outcomes = BTreeMap::new();
    for writer in writers {
        outcomes.extend(writer.await.unwrap());
    }
    let failed = outcomes.values().filter(|known| **known != Known::Done).count();
    assert!(failed > 0, "the writers never noticed that Postgres was killed");

    works(&tenant, &anchor.secret).await;
    let rows = tables
        .connect()
        .await
        .query(
            "SELECT convert_from(payload, 'UTF8')::json -> 'settings' ->> 'name' FROM log.events \
             WHERE kind = 'api_key.created'",
            &[],
        )
        .await
        .unwrap();
    let mut logged: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        *logged.entry(row.get(0)).or_default() += 1;
    }
    for (name, known) in &outcomes {
        let times = logged.get(name).copied().unwrap_or(0);
        match known {
            Known::Done => assert_eq!(times, 1, "{name} was acknowledged"),
            Known::Failed => assert_eq!(times, 0, "{name} was refused"),
            Known::Unknown => assert!(times <= 1, "{name} was written {times} times"),
        }
    }
    // The read model, which may lose its last transactions, shows the same again.
    let listed = everything(&tenant).await;
    let logged: BTreeSet<_> = logged.into_keys().collect();
    assert_eq!(listed, logged);
    assert_eq!(tenant.verify(&anchor.secret).await.denial(), Denial::Unspecified);
    server.stop().await;
}

/// The names of all keys, page by page.
async fn everything(tenant: &Tenant) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut request = ListApiKeysRequest { page_size: 1_000, ..tenant.list() };
    loop {
        let page = tenant.client.clone().keys.list_api_keys(request.clone()).await.unwrap();
        let page = page.into_inner();
        names.extend(page.api_keys.into_iter().map(|key| key.name));
        if page.next_page_token.is_empty() {
            return names;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_request_that_was_cut_short_is_repeated_with_its_request_id_and_done_once() {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let server = site.start_at(proxy.url_as(ROLE, site.database.name())).await;
    let tenant = server.workspace("a workspace").await;
    for (n, direction) in [Direction::ToClient, Direction::ToServer].into_iter().enumerate() {
        let trigger = proxy.cut_all_at(b"COMMIT", direction, Moment::BeforeForwarding);
        let request = CreateApiKeyRequest {
            request_id: format!("a-request-that-is-cut-{n}"),
            ..tenant.key(&format!("once {n}"))
        };
        let mut keys = tenant.client.clone().keys;
        let first = tokio::spawn({
            let (mut keys, request) = (keys.clone(), request.clone());
            async move { keys.create_api_key(request).await }
        });
        eventually("the line is cut", SOON, async || trigger.fired()).await;
        proxy.resume();
        let first = first.await.unwrap();
        let again = eventually("the request is answered", SOON, async || {
            keys.create_api_key(request.clone()).await.map_err(|status| passing(&status)).ok()
        })
        .await
        .into_inner();
        if let Ok(first) = first {
            assert_eq!(first.into_inner().secret, again.secret);
        }
        let listed = tenant.names(tenant.list()).await;
        assert_eq!(listed.iter().filter(|name| **name == format!("once {n}")).count(), 1);
        assert_eq!(tenant.verify(&again.secret).await.denial(), Denial::Unspecified);
    }
    server.stop().await;
}
