//! CreateApiKey: a key with all that was asked for, its secrets once.

use api::v1::{self as wire, ApiKeyStatus, Environment, ErrorReason};
use harness::{Server, Tenant};
use prost_types::Timestamp;

/// A request that sets every field.
pub(crate) fn everything(tenant: &Tenant, now: i64) -> wire::CreateApiKeyRequest {
    let text = |text: &str| prost_types::Value {
        kind: Some(prost_types::value::Kind::StringValue(text.to_owned())),
    };
    wire::CreateApiKeyRequest {
        env: Environment::Test.into(),
        owner: Some(wire::Owner {
            principal: Some(wire::owner::Principal::UserId("user-7".to_owned())),
            owner_email: "grace.hopper@navy.example".to_owned(),
        }),
        description: "for the nightly report".to_owned(),
        scopes: ["read", "payment:read", "read"].map(str::to_owned).to_vec(),
        ip_allowlist: ["192.0.2.0/24", "2001:db8::1"].map(str::to_owned).to_vec(),
        allowed_domains: ["https://www.Example.com", "*.example.org"].map(str::to_owned).to_vec(),
        allow_localhost: true,
        not_before: Some(Timestamp { seconds: now + 3_600, nanos: 0 }),
        expires_at: Some(Timestamp { seconds: now + 7_200, nanos: 123_456_789 }),
        plan: Some(wire::Plan {
            r#type: "production".to_owned(),
            custom: true,
            custom_data: Some(prost_types::Struct {
                fields: [("seats".to_owned(), text("twelve"))].into(),
            }),
        }),
        email: Some(wire::EmailServiceSettings {
            enabled: true,
            r#type: wire::EmailServiceType::Sendgrid.into(),
            api_key: "SG.a-provider-key-of-a-customer-XyZ".to_owned(),
            from_email: "noreply@customer.example".to_owned(),
            from_company: "Customer Inc.".to_owned(),
            comment_template_id: "d-comment-1".to_owned(),
            tag_template_id: "d-tag-2".to_owned(),
        }),
        webhook: Some(wire::WebhookServiceSettings {
            enabled: true,
            auth_token: "whsec-a-token-that-the-receiver-checks".to_owned(),
            raw_notification_url: "https://hooks.customer.example/raw".to_owned(),
            processed_notification_url: "https://hooks.customer.example/seen".to_owned(),
        }),
        create_auth_token: true,
        metadata: [("team".to_owned(), "blue".to_owned())].into(),
        ..tenant.key("the report's key")
    }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn a_key_needs_a_name_and_no_more() {
        let server = Server::shared().await;
        let tenant = server.workspace("plain").await;
        let made = tenant.create_key("first").await;
        let key = made.api_key.unwrap();
        assert!(made.secret.starts_with("kwk_live_"), "a live key unless asked for another");
        assert_eq!(made.secret.len(), "kwk_live_".len() + 17 + 1 + 43 + 6);
        assert_eq!(made.auth_token, "");
        assert!(key.key_id.starts_with("key_"));
        assert_eq!((key.workspace_id.as_str(), key.name.as_str()), (tenant.id.as_str(), "first"));
        assert_eq!((key.env(), key.status()), (Environment::Live, ApiKeyStatus::Active));
        assert_eq!(key.created_by, format!("workspace:{}", tenant.id));
        assert_eq!(key.create_time, key.update_time);
        assert!(!key.ip_restricted && key.ip_allowlist.is_empty());
        assert_eq!((key.owner, key.revocation, key.disable_time), (None, None, None));
    }

    #[tokio::test]
    async fn every_field_comes_back_in_its_canonical_form() {
        let server = Server::shared().await;
        let tenant = server.workspace("everything").await;
        let now = server.clock.now().as_second();
        let made = tenant.create(everything(&tenant, now)).await;
        let key = made.api_key.clone().unwrap();
        assert!(made.secret.starts_with("kwk_test_"), "{:?}", key.display);
        assert!(made.auth_token.starts_with("kwa_test_"));
        assert_eq!((key.env(), key.status()), (Environment::Test, ApiKeyStatus::NotYetValid));
        let owner = key.owner.clone().unwrap();
        assert_eq!(owner.owner_email, "grace.hopper@navy.example");
        assert_eq!(owner.principal, Some(wire::owner::Principal::UserId("user-7".to_owned())));
        assert_eq!(key.description, "for the nightly report");
        assert_eq!(key.scopes, ["payment:read", "read"]);
        assert_eq!(key.ip_allowlist, ["192.0.2.0/24", "2001:db8::1"]);
        assert!(key.ip_restricted && key.allow_localhost);
        assert_eq!(key.allowed_domains, ["example.com", "*.example.org"]);
        assert_eq!(key.not_before, Some(Timestamp { seconds: now + 3_600, nanos: 0 }));
        let end = Timestamp { seconds: now + 7_200, nanos: 123_456_000 };
        assert_eq!(key.expires_at, Some(end), "rounded down to microseconds");
        assert_eq!(key.metadata, [("team".to_owned(), "blue".to_owned())].into());
        assert_eq!(tenant.read_key(&key.key_id).await, key, "and so it reads afterwards");
    }

    #[tokio::test]
    async fn what_is_shown_of_a_secret_is_its_kid() {
        let server = Server::shared().await;
        let tenant = server.workspace("masks").await;
        let made = tenant.create_key("masked").await;
        let key = made.api_key.unwrap();
        let (shown, secret) = made.secret.rsplit_once('_').unwrap();
        assert_eq!(key.display, shown);
        let credential = &key.credentials[..];
        assert_eq!(credential.len(), 1);
        assert_eq!(credential[0].generation, 1);
        assert!(shown.ends_with(&credential[0].kid));
        assert!(!format!("{key:?}").contains(&secret[..8]));
    }

    #[tokio::test]
    async fn a_service_with_the_right_to_write_makes_keys() {
        let server = Server::shared().await;
        let tenant = server.workspace("serviced").await;
        let secret = server.service(&[wire::Permission::OrgReadWrite], &[&tenant]).await;
        let mut service = server.bearer(&secret).keys;
        let made = service.create_api_key(tenant.key("theirs")).await.unwrap().into_inner();
        assert!(made.api_key.unwrap().created_by.starts_with("service:svc_"));
    }

    #[tokio::test]
    async fn a_name_may_have_128_characters_of_any_script() {
        let server = Server::shared().await;
        let tenant = server.workspace("long").await;
        let name = "ключ🔑".chars().cycle().take(128).collect::<String>();
        assert_eq!(tenant.create_key(&name).await.api_key.unwrap().name, name);
    }
}

mod invalid {
    use super::*;
    use harness::Refused;

    #[tokio::test]
    async fn a_key_that_would_end_before_it_begins_is_refused() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("backwards").await;
        let now = server.clock.now().as_second();
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        for (begin, end) in [(None, now - 1), (at(now + 60), now + 60), (at(now + 60), now + 30)] {
            let request = wire::CreateApiKeyRequest {
                not_before: begin,
                expires_at: at(end),
                ..tenant.key("backwards")
            };
            let refusal = tenant.client.keys.create_api_key(request).await.refused();
            assert!(refusal.is_field("expires_at"), "{refusal:?}");
        }
        assert_eq!(tenant.names(tenant.list()).await, [""; 0]);
    }
}

mod not_found {
    use super::*;
    use harness::Refused;

    #[tokio::test]
    async fn a_workspace_that_is_not_there_has_no_keys() {
        let server = Server::shared().await;
        let tenant = server.workspace("real").await;
        let secret = server.service(&[wire::Permission::OrgReadWrite], &[]).await;
        let missing = crate::asks::missing(&tenant.id);
        let request =
            wire::CreateApiKeyRequest { workspace_id: missing.clone(), ..tenant.key("x") };
        let refusal = server.bearer(&secret).keys.create_api_key(request).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
        assert_eq!(refusal.resource, Some(("keyward.v1.Workspace".to_owned(), missing)));
    }
}

mod conflict {
    use super::*;
    use harness::Refused;

    #[tokio::test]
    async fn a_suspended_workspace_gets_no_new_keys_until_it_is_resumed() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("suspended").await;
        let mut operator = server.operator.workspaces.clone();
        let id = tenant.id.clone();
        let suspend =
            wire::SuspendWorkspaceRequest { workspace_id: id.clone(), ..Default::default() };
        operator.suspend_workspace(suspend).await.unwrap();
        let refusal = tenant.client.keys.create_api_key(tenant.key("no")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WorkspaceSuspended);
        let resume = wire::ResumeWorkspaceRequest { workspace_id: id, ..Default::default() };
        operator.resume_workspace(resume).await.unwrap();
        tenant.create_key("yes").await;
        assert_eq!(tenant.names(tenant.list()).await, ["yes"]);
    }
}

mod denied {
    use super::*;
    use harness::Refused;

    #[tokio::test]
    async fn a_service_that_only_verifies_makes_no_keys() {
        let server = Server::shared().await;
        let tenant = server.workspace("verified").await;
        let secret = server.service(&[wire::Permission::Verify], &[&tenant]).await;
        let refusal = server.bearer(&secret).keys.create_api_key(tenant.key("x")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
}
