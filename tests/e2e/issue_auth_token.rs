//! IssueAuthToken: one more credential of a key, shown once.

use std::time::Duration;

use api::v1::{self as wire, ErrorReason, IssueAuthTokenRequest};
use harness::{Refused, Server, Tenant};

fn moment(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

/// A new key's id.
async fn key(tenant: &Tenant) -> String {
    tenant.create_key("a key").await.api_key.unwrap().key_id
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_token_has_what_was_asked_for_and_its_secret_works() {
        let server = Server::shared().await;
        let tenant = server.workspace("issued").await;
        let request =
            wire::CreateApiKeyRequest { env: wire::Environment::Test.into(), ..tenant.key("key") };
        let key_id = tenant.create(request).await.api_key.unwrap().key_id;
        let end = prost_types::Timestamp {
            seconds: server.clock.now().as_second() + 3_600,
            nanos: 123_456_789,
        };
        let domains = ["https://www.example.com/", "*.example.org", "example.com"];
        let asked = IssueAuthTokenRequest {
            expires_at: Some(end),
            allowed_domains: domains.map(str::to_owned).to_vec(),
            allow_localhost: true,
            ..tenant.issue(&key_id, "dashboard")
        };
        let answer = tenant.issue_token(asked).await;
        let token = answer.auth_token.unwrap();
        assert!(token.auth_token_id.starts_with("at_"));
        assert_eq!((token.key_id.as_str(), token.name.as_str()), (key_id.as_str(), "dashboard"));
        assert!(answer.secret.starts_with("kwa_test_"));
        assert_eq!(token.display, answer.secret.rsplit_once('_').unwrap().0);
        let end = prost_types::Timestamp { nanos: 123_456_000, ..end };
        assert_eq!(token.expires_at, Some(end), "microseconds");
        assert_eq!(token.allowed_domains, ["example.com", "*.example.org"]);
        assert!(token.allow_localhost);
        assert_eq!(token.created_by, format!("workspace:{}", tenant.id));
        assert!(token.create_time.is_some());
        assert_eq!((token.reset_time, token.revoke_time), (None, None));
        assert_eq!(token.etag, "\"1\"");
        assert_eq!(tenant.tokens(&key_id, false).await, [token]);
        let from_there =
            harness::of_key(&key_id, &answer.secret).and("origin", "https://example.com");
        let mut app = server.client(&from_there).keys;
        app.get_config(wire::GetConfigRequest::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_repeated_request_is_answered_with_the_secret_for_ten_minutes() {
        let server = Server::start().await;
        let mut tenant = server.workspace("repeated").await;
        let key_id = key(&tenant).await;
        let asked = IssueAuthTokenRequest {
            request_id: "the-same-token-again".to_owned(),
            ..tenant.issue(&key_id, "once")
        };
        let first = tenant.issue_token(asked.clone()).await;
        assert_eq!(tenant.issue_token(asked.clone()).await, first);
        assert_eq!(tenant.tokens(&key_id, true).await.len(), 1);
        server.clock.turn(Duration::from_secs(600));
        let refusal = tenant.client.keys.issue_auth_token(asked.clone()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::RequestAlreadyAnswered);
        assert_eq!(refusal.metadata["key_id"], key_id);
        assert_eq!(refusal.metadata["auth_token_id"], first.auth_token.unwrap().auth_token_id);
        let other = IssueAuthTokenRequest { name: "other".to_owned(), ..asked };
        let refusal = tenant.client.keys.issue_auth_token(other).await.refused();
        assert_eq!(refusal.reason, ErrorReason::RequestIdReused);
    }

    #[tokio::test]
    async fn a_key_that_is_switched_off_or_has_not_begun_gets_tokens() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("off").await;
        let off = key(&tenant).await;
        tenant.client.keys.disable_api_key(tenant.disable(&off)).await.unwrap();
        tenant.issue_token(tenant.issue(&off, "for later")).await;
        let later = moment(server.clock.now().as_second() + 3_600);
        let request = wire::CreateApiKeyRequest { not_before: later, ..tenant.key("later") };
        let waiting = tenant.pair(request).await;
        let mut app = server.client(&waiting.credentials()).keys;
        app.get_config(wire::GetConfigRequest::default()).await.unwrap();
    }
}

mod refused {
    use super::*;

    /// The path of a field, and what breaks its rule.
    type Bad = (&'static str, fn(&mut IssueAuthTokenRequest));

    const BAD: &[Bad] = &[
        ("name", |r| r.name.clear()),
        ("name", |r| r.name = "  ".to_owned()),
        ("name", |r| r.name = "n".repeat(129)),
        ("name", |r| r.name = "a\u{202e}b".to_owned()),
        ("expires_at", |r| r.expires_at = moment(1_000_000_000)),
        ("expires_at", |r| r.expires_at = moment(253_402_300_800)),
        ("allowed_domains[1]", |r| {
            r.allowed_domains = vec!["example.com".to_owned(), "localhost".to_owned()];
        }),
        ("allowed_domains[0]", |r| r.allowed_domains = vec!["co.uk".to_owned()]),
        ("allowed_domains", |r| r.allowed_domains = vec!["example.com".to_owned(); 101]),
        ("request_id", |r| r.request_id = "short".to_owned()),
        ("key_id", |r| r.key_id.clear()),
        ("key_id", |r| r.key_id = "ws_00000000000000000000000000".to_owned()),
        ("workspace_id", |r| r.workspace_id.clear()),
    ];

    #[tokio::test]
    async fn every_bad_field_is_named_and_nothing_is_written() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("bad").await;
        let key_id = key(&tenant).await;
        let events = server.tables().events_of(&tenant.id).await;
        for (number, (path, spoil)) in BAD.iter().enumerate() {
            let mut asked = tenant.issue(&key_id, "a token");
            spoil(&mut asked);
            let refusal = tenant.client.keys.issue_auth_token(asked).await.refused();
            assert!(refusal.is_field(path), "{number}: {refusal:?}");
        }
        assert_eq!(server.tables().events_of(&tenant.id).await, events);
    }

    #[tokio::test]
    async fn a_dead_key_gets_no_token() {
        let server = Server::start().await;
        let mut tenant = server.workspace("dead").await;
        let (revoked, deleted) = (key(&tenant).await, key(&tenant).await);
        tenant.revoke_key(&revoked).await;
        tenant.client.keys.delete_api_key(tenant.delete(&deleted)).await.unwrap();
        let end = moment(server.clock.now().as_second() + 60);
        let request = wire::CreateApiKeyRequest { expires_at: end, ..tenant.key("ends") };
        let expired = tenant.create(request).await.api_key.unwrap().key_id;
        server.clock.turn(Duration::from_secs(61));
        let expected = [
            (revoked, ErrorReason::ApiKeyRevoked),
            (deleted, ErrorReason::ApiKeyDeleted),
            (expired, ErrorReason::ApiKeyExpired),
        ];
        for (key_id, reason) in expected {
            let asked = tenant.issue(&key_id, "too late");
            let refusal = tenant.client.keys.issue_auth_token(asked).await.refused();
            assert_eq!(refusal.reason, reason);
            assert_eq!(tenant.tokens(&key_id, true).await, []);
        }
    }

    #[tokio::test]
    async fn a_suspended_workspace_gets_no_token() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("suspended").await;
        let key_id = key(&tenant).await;
        let workspace_id = tenant.id.clone();
        let suspend = wire::SuspendWorkspaceRequest { workspace_id, ..Default::default() };
        server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
        let asked = tenant.issue(&key_id, "not now");
        let refusal = tenant.client.keys.issue_auth_token(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceSuspended);
    }

    #[tokio::test]
    async fn a_key_has_at_most_twenty_live_tokens() {
        let server = Server::start().await;
        let mut tenant = server.workspace("many").await;
        let (key_id, other) = (key(&tenant).await, key(&tenant).await);
        let end = moment(server.clock.now().as_second() + 60);
        let ends = IssueAuthTokenRequest { expires_at: end, ..tenant.issue(&key_id, "ends") };
        tenant.issue_token(ends).await;
        for number in 1..18 {
            tenant.issue_token(tenant.issue(&key_id, &format!("token {number}"))).await;
        }
        let at_once = (0..6).map(|number| {
            let (mut keys, asked) = (tenant.client.keys.clone(), tenant.issue(&key_id, "at once"));
            async move { (number, keys.issue_auth_token(asked).await) }
        });
        let answered = futures_util::future::join_all(at_once).await;
        for (_, answer) in answered {
            if let Err(status) = answer {
                let reason = harness::Refusal::of(&status).reason;
                assert_eq!(reason, ErrorReason::TooManyAuthTokens);
            }
        }
        let live = tenant.tokens(&key_id, false).await;
        assert_eq!(live.len(), 20);
        tenant.issue_token(tenant.issue(&other, "another key's")).await;
        let revoke = tenant.revoke_token(&key_id, &live[5].auth_token_id);
        tenant.client.keys.revoke_auth_token(revoke).await.unwrap();
        tenant.issue_token(tenant.issue(&key_id, "in its place")).await;
        let asked = tenant.issue(&key_id, "one more");
        let refusal = tenant.client.keys.issue_auth_token(asked.clone()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::TooManyAuthTokens);
        server.clock.turn(Duration::from_secs(61));
        tenant.issue_token(asked).await;
    }

    #[tokio::test]
    async fn a_key_that_was_never_made_gets_no_token() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let missing = crate::asks::missing(&key(&tenant).await);
        let asked = tenant.issue(&missing, "nobody's");
        let refusal = tenant.client.keys.issue_auth_token(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.ApiKey".to_owned(), missing)));
    }
}
