//! What must hold is the route's to say; what can't be asked so fails closed, and is no denial.

use api::envoy::service::auth::v3::AttributeContext;
use api::v1::{Environment, ErrorReason};

use super::*;

#[tokio::test]
async fn what_must_hold_is_said_by_the_route() {
    let protected = Protected::new("route").await;
    let key = protected.secret().await;
    let test = CreateApiKeyRequest { env: Environment::Test.into(), ..protected.key() };
    let test = protected.tenant.create(test).await.secret;
    let workspace = protected.tenant.id.as_str();
    let far = protected.server.workspace("far").await.id;
    for (extensions, live, other) in [
        (&[][..], 200, 200),
        (&[("scope", "payment:read")], 200, 200),
        (&[("scope", " payment:read  payment:read ")], 200, 200),
        (&[("scope", "payment:read payment:write")], 403, 403),
        (&[("any_scope", "payment:write payment:read")], 200, 200),
        (&[("any_scope", "payment:write")], 403, 403),
        (&[("env", "live")], 200, 401),
        (&[("env", "test")], 401, 200),
        (&[("env", "test live")], 200, 200),
        (&[("workspace", workspace)], 200, 200),
        (&[("workspace", &far)], 401, 401),
        (&[("env", "live"), ("scope", "payment:read"), ("workspace", workspace)], 200, 401),
    ] {
        let asked =
            [protected.with(&key, extensions).await, protected.with(&test, extensions).await];
        assert_eq!(asked.map(|checked| checked.http), [live, other], "{extensions:?}");
    }
}

#[tokio::test]
async fn a_route_that_can_not_be_meant_lets_nothing_on_and_denies_nothing() {
    let protected = Protected::new("mistakes").await;
    let key = protected.secret().await;
    let many = vec!["a"; 129].join(" ");
    for (name, value, field) in [
        ("scopes", "payment:read", ""),
        ("required_scopes", "", ""),
        ("Scope", "payment:read", ""),
        ("", "", ""),
        ("scope", "", "[\"scope\"]"),
        ("scope", "  ", "[\"scope\"]"),
        ("scope", "payment:read,payment:write", "[\"scope\"]"),
        ("scope", &many, "[\"scope\"]"),
        ("any_scope", "PAYMENT", "[\"any_scope\"]"),
        ("env", "prod", "[\"env\"]"),
        ("env", "", "[\"env\"]"),
        ("workspace", "", "[\"workspace\"]"),
        ("workspace", "ws_x", "[\"workspace\"]"),
    ] {
        // Whether the client has a key or not: the mistake is the operator's.
        for headers in [&[("x-api-key", &*key)][..], &[]] {
            let refused = protected.refused(request(HERE, headers, &[(name, value)])).await;
            assert_eq!(refused.reason, ErrorReason::FieldInvalid, "{name:?}: {value:?}");
            assert_eq!(
                refused.field,
                format!("attributes.context_extensions{field}"),
                "{name:?}: {value:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_request_of_http_can_not_be_asked_about() {
    let protected = Protected::new("empty").await;
    let no_http = CheckRequest { attributes: Some(AttributeContext::default()) };
    for asked in [CheckRequest::default(), no_http] {
        let refused = protected.refused(asked).await;
        assert_eq!(refused.reason, ErrorReason::FieldInvalid);
        assert_eq!(refused.field, "attributes.request.http");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_and_one_with_a_long_header_is_judged() {
    let protected = Protected::new("large").await;
    let key = protected.secret().await;
    let cookie = "c".repeat(40_000);
    let long = request(HERE, &[("x-api-key", &key), ("cookie", &cookie)], &[]);
    assert_eq!(protected.check(long).await.http, 200);
    let cookie = "c".repeat(140_000);
    let large = request(HERE, &[("x-api-key", &key), ("cookie", &cookie)], &[]);
    assert_eq!(protected.refused(large).await.reason, ErrorReason::MessageTooLarge);
}
