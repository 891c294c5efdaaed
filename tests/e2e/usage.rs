//! The usage of keys: last use and counts, from the verdicts that leave a trace, whatever happens to the
//! database meanwhile; and nothing of it in anybody's way.

use std::time::Duration;

use api::v1::{self as wire, ApiKey, Denial, VerifyKeyRequest, VerifyMode};
use harness::{ROLE, Server, Site, Tables, Tenant};
use testkit::{FaultProxy, eventually};

const SOON: Duration = Duration::from_secs(20);

/// A deployment whose servers write usage ten times a second, or as often as is said.
async fn flushing(site: &Site, url: String, every: Duration) -> Server {
    let mut config = site.config(url);
    config.usage_flush = Some(every);
    Server::start_with(config, site.operator_token()).await
}

const OFTEN: Duration = Duration::from_millis(100);
const NEVER: Duration = Duration::from_secs(3_600);

/// A question from an address and with a user agent.
fn asked(tenant: &Tenant, secret: &str, ip: &str, user_agent: &str) -> VerifyKeyRequest {
    VerifyKeyRequest {
        client_ip: ip.to_owned(),
        user_agent: user_agent.to_owned(),
        ..tenant.question(secret)
    }
}

async fn verify(tenant: &Tenant, request: VerifyKeyRequest) -> Denial {
    let answered = tenant.client.clone().keys.verify_key(request).await.unwrap();
    answered.into_inner().denial()
}

async fn list_one(tenant: &Tenant) -> ApiKey {
    let listed = tenant.client.clone().keys.list_api_keys(tenant.list()).await.unwrap();
    let mut keys = listed.into_inner().api_keys;
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

/// How often verdicts were written in all: accepted and denied.
async fn totals(tables: &Tables) -> (i64, i64) {
    let sql = "SELECT coalesce(sum(accepted), 0)::bigint, coalesce(sum(denied), 0)::bigint \
               FROM usage.credentials";
    let row = tables.row(sql, &[]).await;
    (row.get(0), row.get(1))
}

/// Waits until so many verdicts are written.
async fn written(tables: &Tables, expected: (i64, i64)) {
    let mut seen = (0, 0);
    eventually(&format!("{expected:?} are written"), SOON, async || {
        seen = totals(tables).await;
        seen.0 + seen.1 >= expected.0 + expected.1
    })
    .await;
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_accepted_key_shows_when_and_from_where_and_with_what_it_was_used() {
    let site = Site::new().await;
    let server = flushing(&site, site.url(), OFTEN).await;
    let tenant = server.workspace("used").await;
    let made = tenant.create_key("used").await;
    let key = made.api_key.unwrap();
    assert_eq!(tenant.read_key(&key.key_id).await.last_use, None);
    let before = server.clock.now().as_second();
    let request = asked(&tenant, &made.secret, "::ffff:192.0.2.7", "curl/8 \0 é");
    assert_eq!(verify(&tenant, request).await, Denial::Unspecified);
    let read = eventually("the use is shown", SOON, async || {
        Some(tenant.read_key(&key.key_id).await).filter(|key| key.last_use.is_some())
    })
    .await;
    let last = read.last_use.clone().unwrap();
    assert_eq!((last.ip.as_str(), last.user_agent.as_str()), ("192.0.2.7", "curl/8  é"));
    assert!(last.at.unwrap().seconds >= before);
    assert_eq!(read.credentials[0].last_use, read.last_use, "it has one credential");
    assert_eq!(read.etag, key.etag, "a use is no change");
    assert_eq!(list_one(&tenant).await, read);
    // A later use takes its place, by the way of batches, and with less to say.
    let requests = vec![tenant.question(&made.secret)];
    let batch = wire::BatchVerifyKeysRequest { requests };
    tenant.client.clone().keys.batch_verify_keys(batch).await.unwrap();
    let later = eventually("the later use is shown", SOON, async || {
        let last = tenant.read_key(&key.key_id).await.last_use.unwrap();
        Some(last.clone()).filter(|one| one.at != read.last_use.as_ref().unwrap().at)
    })
    .await;
    assert_eq!((later.ip.as_str(), later.user_agent.as_str()), ("", ""));
    written(&site.tables(), (2, 0)).await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_denied_is_counted_by_verdict_and_is_no_use() {
    let site = Site::new().await;
    let server = flushing(&site, site.url(), OFTEN).await;
    let tenant = server.workspace("denied").await;
    let request = wire::CreateApiKeyRequest {
        ip_allowlist: vec!["192.0.2.0/24".to_owned()],
        ..tenant.key("denied")
    };
    let made = tenant.create(request).await;
    let from = |ip| asked(&tenant, &made.secret, ip, "an agent");
    for (ip, denial) in [
        ("192.0.2.1", Denial::Unspecified),
        ("198.51.100.1", Denial::IpNotAllowed),
        ("198.51.100.1", Denial::IpNotAllowed),
        ("", Denial::IpRequired),
    ] {
        assert_eq!(verify(&tenant, from(ip)).await, denial);
    }
    let other = server.workspace("another").await;
    let unknown = VerifyKeyRequest { key: made.secret.clone(), ..other.question("") };
    assert_eq!(verify(&other, unknown).await, Denial::NotFound);
    assert_eq!(verify(&tenant, tenant.question("nothing")).await, Denial::Malformed);
    let batch = wire::BatchVerifyKeysRequest { requests: vec![from("")] };
    tenant.client.clone().keys.batch_verify_keys(batch).await.unwrap();
    written(&site.tables(), (1, 4)).await;
    let rows = site.tables().connect().await;
    let sql = "SELECT verdict, sum(count)::bigint FROM usage.hours GROUP BY 1 ORDER BY 1";
    let rows: Vec<(i16, i64)> =
        rows.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    let numbers = [Denial::Unspecified, Denial::IpRequired, Denial::IpNotAllowed];
    let expected: Vec<_> = numbers.iter().map(|&one| one as i16).zip([1, 2, 2]).collect();
    assert_eq!(rows, expected);
    let used = list_one(&tenant).await.last_use.unwrap();
    assert_eq!(used.ip, "192.0.2.1", "the denied ones came later and are no use");

    // A key that was never accepted was never used.
    let revoked = tenant.create_key("revoked").await;
    let id = revoked.api_key.unwrap().key_id;
    tenant.revoke_key(&id).await;
    assert_eq!(tenant.verify(&revoked.secret).await.denial(), Denial::Revoked);
    written(&site.tables(), (1, 5)).await;
    assert_eq!(tenant.read_key(&id).await.last_use, None);
    server.stop().await;
}

#[tokio::test]
async fn dry_runs_and_explanations_leave_no_trace() {
    let site = Site::new().await;
    let server = flushing(&site, site.url(), OFTEN).await;
    let tenant = server.workspace("traceless").await;
    let made = tenant.create_key("traceless").await;
    let id = made.api_key.unwrap().key_id;
    for mode in [VerifyMode::DryRun, VerifyMode::Explain] {
        let question = VerifyKeyRequest {
            mode: mode.into(),
            ..asked(&tenant, &made.secret, "192.0.2.1", "x")
        };
        assert_eq!(verify(&tenant, question.clone()).await, Denial::Unspecified);
        let batch = wire::BatchVerifyKeysRequest { requests: vec![question] };
        tenant.client.clone().keys.batch_verify_keys(batch).await.unwrap();
    }
    let other = tenant.create_key("traced").await;
    let normal = VerifyKeyRequest {
        mode: VerifyMode::Normal.into(),
        ..asked(&tenant, &other.secret, "192.0.2.1", "x")
    };
    assert_eq!(verify(&tenant, normal).await, Denial::Unspecified);
    // What was asked before is written not later than what was asked after it.
    written(&site.tables(), (1, 0)).await;
    assert_eq!(tenant.read_key(&id).await.last_use, None);
    assert_eq!(
        site.tables().row("SELECT count(*) FROM usage.hours", &[]).await.get::<_, i64>(0),
        1
    );
    server.stop().await;
}

#[tokio::test]
async fn counts_of_replicas_add_up_and_the_latest_use_of_them_is_shown() {
    let site = Site::new().await;
    let one = flushing(&site, site.url(), OFTEN).await;
    let two = flushing(&site, site.url(), OFTEN).await;
    let tenant = one.workspace("replicas").await;
    let there = two.tenant(&tenant);
    let made = tenant.create_key("shared").await;
    eventually("the other replica has the key", SOON, async || {
        let request =
            VerifyKeyRequest { mode: VerifyMode::DryRun.into(), ..there.question(&made.secret) };
        there
            .client
            .clone()
            .keys
            .verify_key(request)
            .await
            .is_ok_and(|answer| answer.into_inner().denial() == Denial::Unspecified)
    })
    .await;
    for n in 0..20_u8 {
        let (from, agent) = (format!("192.0.2.{n}"), format!("agent {n}"));
        let at = if n % 2 == 0 { &tenant } else { &there };
        assert_eq!(verify(at, asked(at, &made.secret, &from, &agent)).await, Denial::Unspecified);
    }
    written(&site.tables(), (20, 0)).await;
    for tenant in [&tenant, &there] {
        let last = list_one(tenant).await.last_use.unwrap();
        assert_eq!((last.ip.as_str(), last.user_agent.as_str()), ("192.0.2.19", "agent 19"));
    }
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_drain_writes_what_is_left_and_the_next_start_shows_it() {
    let site = Site::new().await;
    let server = flushing(&site, site.url(), NEVER).await;
    let tenant = server.workspace("drained").await;
    let made = tenant.create_key("drained").await;
    for _ in 0..3 {
        let request = asked(&tenant, &made.secret, "2001:db8::7", "an agent");
        assert_eq!(verify(&tenant, request).await, Denial::Unspecified);
    }
    assert_eq!(totals(&site.tables()).await, (0, 0), "nothing was written yet");
    server.stop().await;
    assert_eq!(totals(&site.tables()).await, (3, 0));
    let again = flushing(&site, site.url(), NEVER).await;
    let last = list_one(&again.tenant(&tenant)).await.last_use.unwrap();
    assert_eq!((last.ip.as_str(), last.user_agent.as_str()), ("2001:db8::7", "an agent"));
    again.stop().await;
}

#[tokio::test]
async fn an_outage_of_the_database_loses_no_count_and_disturbs_no_verdict() {
    let site = Site::new().await;
    let proxy = FaultProxy::in_front_of(&site.database);
    let server = flushing(&site, proxy.url_as(ROLE, site.database.name()), OFTEN).await;
    let tenant = server.workspace("outage").await;
    let made = tenant.create_key("outage").await;
    assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Unspecified);
    written(&site.tables(), (1, 0)).await;
    // For less than the lease, but for several flushes.
    proxy.cut();
    let began = std::time::Instant::now();
    let mut during = 0;
    while began.elapsed() < Duration::from_secs(1) {
        assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Unspecified);
        during += 1;
    }
    assert_eq!(totals(&site.tables()).await, (1, 0), "nothing can be written");
    proxy.resume();
    written(&site.tables(), (1 + during, 0)).await;
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_keys_usage_is_not_seen() {
    let site = Site::new().await;
    let server = flushing(&site, site.url(), OFTEN).await;
    let (a, b) = (server.workspace("A").await, server.workspace("B").await);
    let (ours, _) = (a.create_key("A's").await, b.create_key("B's").await);
    assert_eq!(a.verify(&ours.secret).await.denial(), Denial::Unspecified);
    written(&site.tables(), (1, 0)).await;
    assert_eq!(list_one(&b).await.last_use, None);
    // Not even if a row of theirs named it.
    assert!(list_one(&a).await.last_use.is_some());
    let b_id = list_one(&b).await.key_id;
    let rows = "UPDATE usage.credentials SET key_id = (SELECT key_id FROM readmodel.keys WHERE \
                key_id <> credentials.key_id)";
    site.tables().run(rows).await;
    assert_eq!(b.read_key(&b_id).await.last_use, None);
    server.stop().await;
}

#[tokio::test]
async fn without_a_flush_nothing_is_recorded() {
    let site = Site::new().await;
    let mut config = site.config(site.url());
    config.usage_flush = None;
    let server = Server::start_with(config, site.operator_token()).await;
    let tenant = server.workspace("off").await;
    let made = tenant.create_key("off").await;
    assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::Unspecified);
    server.stop().await;
    assert_eq!(totals(&site.tables()).await, (0, 0));
}

#[tokio::test]
async fn hours_older_than_ninety_days_are_forgotten() {
    let site = Site::new().await;
    let insert = "INSERT INTO usage.hours (key_id, hour, kid, verdict, count) \
        SELECT gen_random_uuid(), date_trunc('hour', now()) - days * interval '1 day', \
        '\\x000000000000000000000000', 0, 1 FROM generate_series(80, 12080) AS days";
    site.tables().run(insert).await;
    let server = site.start().await;
    let left = "SELECT count(*), max(now() - hour) <= interval '90 days' FROM usage.hours";
    eventually("old hours are gone", SOON, async || {
        site.tables().row(left, &[]).await.get::<_, bool>(1)
    })
    .await;
    assert_eq!(site.tables().row(left, &[]).await.get::<_, i64>(0), 10);
    server.stop().await;
}
