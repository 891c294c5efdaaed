//! A key that may pass, and what its verdict says.

use api::v1::owner::Principal;
use api::v1::{
    CreateApiKeyRequest, Decision, Environment, Owner, VerdictInput, VerifyKeyRequest, VerifyMode,
    Warning,
};

use super::*;

#[tokio::test]
async fn a_new_key_passes_and_its_verdict_says_what_the_caller_needs_to_know() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let expires_at = seconds_ahead(&server, 30 * 86_400);
    let principal = Principal::UserId("user-7".to_owned());
    let made = tenant
        .create(CreateApiKeyRequest {
            owner: Some(Owner {
                owner_email: "ann@example.com".to_owned(),
                principal: Some(principal.clone()),
            }),
            expires_at: Some(expires_at),
            metadata: [("team".to_owned(), "red".to_owned())].into(),
            ..holding(&tenant, &["profile:read", "payment:read"])
        })
        .await;
    let response = ask(&tenant, plain(&made.secret)).await;
    assert_eq!(response.decision(), Decision::Accepted);
    let (key, told) = (made.api_key.unwrap(), response.key.unwrap());
    assert_eq!(told.key_id, key.key_id);
    assert_eq!(told.workspace_id, tenant.id);
    assert_eq!(told.name, "with scopes");
    assert_eq!(told.display, key.display);
    assert_eq!(told.env(), Environment::Live);
    assert_eq!(told.scopes, ["payment:read", "profile:read"]);
    assert_eq!(told.owner, Some(Owner { owner_email: String::new(), principal: Some(principal) }));
    assert_eq!(told.expires_at, Some(expires_at));
    assert_eq!((told.generation, told.grace_until), (1, None));
    assert_eq!(told.metadata, [("team".to_owned(), "red".to_owned())].into());
    assert!(response.checks.is_empty());
}

#[tokio::test]
async fn the_display_form_holds_the_kid_and_no_character_of_the_secret() {
    let tenant = tenant().await;
    let made = tenant.create(test_world(&tenant)).await;
    let display = ask(&tenant, plain(&made.secret)).await.key.unwrap().display;
    assert_eq!(display.len(), "kwk_test_".len() + 17);
    assert!(made.secret.starts_with(&format!("{display}_")));
}

#[tokio::test]
async fn a_key_passes_in_each_world_that_is_allowed() {
    let tenant = tenant().await;
    let (live, test) = (tenant.create_key("live").await, tenant.create(test_world(&tenant)).await);
    let (live, test) = (live.secret.as_str(), test.secret.as_str());
    let [l, t] = [Environment::Live, Environment::Test].map(i32::from);
    let cases = [
        (live, vec![]),
        (test, vec![]),
        (live, vec![l]),
        (test, vec![t]),
        (live, vec![l, t]),
        (test, vec![t, l]),
    ];
    for (secret, allowed_envs) in cases {
        let request = VerifyKeyRequest { allowed_envs, ..plain(secret) };
        assert_eq!(
            denial(&tenant, request.clone()).await,
            Denial::Unspecified,
            "{:?}",
            request.allowed_envs
        );
    }
}

#[tokio::test]
async fn an_owner_is_warned_of_an_end_within_seven_days_and_of_a_key_that_passes_from_everywhere() {
    let server = Server::shared().await;
    let tenant = server.workspace("a workspace").await;
    let warnings = async |secret: &str| {
        let response = ask(&tenant, from(secret, "192.0.2.7")).await;
        response.warnings().collect::<Vec<_>>()
    };
    let end = async |seconds: i64, request: CreateApiKeyRequest| {
        let expires_at = Some(seconds_ahead(&server, seconds));
        tenant.create(CreateApiKeyRequest { expires_at, ..request }).await.secret
    };
    let bound = || bound_to(&tenant, &["192.0.2.0/24"]);
    let quiet = tenant.create(bound()).await.secret;
    assert_eq!(warnings(&quiet).await, []);
    let open = tenant.create_key("open").await.secret;
    assert_eq!(warnings(&open).await, [Warning::UnrestrictedIp]);
    let soon = end(7 * 86_400 - 60, bound()).await;
    assert_eq!(warnings(&soon).await, [Warning::ExpiresSoon]);
    let later = end(7 * 86_400 + 600, bound()).await;
    assert_eq!(warnings(&later).await, []);
    let both = end(60, tenant.key("both")).await;
    assert_eq!(warnings(&both).await, [Warning::ExpiresSoon, Warning::UnrestrictedIp]);
}

#[tokio::test]
async fn a_verdict_may_be_kept_for_a_second_but_never_beyond_the_end_of_the_key() {
    let server = Server::start().await;
    let tenant = server.workspace("a workspace").await;
    let end = seconds_ahead(&server, 3_600);
    let expires_at = Some(end);
    let ending = tenant.create(CreateApiKeyRequest { expires_at, ..tenant.key("ending") }).await;
    let kept = async || ask(&tenant, plain(&ending.secret)).await.cache_for.unwrap();
    let second = prost_types::Duration { seconds: 1, nanos: 0 };
    assert_eq!(kept().await, second);
    // Up to half a second before the end.
    let left = end.seconds * 1_000_000 - server.clock.now().as_microsecond();
    server.clock.turn(std::time::Duration::from_micros(left.unsigned_abs() - 500_000));
    let kept = kept().await;
    assert!(kept.seconds == 0 && (1..=500_000_000).contains(&kept.nanos), "{kept:?}");
}

#[tokio::test]
async fn a_verdict_names_the_inputs_that_it_must_be_cached_by() {
    let tenant = tenant().await;
    let made = tenant.create(holding(&tenant, &["read"])).await;
    assert_eq!(ask(&tenant, plain(&made.secret)).await.depends_on, [0i32; 0]);
    let full = VerifyKeyRequest {
        expected_key_id: made.api_key.unwrap().key_id,
        workspace_id: tenant.id.clone(),
        allowed_envs: vec![Environment::Live.into()],
        client_ip: "192.0.2.7".to_owned(),
        origin: "https://example.com".to_owned(),
        user_agent: "curl/8".to_owned(),
        ..needing(&made.secret, &["read"], &[])
    };
    let mut named: Vec<_> = ask(&tenant, full).await.depends_on().collect();
    named.sort_unstable();
    let all = [
        VerdictInput::ExpectedKeyId,
        VerdictInput::WorkspaceId,
        VerdictInput::AllowedEnvs,
        VerdictInput::ClientIp,
        VerdictInput::Origin,
        VerdictInput::RequiredScopes,
    ];
    assert_eq!(named, all);
}

#[tokio::test]
async fn a_denial_that_a_cache_could_mix_up_names_its_inputs_too() {
    let tenant = tenant().await;
    let made = tenant.create(bound_to(&tenant, &["192.0.2.0/24"])).await;
    let response = ask(&tenant, from(&made.secret, "198.51.100.1")).await;
    assert_eq!(response.denial(), Denial::IpNotAllowed);
    assert_eq!(response.depends_on().collect::<Vec<_>>(), [VerdictInput::ClientIp]);
}

#[tokio::test]
async fn a_dry_run_gives_the_same_verdict_as_a_normal_call() {
    let tenant = tenant().await;
    let good = tenant.create(holding(&tenant, &["read"])).await.secret;
    for request in [needing(&good, &["read"], &[]), needing(&good, &["write"], &[]), plain("x")] {
        let with = |mode: VerifyMode| VerifyKeyRequest { mode: mode.into(), ..request.clone() };
        let mut verdicts = Vec::new();
        for mode in [VerifyMode::Unspecified, VerifyMode::Normal, VerifyMode::DryRun] {
            let response = ask(&tenant, with(mode)).await;
            verdicts.push(VerifyKeyResponse { freshness: None, ..response });
        }
        assert_eq!(verdicts[0], verdicts[1]);
        assert_eq!(verdicts[1], verdicts[2]);
    }
}
