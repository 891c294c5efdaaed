//! Of two denials that apply, the earlier one of the list is answered.

use std::time::Duration;

use api::v1::SuspendWorkspaceRequest;

use super::*;

/// What makes one check fail on the wire.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    Foreign,
    Revoked,
    Disabled,
    NotYetValid,
    Expired,
    Suspended,
    Address,
    Origin,
    Scope,
}

/// In the order of precedence, with the denial that each leads to.
const FLAWS: [(Flaw, Denial); 9] = [
    (Flaw::Foreign, Denial::NotFound),
    (Flaw::Revoked, Denial::Revoked),
    (Flaw::Disabled, Denial::Disabled),
    (Flaw::NotYetValid, Denial::NotYetValid),
    (Flaw::Expired, Denial::Expired),
    (Flaw::Suspended, Denial::WorkspaceSuspended),
    (Flaw::Address, Denial::IpNotAllowed),
    (Flaw::Origin, Denial::OriginNotAllowed),
    (Flaw::Scope, Denial::InsufficientScope),
];

/// A key with these flaws, and a request that meets them all.
async fn flawed(server: &Server, tenant: &Tenant, flaws: &[Flaw]) -> VerifyKeyRequest {
    let has = |flaw| flaws.contains(&flaw);
    let made = tenant
        .create(CreateApiKeyRequest {
            // The test asks an hour later.
            expires_at: has(Flaw::Expired).then(|| seconds_ahead(server, 1_800)),
            not_before: has(Flaw::NotYetValid)
                .then(|| seconds_ahead(server, if has(Flaw::Expired) { 1_700 } else { 86_400 })),
            ip_allowlist: if has(Flaw::Address) { vec!["192.0.2.7".to_owned()] } else { vec![] },
            allowed_domains: if has(Flaw::Origin) {
                vec!["example.com".to_owned()]
            } else {
                vec![]
            },
            ..tenant.key("flawed")
        })
        .await;
    let key_id = made.api_key.unwrap().key_id;
    let mut keys = tenant.client.clone().keys;
    if has(Flaw::Disabled) {
        keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
    }
    if has(Flaw::Revoked) {
        tenant.revoke_key(&key_id).await;
    }
    let scopes: &[&str] = if has(Flaw::Scope) { &["read"] } else { &[] };
    let foreign = server.workspace("foreign").await;
    VerifyKeyRequest {
        workspace_id: if has(Flaw::Foreign) { foreign.id } else { String::new() },
        client_ip: "198.51.100.1".to_owned(),
        origin: "https://evil.net".to_owned(),
        ..needing(&made.secret, scopes, &[])
    }
}

#[tokio::test]
async fn of_two_neighbouring_flaws_the_earlier_one_is_answered() {
    let server = Server::start().await;
    let (sound, suspended) = (server.workspace("sound").await, server.workspace("not").await);
    let mut questions = Vec::new();
    for pair in FLAWS.windows(2) {
        let flaws = [pair[0].0, pair[1].0];
        // No key is before its beginning and past its end; those two have other neighbours here.
        let flaws = match flaws {
            [Flaw::NotYetValid, Flaw::Expired] => [Flaw::NotYetValid, Flaw::Suspended],
            other => other,
        };
        let tenant = if flaws.contains(&Flaw::Suspended) { &suspended } else { &sound };
        questions.push((tenant, flawed(&server, tenant, &flaws).await, pair[0].1));
    }
    // All at once, and one less from the front each time.
    for from in 0..FLAWS.len() {
        let mut flaws: Vec<_> = FLAWS[from..].iter().map(|(flaw, _)| *flaw).collect();
        if flaws.contains(&Flaw::NotYetValid) {
            flaws.retain(|&flaw| flaw != Flaw::Expired);
        }
        let tenant = if flaws.contains(&Flaw::Suspended) { &suspended } else { &sound };
        questions.push((tenant, flawed(&server, tenant, &flaws).await, FLAWS[from].1));
    }
    let request = SuspendWorkspaceRequest {
        workspace_id: suspended.id.clone(),
        ..SuspendWorkspaceRequest::default()
    };
    server.operator.workspaces.clone().suspend_workspace(request).await.unwrap();
    server.clock.turn(Duration::from_secs(3_600));
    for (tenant, request, expected) in questions {
        assert_eq!(denial(tenant, request).await, expected);
    }
}

#[tokio::test]
async fn bad_input_comes_before_every_denial() {
    let tenant = tenant().await;
    let request = VerifyKeyRequest { client_ip: "x".to_owned(), ..plain("nonsense") };
    tenant.client.clone().keys.verify_key(request).await.unwrap_err();
}
