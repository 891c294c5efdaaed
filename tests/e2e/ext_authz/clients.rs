//! From where the client comes: its address, its origin; and what is recorded of it.

use std::time::Duration;

use api::v1::ErrorReason;
use keyward::config::Settings;
use testkit::eventually;

use super::*;

#[tokio::test]
async fn the_client_is_the_other_end_of_the_connection_to_envoy() {
    let protected = Protected::new("addresses").await;
    let bound = async |network: &str| {
        let asked =
            CreateApiKeyRequest { ip_allowlist: vec![network.to_owned()], ..protected.key() };
        protected.tenant.create(asked).await.secret
    };
    let (v4, v6) = (bound("192.0.2.7").await, bound("2001:db8::/32").await);
    for (key, client, http) in [
        (&v4, "192.0.2.7", 200),
        (&v4, "::ffff:192.0.2.7", 200),
        (&v4, "::ffff:c000:207", 200),
        (&v4, "192.0.2.8", 403),
        (&v4, "2001:db8::1", 403),
        (&v4, "", 403),
        (&v6, "2001:db8::1", 200),
        (&v6, "2001:DB8:0:0::1", 200),
        (&v6, "2001:db9::1", 403),
        (&v6, "192.0.2.7", 403),
    ] {
        // What the client says of itself counts for nothing.
        let said = [
            ("x-api-key", key.as_str()),
            ("x-forwarded-for", "192.0.2.7, 2001:db8::1"),
            ("x-envoy-external-address", "192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
        ];
        let checked = protected.check(request(client, &said, &[])).await;
        assert_eq!(checked.http, http, "{client}");
    }
    // As Envoy writes the address of a neighbour: with the number of the interface.
    let neighbour = bound("fe80::/64").await;
    for client in ["fe80::1", "fe80::1%2"] {
        let checked = protected.check(request(client, &[("x-api-key", &neighbour)], &[])).await;
        assert_eq!(checked.http, 200, "{client}");
    }
    for wrong in ["192.0.2.07", "192.0.2.7:80", "192.0.2.7%2", "[::1]", "client", " 192.0.2.7"] {
        let refused = protected.refused(request(wrong, &[("x-api-key", &v4)], &[])).await;
        assert_eq!(refused.reason, ErrorReason::FieldInvalid, "{wrong}");
        assert_eq!(refused.field, "attributes.source.address.socket_address.address");
        assert!(!refused.message.contains(wrong), "{refused:?}");
    }
}

#[tokio::test]
async fn the_client_is_what_envoy_calls_the_external_address_where_the_operator_says_so() {
    let site = harness::Site::new().await;
    let settings = Settings { ext_authz_external_address: Some(true), ..Settings::default() };
    let config = site.config_with(site.url(), settings);
    let server = Server::start_with(config, site.operator_token()).await;
    let protected = Protected::on(server, "behind others").await;
    let key = protected.secret().await;
    let from = |external: &str| {
        request("192.0.2.7", &[("x-api-key", &key), ("x-envoy-external-address", external)], &[])
    };
    assert_eq!(protected.check(from(HERE)).await.http, 200);
    assert_eq!(protected.check(from("::ffff:192.0.2.7")).await.http, 200);
    denied(&protected.check(from("192.0.2.8")).await, 403, "");
    // Absent, it is not known: the proxy in front is not the client.
    denied(&protected.with(&key, &[]).await, 403, "");
    denied(&protected.check(from("")).await, 403, "");
    for wrong in ["192.0.2.7, 192.0.2.7", "192.0.2.7:80", "unknown"] {
        let refused = protected.refused(from(wrong)).await;
        assert_eq!(refused.reason, ErrorReason::FieldInvalid, "{wrong}");
        assert!(refused.field.contains("x-envoy-external-address"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_bound_to_domains_passes_from_their_pages_only() {
    let protected = Protected::new("origins").await;
    let asked =
        CreateApiKeyRequest { allowed_domains: vec!["a.example".to_owned()], ..protected.key() };
    let key = protected.tenant.create(asked).await.secret;
    for (name, value, http) in [
        ("origin", "https://a.example", 200),
        ("referer", "https://a.example/page?x=y", 200),
        ("origin", "https://b.example", 403),
        ("origin", "null", 403),
        ("referer", "https://b.example/a.example", 403),
        ("referer", "nonsense", 403),
        ("origin", &format!("https://a.example/{}", "x".repeat(2_048)), 403),
        ("accept", "*/*", 403),
    ] {
        let checked =
            protected.check(request(HERE, &[("x-api-key", &key), (name, value)], &[])).await;
        assert_eq!(checked.http, http, "{name}: {value}");
    }
    let both = [
        ("x-api-key", key.as_str()),
        ("origin", "https://b.example"),
        ("referer", "https://a.example/"),
    ];
    assert_eq!(protected.check(request(HERE, &both, &[])).await.http, 403, "the origin goes first");
}

#[tokio::test]
async fn a_key_remembers_the_address_and_the_agent_of_its_last_client() {
    let site = harness::Site::new().await;
    let mut config = site.config(site.url());
    config.usage_flush = Some(Duration::from_millis(100));
    let server = Server::start_with(config, site.operator_token()).await;
    let protected = Protected::on(server, "used").await;
    let made = protected.tenant.create(protected.key()).await;
    let key_id = made.api_key.unwrap().key_id;
    let headers = [("x-api-key", made.secret.as_str()), ("user-agent", "orders/1.0")];
    assert_eq!(protected.check(request(HERE, &headers, &[])).await.http, 200);
    eventually("its use is written", Duration::from_secs(20), async || {
        let last = protected.tenant.read_key(&key_id).await.last_use;
        last.is_some_and(|last| (&*last.ip, &*last.user_agent) == (HERE, "orders/1.0"))
    })
    .await;
}

#[tokio::test]
async fn a_request_as_large_as_envoy_takes_in_is_answered() {
    let protected = Protected::new("large").await;
    let key = protected.secret().await;
    // 60 KiB of headers at most; the path is told twice where all headers are.
    let path = format!("/{}", "a".repeat(59_000));
    let large = |key: &str| {
        let mut asked = request(HERE, &[("x-api-key", key), (":path", &path)], &[]);
        let attributes = asked.attributes.as_mut().unwrap();
        attributes.request.as_mut().unwrap().http.as_mut().unwrap().path.clone_from(&path);
        asked
    };
    assert_eq!(protected.check(large(&key)).await.http, 200);
    denied(&protected.check(large("kwk_live_x")).await, 401, INVALID);
    let large = "a".repeat(60_000);
    denied(&protected.with(&large, &[]).await, 401, INVALID);
}
