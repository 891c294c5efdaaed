//! Requests that can't be answered: an error that names the field, never a denial.

use api::v1::Consistency;
use api::v1::consistency::Requirement;
use harness::Refused;

use super::*;

async fn refused(tenant: &Tenant, request: VerifyKeyRequest, path: &str) {
    let refusal = tenant.client.clone().keys.verify_key(request.clone()).await.refused();
    assert!(refusal.is_field(path), "{path}: {refusal:?}");
}

#[tokio::test]
async fn an_unparsable_client_ip_is_an_error_and_never_a_denial() {
    let tenant = tenant().await;
    // Whether the key is bound, or is one at all, makes no difference.
    let bound = tenant.create(bound_to(&tenant, &["192.0.2.7"])).await.secret;
    let open = tenant.create_key("open").await.secret;
    let wrong = [
        " ",
        "192.0.2",
        "192.0.2.07",
        "192.0.2.256",
        "192.0.2.7/32",
        "192.0.2.7:80",
        " 192.0.2.7",
        "192.0.2.7 ",
        "0xc0.0.2.7",
        "3221225991",
        "fe80::1%eth0",
        "[::1]",
        "::1::",
        "2001:db8::/32",
        "localhost",
        "unknown",
        "192.0.2.7, 198.51.100.1",
        "１92.0.2.7",
        "192.0.2.7\0",
    ];
    for client_ip in wrong {
        for secret in [&bound, &open, "nonsense"] {
            refused(&tenant, from(secret, client_ip), "client_ip").await;
        }
    }
}

#[tokio::test]
async fn a_scope_that_is_none_is_an_error_with_its_place() {
    let tenant = tenant().await;
    let secret = tenant.create(holding(&tenant, &["read"])).await.secret;
    let long = "x".repeat(65);
    for wrong in ["", " ", "Read", "a b", "read\0", "räd", long.as_str()] {
        let path = "required_scopes.all_of[1]";
        refused(&tenant, needing(&secret, &["read", wrong], &[]), path).await;
        refused(&tenant, needing(&secret, &["read"], &[wrong]), "required_scopes.any_of[0]").await;
    }
}

#[tokio::test]
async fn the_required_scopes_are_at_most_128_in_all() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    let many: Vec<_> = (0..129).map(|n| format!("s{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let longest = "x".repeat(64);
    for (all_of, any_of) in [(&many[..], &[][..]), (&[], &many), (&many[..128], &[&longest])] {
        refused(&tenant, needing(&secret, all_of, any_of), "required_scopes").await;
    }
    let request = needing(&secret, &many[..127], &[&longest]);
    assert_eq!(denial(&tenant, request).await, Denial::InsufficientScope);
}

#[tokio::test]
async fn unknown_enum_values_are_errors_with_their_place() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    for mode in [4, -1, i32::MAX] {
        refused(&tenant, VerifyKeyRequest { mode, ..plain(&secret) }, "mode").await;
    }
    for env in [0, 3, -1] {
        let allowed_envs = vec![Environment::Live.into(), env];
        let request = VerifyKeyRequest { allowed_envs, ..plain(&secret) };
        refused(&tenant, request, "allowed_envs[1]").await;
    }
}

#[tokio::test]
async fn ids_that_are_none_are_errors() {
    let tenant = tenant().await;
    let made = tenant.create_key("a key").await;
    let (secret, key_id) = (made.secret, made.api_key.unwrap().key_id);
    for wrong in ["x", "ws_", key_id.as_str(), "ws_0000000000000000000000000\0", &tenant.token] {
        let request = VerifyKeyRequest { workspace_id: wrong.to_owned(), ..plain(&secret) };
        refused(&tenant, request, "workspace_id").await;
    }
    for wrong in ["x", tenant.id.as_str(), secret.as_str()] {
        let request = VerifyKeyRequest { expected_key_id: wrong.to_owned(), ..plain(&secret) };
        refused(&tenant, request, "expected_key_id").await;
    }
}

#[tokio::test]
async fn an_over_long_origin_is_an_error() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    let at = |length| VerifyKeyRequest { origin: "x".repeat(length), ..plain(&secret) };
    assert_eq!(denial(&tenant, at(2_048)).await, Denial::Unspecified);
    refused(&tenant, at(2_049), "origin").await;
}

#[tokio::test]
async fn a_requirement_that_is_none_is_an_error() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    let with = |requirement| VerifyKeyRequest {
        consistency: Some(Consistency { requirement: Some(requirement) }),
        ..plain(&secret)
    };
    let fast = with(Requirement::MinimizeLatency(true));
    assert_eq!(denial(&tenant, fast).await, Denial::Unspecified);
    let path = "consistency.minimize_latency";
    refused(&tenant, with(Requirement::MinimizeLatency(false)), path).await;
    for token in ["", "x", ".", "1.1", "00000000000000000000000000000000"] {
        let request = with(Requirement::AtLeast(token.to_owned()));
        refused(&tenant, request, "consistency.at_least").await;
    }
}

#[tokio::test]
async fn a_refused_value_is_never_repeated_in_the_refusal() {
    let tenant = tenant().await;
    let canary = "canary-4711";
    let request =
        VerifyKeyRequest { client_ip: canary.to_owned(), ..needing(canary, &[canary], &[]) };
    let status = tenant.client.clone().keys.verify_key(request).await.unwrap_err();
    assert!(!format!("{status:?}").contains(canary), "{status:?}");
}
