//! Where a key may be, and who may ask.

use api::envoy::config::core::v3::{HeaderMap, HeaderValue};
use api::v1::ErrorReason;
use harness::Credentials;
use keyward::config::Settings;

use super::*;

#[tokio::test]
async fn a_credential_is_found_wherever_it_may_be_and_there_is_one() {
    let protected = Protected::new("places").await;
    let key = protected.secret().await;
    let bearer = |scheme: &str| format!("{scheme} {key}");
    let with = async |headers: &[(&str, &str)]| protected.check(request(HERE, headers, &[])).await;
    for headers in [
        &[("authorization", &*bearer("Bearer"))][..],
        &[("authorization", &bearer("bEARER"))],
        &[("authorization", &bearer("Bearer  "))],
        &[("X-Api-Key", &key)],
        &[("x-api-key", &key), ("authorization", &bearer("Bearer"))],
        &[("authorization", "Basic b"), ("x-api-key", &key)],
        &[("authorization", "Bearer "), ("x-api-key", &key)],
    ] {
        assert_eq!(with(headers).await.http, 200, "{headers:?}");
    }
    for headers in [
        &[][..],
        &[("authorization", "Basic b")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer ")],
        &[("x-api-key", "")],
        &[("x-key-id", &key)],
        &[("x-api-key", &key), ("authorization", "Bearer other")],
    ] {
        denied(&with(headers).await, 401, NONE);
    }
    // What Envoy has joined is one text, and no key.
    denied(&with(&[("x-api-key", &format!("{key},{key}"))]).await, 401, INVALID);
    // A key in the query is none.
    let mut asked = request(HERE, &[], &[]);
    let http = asked.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut();
    http.unwrap().path = format!("/orders?api_key={key}&x-api-key={key}");
    denied(&protected.check(asked).await, 401, NONE);
}

#[tokio::test]
async fn headers_that_come_one_by_one_are_read_as_those_that_are_joined() {
    let protected = Protected::new("raw").await;
    let key = protected.secret().await;
    let with = async |headers: &[(&str, &[u8])]| {
        let headers = headers.iter().map(|&(key, value)| HeaderValue {
            key: key.to_owned(),
            raw_value: value.to_vec(),
            ..HeaderValue::default()
        });
        let mut asked = request(HERE, &[], &[]);
        let http = asked.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut();
        http.unwrap().header_map = Some(HeaderMap { headers: headers.collect() });
        protected.check(asked).await
    };
    let own = key.as_bytes();
    assert_eq!(with(&[("x-api-key", own)]).await.http, 200);
    assert_eq!(with(&[("x-api-key", own), ("x-api-key", own)]).await.http, 200);
    denied(&with(&[("x-api-key", own), ("x-api-key", b"other")]).await, 401, NONE);
    denied(&with(&[("x-api-key", b"\xff\xfe")]).await, 401, INVALID);
    denied(&with(&[("x-api-key", &[own, b"\xff"].concat())]).await, 401, INVALID);
}

#[tokio::test]
async fn another_header_and_another_prefix_are_read_and_written_instead() {
    let site = harness::Site::new().await;
    let settings = Settings {
        ext_authz_header: Some("X-Token".to_owned()),
        ext_authz_prefix: Some("acme-".to_owned()),
        ..Settings::default()
    };
    let config = site.config_with(site.url(), settings);
    let server = Server::start_with(config, site.operator_token()).await;
    let protected = Protected::on(server, "other names").await;
    let key = protected.secret().await;
    let checked = protected.check(request(HERE, &[("x-token", &key)], &[])).await;
    assert_eq!(checked.http, 200);
    assert!(checked.headers.keys().all(|name| name.starts_with("acme-")), "{checked:?}");
    assert_eq!(
        (checked.headers.len(), checked.removed),
        (6, vec!["x-token".into(), "authorization".into()])
    );
    denied(&protected.with(&key, &[]).await, 401, NONE);
}

#[tokio::test]
async fn who_may_not_ask_is_refused_and_not_answered_for_the_client() {
    let protected = Protected::new("askers").await;
    let server = &protected.server;
    let key = protected.secret().await;
    let other = server.service(&[Permission::AuditRead], &[]).await;
    for (credentials, reason) in [
        (Credentials::none(), ErrorReason::CredentialMissing),
        (Credentials::bearer("kws_live_x"), ErrorReason::CredentialInvalid),
        // The client's key is no credential of Envoy's.
        (Credentials::bearer(&key), ErrorReason::CredentialInvalid),
        (Credentials::bearer(&other), ErrorReason::PermissionDenied),
        (Credentials::bearer(server.operator_token()), ErrorReason::PermissionDenied),
    ] {
        let mut client = server.client(&credentials).authorization;
        for headers in [&[("x-api-key", &*key)][..], &[]] {
            let refused = client.check(request(HERE, headers, &[])).await.refused();
            assert_eq!(refused.reason, reason, "{credentials:?}");
        }
    }
}
