//! EXPLAIN: the same verdict, and every check with what it needed and what there was.

use api::v1::{Check, CheckName, CheckOutcome, SuspendWorkspaceRequest, VerifyMode};

use super::*;

const CHECKS: [CheckName; 11] = [
    CheckName::Format,
    CheckName::Identity,
    CheckName::Revocation,
    CheckName::Enabled,
    CheckName::NotBefore,
    CheckName::Expiry,
    CheckName::Rotation,
    CheckName::Workspace,
    CheckName::Ip,
    CheckName::Origin,
    CheckName::Scope,
];

async fn explained(tenant: &Tenant, request: VerifyKeyRequest) -> VerifyKeyResponse {
    let mode = VerifyMode::Explain.into();
    let response = ask(tenant, VerifyKeyRequest { mode, ..request.clone() }).await;
    let names: Vec<_> = response.checks.iter().map(Check::name).collect();
    assert_eq!(names, CHECKS);
    // The verdict is the one of a normal call.
    let normal = ask(tenant, request).await;
    let (checks, freshness) = (Vec::new(), None);
    let told = VerifyKeyResponse { checks, freshness, ..response.clone() };
    assert_eq!(told, VerifyKeyResponse { freshness: None, ..normal });
    response
}

fn check(response: &VerifyKeyResponse, name: CheckName) -> (CheckOutcome, &str, &str) {
    let check = response.checks.iter().find(|check| check.name() == name).unwrap();
    (check.outcome(), &check.needed, &check.held)
}

#[tokio::test]
async fn an_accepted_key_passes_every_check_that_has_something_to_look_at() {
    let tenant = tenant().await;
    let made = tenant.create(holding(&tenant, &["read"])).await;
    let response = explained(&tenant, plain(&made.secret)).await;
    let passed = [
        CheckName::Format,
        CheckName::Identity,
        CheckName::Revocation,
        CheckName::Enabled,
        CheckName::Workspace,
    ];
    for name in CHECKS {
        let (outcome, needed, held) = check(&response, name);
        let pass = passed.contains(&name);
        assert_eq!(
            outcome,
            if pass { CheckOutcome::Pass } else { CheckOutcome::Skipped },
            "{name:?}"
        );
        assert_eq!(pass, !needed.is_empty() && !held.is_empty(), "{name:?}");
    }
}

#[tokio::test]
async fn every_check_that_fails_is_listed_with_what_it_needed_and_what_there_was() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let (not_before, expires_at) = (seconds_ahead(&server, 3_600), seconds_ahead(&server, 7_200));
    let made = tenant
        .create(CreateApiKeyRequest {
            not_before: Some(not_before),
            expires_at: Some(expires_at),
            ip_allowlist: vec![
                "192.0.2.0/25".to_owned(),
                "192.0.2.128/25".to_owned(),
                "2001:db8::1".to_owned(),
            ],
            allowed_domains: vec!["example.com".to_owned(), "*.example.org".to_owned()],
            allow_localhost: true,
            ..holding(&tenant, &["a", "b"])
        })
        .await;
    let key_id = made.api_key.unwrap().key_id;
    tenant.client.clone().keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
    let revoked = tenant.revoke_key(&key_id).await;
    let request = SuspendWorkspaceRequest {
        workspace_id: tenant.id.clone(),
        ..SuspendWorkspaceRequest::default()
    };
    server.operator.workspaces.clone().suspend_workspace(request).await.unwrap();
    let response = explained(
        &tenant,
        VerifyKeyRequest {
            client_ip: "::ffff:198.51.100.1".to_owned(),
            origin: "https://evil.net".to_owned(),
            ..needing(&made.secret, &["a", "x"], &["y", "z"])
        },
    )
    .await;
    assert_eq!(response.denial(), Denial::Revoked);
    let text = |at: &prost_types::Timestamp| {
        jiff::Timestamp::new(at.seconds, at.nanos).unwrap().to_string()
    };
    let fail = |name, needed: &str, held: &str| {
        assert_eq!(check(&response, name), (CheckOutcome::Fail, needed, held));
    };
    let when = revoked.revocation.unwrap().revoke_time.unwrap();
    fail(CheckName::Revocation, "not revoked", &format!("revoked at {}", text(&when)));
    fail(CheckName::Enabled, "enabled", "disabled");
    fail(CheckName::Workspace, "not suspended", "suspended");
    fail(CheckName::Ip, "one of 192.0.2.0/24 2001:db8::1", "198.51.100.1");
    fail(CheckName::Origin, "one of example.com *.example.org localhost", "evil.net");
    fail(CheckName::Scope, "all of a x and one of y z", "a b");
    let (outcome, needed, held) = check(&response, CheckName::NotBefore);
    assert_eq!(
        (outcome, needed),
        (CheckOutcome::Fail, format!("from {}", text(&not_before)).as_str())
    );
    assert!(held.parse::<jiff::Timestamp>().is_ok());
    let (outcome, needed, _) = check(&response, CheckName::Expiry);
    assert_eq!(
        (outcome, needed),
        (CheckOutcome::Pass, format!("before {}", text(&expires_at)).as_str())
    );
    assert_eq!(check(&response, CheckName::Rotation), (CheckOutcome::Skipped, "", ""));
}

#[tokio::test]
async fn of_a_key_that_is_not_found_nothing_is_told() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let secret = other.create(bound_to(&other, &["192.0.2.7"])).await.secret;
    for (key, failed) in [(secret.as_str(), CheckName::Identity), ("x", CheckName::Format)] {
        let response = explained(&own, needing(key, &["read"], &[])).await;
        for one in &response.checks {
            assert_eq!(one.held, "");
            let expected = if one.name() == failed {
                CheckOutcome::Fail
            } else if one.name() == CheckName::Format {
                CheckOutcome::Pass
            } else {
                CheckOutcome::Skipped
            };
            assert_eq!(one.outcome(), expected, "{one:?}");
        }
    }
}

#[tokio::test]
async fn no_check_shows_any_part_of_the_credential() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    let response = explained(&tenant, plain(&secret)).await;
    let hidden = &secret[27..];
    for length in [hidden.len(), 8] {
        assert!(!format!("{:?}", response.checks).contains(&hidden[..length]));
    }
}

#[tokio::test]
async fn long_lists_are_explained_by_their_first_few() {
    let tenant = tenant().await;
    let scopes: Vec<_> = (0..128).map(|n| format!("scope:{n:03}")).collect();
    let request = CreateApiKeyRequest {
        ip_allowlist: (0..10_000).map(|n| format!("2001:db8:0:{n:x}::1")).collect(),
        allowed_domains: (0..50).map(|n| format!("www{n}.example.com")).collect(),
        scopes: scopes.clone(),
        ..tenant.key("long lists")
    };
    let made = tenant.create(request).await;
    let asked: Vec<_> = scopes.iter().map(String::as_str).collect();
    let response = explained(&tenant, needing(&made.secret, &asked, &[])).await;
    for name in [CheckName::Ip, CheckName::Origin, CheckName::Scope] {
        let (_, needed, held) = check(&response, name);
        let counted = needed.split(' ').filter(|word| *word != "...").count();
        // "one of" or "all of", and sixteen.
        assert_eq!(counted, 18, "{needed}");
        assert!(needed.ends_with(" ..."), "{needed}");
        assert!(held.len() < 500, "{held}");
    }
}
