//! UpdateApiKey: what a mask names is changed, and nothing else.

use api::v1::{self as wire, ApiKey, Decision, Denial, ErrorReason, Owner};
use harness::{Refusal, Refused, Server, Tenant};

async fn update(tenant: &Tenant, request: wire::UpdateApiKeyRequest) -> wire::UpdateApiKeyResponse {
    tenant.client.clone().keys.update_api_key(request).await.unwrap().into_inner()
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}

/// What VerifyKey says to this address, origin and scope.
async fn denial(tenant: &Tenant, secret: &str, ip: &str, scope: &[&str]) -> Denial {
    let scopes = wire::RequiredScopes { all_of: texts(scope), any_of: vec![] };
    let request = wire::VerifyKeyRequest {
        client_ip: ip.to_owned(),
        required_scopes: Some(scopes),
        ..tenant.question(secret)
    };
    let verdict = tenant.client.clone().keys.verify_key(request).await.unwrap().into_inner();
    assert_eq!(verdict.decision() == Decision::Accepted, verdict.denial() == Denial::Unspecified);
    verdict.denial()
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn every_field_can_be_changed_at_once_and_only_what_is_named_is() {
        let server = Server::shared().await;
        let tenant = server.workspace("all").await;
        let before = tenant.create_key("before").await.api_key.unwrap();
        let seconds = server.clock.now().as_second();
        let moment = |ahead| Some(prost_types::Timestamp { seconds: seconds + ahead, nanos: 0 });
        let owner = Owner {
            owner_email: "ada@analytical.example".to_owned(),
            principal: Some(wire::owner::Principal::UserId("ada".to_owned())),
        };
        let asked = ApiKey {
            name: "after".to_owned(),
            description: "changed".to_owned(),
            owner: Some(owner),
            scopes: texts(&["read", "write"]),
            ip_allowlist: texts(&["192.0.2.7", "10.0.0.0/8"]),
            allowed_domains: texts(&["example.com"]),
            allow_localhost: true,
            not_before: moment(-60),
            expires_at: moment(3_600),
            metadata: [("team".to_owned(), "web".to_owned())].into(),
            ..ApiKey::default()
        };
        let paths = [
            "name",
            "description",
            "owner",
            "scopes",
            "ip_allowlist",
            "allowed_domains",
            "allow_localhost",
            "not_before",
            "expires_at",
            "metadata",
        ];
        for path in paths {
            let nothing = tenant.update(&before.key_id, &[path], before.clone());
            let same = update(&tenant, nothing).await.api_key.unwrap();
            assert_eq!(same, before, "{path}: what is so already changes nothing");
        }
        let answer = update(&tenant, tenant.update(&before.key_id, &paths, asked.clone())).await;
        let after = answer.api_key.unwrap();
        let expected = ApiKey {
            ip_allowlist: texts(&["10.0.0.0/8", "192.0.2.7"]),
            ip_restricted: true,
            etag: after.etag.clone(),
            update_time: after.update_time,
            ..ApiKey {
                name: asked.name,
                description: asked.description,
                owner: asked.owner,
                scopes: asked.scopes,
                allowed_domains: asked.allowed_domains,
                allow_localhost: true,
                not_before: asked.not_before,
                expires_at: asked.expires_at,
                metadata: asked.metadata,
                ..before.clone()
            }
        };
        assert_eq!(after, expected);
        assert_ne!(after.etag, before.etag);
        assert_eq!(tenant.read_key(&before.key_id).await, after);
        let named = ApiKey { name: "again".to_owned(), scopes: texts(&["x"]), ..ApiKey::default() };
        let renamed = update(&tenant, tenant.update(&before.key_id, &["name"], named)).await;
        let renamed = renamed.api_key.unwrap();
        assert_eq!((renamed.name.as_str(), &renamed.scopes), ("again", &after.scopes));
    }

    #[tokio::test]
    async fn each_thing_that_changes_is_an_event_of_its_own() {
        let server = Server::shared().await;
        let tenant = server.workspace("events").await;
        let key_id = tenant.create_key("events").await.api_key.unwrap().key_id;
        let before = server.tables().events_of(&tenant.id).await;
        let asked =
            ApiKey { name: "other".to_owned(), scopes: texts(&["read"]), ..ApiKey::default() };
        update(&tenant, tenant.update(&key_id, &["name", "scopes", "metadata"], asked)).await;
        let now = server.tables().events_of(&tenant.id).await;
        assert_eq!(now, before + 2);
    }

    #[tokio::test]
    async fn what_was_narrowed_is_denied_when_the_call_returns_and_what_was_widened_passes() {
        let server = Server::shared().await;
        let tenant = server.workspace("narrow").await;
        let request = wire::CreateApiKeyRequest {
            scopes: texts(&["read", "write"]),
            ip_allowlist: texts(&["192.0.2.7", "10.0.0.0/8"]),
            ..tenant.key("narrow")
        };
        let made = tenant.create(request).await;
        let key_id = made.api_key.unwrap().key_id;
        let set =
            |path: &'static str, key: ApiKey| update(&tenant, tenant.update(&key_id, &[path], key));

        let scopes = |codes: &[&str]| ApiKey { scopes: texts(codes), ..ApiKey::default() };
        let narrowed = set("scopes", scopes(&["read"])).await;
        let told = denial(&tenant, &made.secret, "10.0.0.1", &["write"]).await;
        assert_eq!(told, Denial::InsufficientScope);
        assert!(narrowed.barrier.unwrap().confirmed >= 1);
        let widened = set("scopes", scopes(&["read", "write"])).await;
        let told = denial(&tenant, &made.secret, "10.0.0.1", &["write"]).await;
        assert_eq!((told, widened.barrier), (Denial::Unspecified, None));

        let from = |list: &[&str]| ApiKey { ip_allowlist: texts(list), ..ApiKey::default() };
        let narrowed = set("ip_allowlist", from(&["192.0.2.7"])).await;
        assert_eq!(denial(&tenant, &made.secret, "10.0.0.1", &[]).await, Denial::IpNotAllowed);
        assert!(narrowed.barrier.is_some());
        let shut = set("ip_allowlist", from(&[])).await.api_key.unwrap();
        assert!(shut.ip_restricted && shut.ip_allowlist.is_empty());
        assert_eq!(denial(&tenant, &made.secret, "192.0.2.7", &[]).await, Denial::IpNotAllowed);
        let lifted = set("ip_restricted", ApiKey::default()).await;
        assert!(!lifted.api_key.unwrap().ip_restricted);
        assert_eq!(lifted.barrier, None);
        assert_eq!(denial(&tenant, &made.secret, "203.0.113.9", &[]).await, Denial::Unspecified);
        // Never a way to shut a key by accident.
        update(&tenant, tenant.update(&key_id, &["ip_allowlist"], ApiKey::default())).await;
        assert_eq!(denial(&tenant, &made.secret, "203.0.113.9", &[]).await, Denial::Unspecified);
    }

    #[tokio::test]
    async fn ten_thousand_addresses_go_in_one_message() {
        let server = Server::shared().await;
        let tenant = server.workspace("many").await;
        let key_id = tenant.create_key("many").await.api_key.unwrap().key_id;
        let list = (0..10_000).map(|n| format!("2001:db8::{:x}:{:x}", n / 256, n % 256 + 1));
        let asked = ApiKey { ip_allowlist: list.collect(), ..ApiKey::default() };
        let answer = update(&tenant, tenant.update(&key_id, &["ip_allowlist"], asked)).await;
        assert_eq!(answer.api_key.unwrap().ip_allowlist.len(), 10_000);
    }

    #[tokio::test]
    async fn an_owner_can_be_changed_in_part_and_the_address_is_nowhere_in_the_log() {
        let server = Server::shared().await;
        let tenant = server.workspace("owner").await;
        let email = "first@owner.example".to_owned();
        let owner = Some(Owner { owner_email: email, principal: None });
        let request = wire::CreateApiKeyRequest { owner, ..tenant.key("owner") };
        let key_id = tenant.create(request).await.api_key.unwrap().key_id;
        let email = "second@owner.example".to_owned();
        let principal = Some(wire::owner::Principal::ServiceAccountId("bot".to_owned()));
        let asked = |path| {
            let owner = Owner { owner_email: email.clone(), principal: principal.clone() };
            tenant.update(&key_id, &[path], ApiKey { owner: Some(owner), ..ApiKey::default() })
        };
        let half = update(&tenant, asked("owner.user_id")).await.api_key.unwrap().owner.unwrap();
        assert_eq!(half.owner_email, "first@owner.example");
        assert_eq!(half.principal, principal);
        let whole = update(&tenant, asked("owner.owner_email")).await.api_key.unwrap();
        assert_eq!(whole.owner.clone().unwrap().owner_email, email);
        assert_eq!(tenant.read_key(&key_id).await, whole);
        let again = update(&tenant, asked("owner")).await.api_key.unwrap();
        assert_eq!(again.etag, whole.etag, "sealed anew, it would be another fact");
        let none = tenant.update(&key_id, &["owner"], ApiKey::default());
        assert_eq!(update(&tenant, none).await.api_key.unwrap().owner, None);
    }
}

mod refused {
    use super::*;

    async fn refusal(tenant: &Tenant, request: wire::UpdateApiKeyRequest) -> Refusal {
        tenant.client.clone().keys.update_api_key(request).await.refused()
    }

    #[tokio::test]
    async fn every_bad_field_is_named_with_its_rule_and_nothing_is_lost() {
        let server = Server::shared().await;
        let tenant = server.workspace("bad").await;
        let key = tenant.create_key("bad").await.api_key.unwrap();
        let past = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
        let odd = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
        let email = "no address".to_owned();
        let bad_owner = Some(Owner { owner_email: email, principal: None });
        let base = ApiKey::default;
        let cases = [
            ("name", "api_key.name", base()),
            (
                "description",
                "api_key.description",
                ApiKey { description: "\u{7}".into(), ..base() },
            ),
            ("owner", "api_key.owner.owner_email", ApiKey { owner: bad_owner, ..base() }),
            ("scopes", "api_key.scopes[1]", ApiKey { scopes: texts(&["a", "B"]), ..base() }),
            (
                "ip_allowlist",
                "api_key.ip_allowlist[0]",
                ApiKey { ip_allowlist: texts(&["10.0.0.1/8"]), ..base() },
            ),
            (
                "ip_allowlist",
                "api_key.ip_allowlist[0]",
                ApiKey { ip_allowlist: texts(&["0.0.0.0/0"]), ..base() },
            ),
            ("ip_restricted", "api_key.ip_restricted", ApiKey { ip_restricted: true, ..base() }),
            (
                "allowed_domains",
                "api_key.allowed_domains[0]",
                ApiKey { allowed_domains: texts(&["com"]), ..base() },
            ),
            ("not_before", "api_key.not_before", ApiKey { not_before: odd, ..base() }),
            ("expires_at", "api_key.expires_at", ApiKey { expires_at: past, ..base() }),
            (
                "metadata",
                "api_key.metadata",
                ApiKey { metadata: [(String::new(), "x".to_owned())].into(), ..base() },
            ),
            ("key_id", "update_mask.paths[0]", base()),
            ("env", "update_mask.paths[0]", base()),
            ("*", "update_mask.paths[0]", base()),
            ("", "update_mask.paths[0]", base()),
            ("Name", "update_mask.paths[0]", base()),
        ];
        for (path, field, asked) in cases {
            let refusal = refusal(&tenant, tenant.update(&key.key_id, &[path], asked)).await;
            assert!(refusal.is_field(field), "{path}: {refusal:?}");
        }
        let nothing = refusal(&tenant, tenant.update(&key.key_id, &[], base())).await;
        assert!(nothing.is_field("update_mask"));
        let second = refusal(&tenant, tenant.update(&key.key_id, &["name", "nome"], key.clone()));
        assert!(second.await.is_field("update_mask.paths[1]"));
        let none = wire::UpdateApiKeyRequest {
            api_key: None,
            ..tenant.update(&key.key_id, &["name"], base())
        };
        assert!(refusal(&tenant, none).await.is_field("api_key"));
        assert_eq!(tenant.read_key(&key.key_id).await, key);
    }

    #[tokio::test]
    async fn a_stale_etag_changes_nothing_and_the_current_one_is_named() {
        let server = Server::shared().await;
        let tenant = server.workspace("etags").await;
        let stale = tenant.create_key("etags").await.api_key.unwrap();
        let named = |name: &str| ApiKey { name: name.to_owned(), ..ApiKey::default() };
        let first = update(&tenant, tenant.update(&stale.key_id, &["name"], named("first"))).await;
        let late = |etag: &str| wire::UpdateApiKeyRequest {
            etag: etag.to_owned(),
            ..tenant.update(&stale.key_id, &["name"], named("late"))
        };
        let refused = refusal(&tenant, late(&stale.etag)).await;
        let current = first.api_key.unwrap();
        assert_eq!(refused.reason, ErrorReason::EtagMismatch);
        assert_eq!(refused.metadata.get("etag"), Some(&current.etag));
        assert_eq!(tenant.read_key(&stale.key_id).await, current);
        update(&tenant, late(&current.etag)).await;
    }

    #[tokio::test]
    async fn a_revoked_key_cannot_be_changed() {
        let server = Server::shared().await;
        let tenant = server.workspace("dead").await;
        let key = tenant.create_key("dead").await.api_key.unwrap();
        tenant.revoke_key(&key.key_id).await;
        let named = ApiKey { name: "other".to_owned(), ..ApiKey::default() };
        let refused = refusal(&tenant, tenant.update(&key.key_id, &["name"], named)).await;
        assert_eq!(refused.reason, ErrorReason::ApiKeyRevoked);
    }
}
