//! GetKeyUsage: counts by hour and verdict of each credential of a key.

use std::time::Duration;

use api::v1::{
    self as wire, CredentialUsage, Denial, ErrorReason, GetKeyUsageRequest, VerifyKeyRequest,
};
use harness::{Refused, Server, Site, Tenant};
use prost_types::Timestamp;
use testkit::eventually;

const SOON: Duration = Duration::from_secs(20);
const HOUR: i64 = 3_600;

/// A deployment of its own, whose usage is written often.
async fn server(site: &Site) -> Server {
    let mut config = site.config(site.url());
    config.usage_flush = Some(Duration::from_millis(100));
    Server::start_with(config, site.operator_token()).await
}

fn of(tenant: &Tenant, key_id: &str) -> GetKeyUsageRequest {
    GetKeyUsageRequest {
        workspace_id: tenant.id.clone(),
        key_id: key_id.to_owned(),
        ..GetKeyUsageRequest::default()
    }
}

async fn usage(tenant: &Tenant, request: GetKeyUsageRequest) -> Vec<CredentialUsage> {
    let answered = tenant.client.clone().keys.get_key_usage(request).await.unwrap();
    answered.into_inner().credentials
}

const fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// Puts a count of acceptances into the table as a node would have, of the hour that begins so many
/// seconds after 1970.
async fn put(site: &Site, seconds: i64, count: i64) {
    let sql = "INSERT INTO usage.hours (key_id, hour, kid, verdict, count) \
        SELECT key_id, to_timestamp($1::bigint), kid, 0, $2 FROM usage.credentials";
    let client = site.tables().connect().await;
    assert_eq!(client.execute(sql, &[&seconds, &count]).await.unwrap(), 1);
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn every_verdict_is_counted_in_its_hour() {
        let site = Site::new().await;
        let server = server(&site).await;
        let tenant = server.workspace("counted").await;
        let list = vec!["192.0.2.0/24".to_owned()];
        let request = wire::CreateApiKeyRequest { ip_allowlist: list, ..tenant.key("counted") };
        let made = tenant.create(request).await;
        let key = made.api_key.unwrap();
        assert_eq!(usage(&tenant, of(&tenant, &key.key_id)).await, [], "no verdict yet");
        let begins = |seconds: i64| seconds - seconds.rem_euclid(HOUR);
        let first = begins(server.clock.now().as_second());
        let ask = async |ip: &str| {
            let client_ip = ip.to_owned();
            let asked = VerifyKeyRequest { client_ip, ..tenant.question(&made.secret) };
            tenant.client.clone().keys.verify_key(asked).await.unwrap();
        };
        for ip in ["192.0.2.1", "192.0.2.2", "198.51.100.1", ""] {
            ask(ip).await;
        }
        // In the next hour, or in the one after it if this one ends right now.
        server.clock.turn(Duration::from_secs(3_600));
        ask("192.0.2.3").await;
        let later = begins(server.clock.now().as_second());
        let all = GetKeyUsageRequest { start_time: at(first), ..of(&tenant, &key.key_id) };
        let seen = eventually("everything is written", SOON, async || {
            let seen = usage(&tenant, all.clone()).await;
            Some(seen).filter(|seen| {
                seen.first().is_some_and(|one| one.accepted_count + one.denied_count == 5)
            })
        })
        .await;
        let [one] = seen.as_slice() else { panic!("one credential, not {seen:?}") };
        assert_eq!(one.kid, key.credentials[0].kid);
        assert_eq!((one.accepted_count, one.denied_count), (3, 2));
        assert_eq!(one.last_use.as_ref().unwrap().ip, "192.0.2.3");
        let total = |denial: Denial| -> i64 {
            let denials = one.hours.iter().flat_map(|hour| &hour.denials);
            denials.filter(|one| one.denial() == denial).map(|one| one.count).sum()
        };
        assert_eq!((total(Denial::IpNotAllowed), total(Denial::IpRequired)), (1, 1));
        let hours: Vec<_> = one.hours.iter().map(|hour| hour.start_time.unwrap().seconds).collect();
        assert!(hours.is_sorted() && hours.contains(&first) && hours.contains(&later), "{hours:?}");
        let last = one.hours.last().unwrap();
        assert_eq!((last.accepted_count, last.denials.len()), (1, 0));
        assert_eq!(one.hours.iter().map(|hour| hour.accepted_count).sum::<i64>(), 3);
        server.stop().await;
    }

    #[tokio::test]
    async fn a_range_holds_the_hours_that_begin_in_it_and_the_one_it_begins_in() {
        let site = Site::new().await;
        let server = server(&site).await;
        let tenant = server.workspace("range").await;
        let made = tenant.create_key("range").await;
        let id = made.api_key.unwrap().key_id;
        tenant.verify(&made.secret).await;
        eventually("there is a row", SOON, async || {
            !usage(&tenant, of(&tenant, &id)).await.is_empty()
        })
        .await;
        let base = server.clock.now().as_second() / HOUR * HOUR - 1_000 * HOUR;
        for hours in 0..4 {
            put(&site, base + hours * HOUR, hours + 1).await;
        }
        for (start, end, counts) in [
            (0, 4 * HOUR, &[1, 2, 3, 4][..]),
            (1, 4 * HOUR, &[1, 2, 3, 4]),
            (HOUR, 3 * HOUR, &[2, 3]),
            (HOUR, 3 * HOUR + 1, &[2, 3, 4]),
            (2 * HOUR - 1, 2 * HOUR, &[2]),
            (-HOUR, 0, &[]),
        ] {
            let (start_time, end_time) = (at(base + start), at(base + end));
            let asked = GetKeyUsageRequest { start_time, end_time, ..of(&tenant, &id) };
            let seen = usage(&tenant, asked).await;
            let seen: Vec<_> = seen[0].hours.iter().map(|hour| hour.accepted_count).collect();
            assert_eq!(seen, counts, "{start} to {end}");
        }
        // By default, the day that ends now.
        let seen = usage(&tenant, of(&tenant, &id)).await;
        assert_eq!(seen[0].hours.iter().map(|hour| hour.accepted_count).sum::<i64>(), 1);
        server.stop().await;
    }
}

mod invalid {
    use super::*;

    #[tokio::test]
    async fn a_range_that_is_empty_or_too_long_or_too_full_is_refused_by_its_field() {
        let site = Site::new().await;
        let server = server(&site).await;
        let mut tenant = server.workspace("full").await;
        let made = tenant.create_key("full").await;
        let id = made.api_key.unwrap().key_id;
        tenant.verify(&made.secret).await;
        eventually("there is a row", SOON, async || {
            !usage(&tenant, of(&tenant, &id)).await.is_empty()
        })
        .await;
        let now = server.clock.now().as_second();
        for (start, end) in [(now, now), (now, now - 1), (now - 90 * 24 * HOUR - 1, now)] {
            let (start_time, end_time) = (at(start), at(end));
            let asked = GetKeyUsageRequest { start_time, end_time, ..of(&tenant, &id) };
            let refusal = tenant.client.keys.get_key_usage(asked).await.refused();
            assert!(refusal.is_field("start_time"), "{refusal:?}");
        }
        let fill = "INSERT INTO usage.hours (key_id, hour, kid, verdict, count) \
            SELECT key_id, date_trunc('hour', now()) - hours * interval '1 hour', kid, verdict, 1 \
            FROM usage.credentials, generate_series(1, 2150) hours, generate_series(0, 14) verdict";
        site.tables().run(fill).await;
        let (start_time, end_time) = (at(now - 90 * 24 * HOUR), at(now));
        let asked = GetKeyUsageRequest { start_time, end_time, ..of(&tenant, &id) };
        let refusal = tenant.client.keys.get_key_usage(asked).await.refused();
        assert!(refusal.is_field("start_time"), "{refusal:?}");
        assert!(refusal.rule.contains("30000"), "{refusal:?}");
        let (start_time, end_time) = (at(now - 1_900 * HOUR), at(now));
        let asked = GetKeyUsageRequest { start_time, end_time, ..of(&tenant, &id) };
        assert!(usage(&tenant, asked).await[0].hours.len() >= 1_900);
        server.stop().await;
    }
}

mod not_found {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_is_not_found() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let missing = crate::asks::missing(&id);
        let refusal = tenant.client.keys.get_key_usage(of(&tenant, &missing)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.ApiKey".to_owned(), missing)));
    }
}
