//! ListApiKeys: filters, order, pages.

use api::v1::{self as wire, ApiKeyOrder, ApiKeyStatus, Environment, ListApiKeysRequest};
use harness::{Server, Tenant};

/// Makes keys of these names, the oldest first.
async fn keys(tenant: &Tenant, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(tenant.create_key(name).await.api_key.unwrap().key_id);
    }
    ids
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn newest_come_first_unless_asked_otherwise() {
        let server = Server::shared().await;
        let tenant = server.workspace("order").await;
        keys(&tenant, &["a", "b", "c"]).await;
        assert_eq!(tenant.names(tenant.list()).await, ["c", "b", "a"]);
        let by_id = ListApiKeysRequest { order: ApiKeyOrder::ById.into(), ..tenant.list() };
        assert_eq!(tenant.names(by_id).await, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn pages_join_to_the_whole_list_without_overlap_in_both_orders() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("pages").await;
        keys(&tenant, &["a", "b", "c", "d", "e"]).await;
        for (order, all) in [(ApiKeyOrder::NewestFirst, "edcba"), (ApiKeyOrder::ById, "abcde")] {
            let mut request =
                ListApiKeysRequest { page_size: 2, order: order.into(), ..tenant.list() };
            let mut pages = Vec::new();
            loop {
                let page = tenant.client.keys.list_api_keys(request.clone()).await.unwrap();
                let page = page.into_inner();
                pages.push(page.api_keys.iter().map(|key| key.name.as_str()).collect::<String>());
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            assert_eq!(pages.iter().map(String::len).collect::<Vec<_>>(), [2, 2, 1]);
            assert_eq!(pages.concat(), all);
        }
    }

    #[tokio::test]
    async fn a_page_stays_in_its_place_when_keys_are_made_meanwhile() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("between").await;
        keys(&tenant, &["a", "b", "c"]).await;
        let first = ListApiKeysRequest { page_size: 2, ..tenant.list() };
        let page = tenant.client.keys.list_api_keys(first.clone()).await.unwrap().into_inner();
        keys(&tenant, &["later"]).await;
        let second = ListApiKeysRequest { page_token: page.next_page_token, ..first };
        assert_eq!(tenant.names(second).await, ["a"]);
    }

    #[tokio::test]
    async fn a_page_of_large_keys_ends_early_and_the_pages_join() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("large").await;
        let address = |n: u32| format!("2001:db8:aaaa:bbbb:cccc:dddd:eeee:{n:x}");
        let ip_allowlist: Vec<_> = (0..10_000).map(address).collect();
        for number in 0..12 {
            let ip_allowlist = ip_allowlist.clone();
            let key = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key(&number.to_string()) };
            tenant.create(key).await;
        }
        let mut request = ListApiKeysRequest { page_size: 1_000, ..tenant.list() };
        let mut names = Vec::new();
        loop {
            let page =
                tenant.client.keys.list_api_keys(request.clone()).await.unwrap().into_inner();
            assert!((1..=6).contains(&page.api_keys.len()), "{}", page.api_keys.len());
            names.extend(page.api_keys.into_iter().map(|key| key.name));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let expected: Vec<_> = (0..12).rev().map(|number: u32| number.to_string()).collect();
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn a_size_beyond_a_thousand_is_lowered_and_zero_is_the_default() {
        let server = Server::shared().await;
        let tenant = server.workspace("sizes").await;
        keys(&tenant, &["a"]).await;
        for page_size in [0, 1, 1_001, i32::MAX] {
            let request = ListApiKeysRequest { page_size, ..tenant.list() };
            assert_eq!(tenant.names(request).await, ["a"]);
        }
    }

    #[tokio::test]
    async fn dead_keys_are_listed_on_request_only() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("dead").await;
        let ids = keys(&tenant, &["alive", "off", "dead"]).await;
        tenant.client.keys.disable_api_key(tenant.disable(&ids[1])).await.unwrap();
        tenant.revoke_key(&ids[2]).await;
        assert_eq!(tenant.names(tenant.list()).await, ["off", "alive"]);
        let all = ListApiKeysRequest { show_dead: true, ..tenant.list() };
        assert_eq!(tenant.names(all).await, ["dead", "off", "alive"]);
        let of = |status: ApiKeyStatus| ListApiKeysRequest {
            statuses: vec![status.into()],
            ..tenant.list()
        };
        assert_eq!(tenant.names(of(ApiKeyStatus::Revoked)).await, ["dead"]);
        assert_eq!(tenant.names(of(ApiKeyStatus::Disabled)).await, ["off"]);
        assert_eq!(tenant.names(of(ApiKeyStatus::Active)).await, ["alive"]);
    }

    #[tokio::test]
    async fn filters_are_joined_by_and() {
        let server = Server::shared().await;
        let tenant = server.workspace("filters").await;
        let now = server.clock.now().as_second();
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let user = |id: &str| {
            let principal = Some(wire::owner::Principal::UserId(id.to_owned()));
            Some(wire::Owner { principal, owner_email: String::new() })
        };
        let (live, test) = (Environment::Live.into(), Environment::Test.into());
        for (name, env, owner, expires_at) in [
            ("job one", live, user("ann"), at(now + 100)),
            ("job two", test, user("ann"), at(now + 900)),
            ("Job three", live, user("bob"), None),
            ("50%_off", live, None, None),
        ] {
            let key = wire::CreateApiKeyRequest { env, owner, expires_at, ..tenant.key(name) };
            tenant.create(key).await;
        }
        let list = || tenant.list();
        let ann = || wire::list_api_keys_request::Owner::OwnerUserId("ann".to_owned());
        let prefix = |text: &str| ListApiKeysRequest { name_prefix: text.to_owned(), ..list() };
        for (request, names) in [
            (prefix("job"), vec!["job two", "job one"]),
            (prefix("50%"), vec!["50%_off"]),
            (prefix("50__"), vec![]),
            (prefix("%"), vec![]),
            (ListApiKeysRequest { env: test, ..list() }, vec!["job two"]),
            (ListApiKeysRequest { owner: Some(ann()), ..list() }, vec!["job two", "job one"]),
            (ListApiKeysRequest { owner: Some(ann()), env: live, ..list() }, vec!["job one"]),
            (ListApiKeysRequest { expiring_before: at(now + 500), ..list() }, vec!["job one"]),
            (ListApiKeysRequest { expiring_before: at(now + 100), ..list() }, vec![]),
            (ListApiKeysRequest { expires_soon: true, ..list() }, vec!["job two", "job one"]),
            (
                ListApiKeysRequest { expires_soon: true, expiring_before: at(now + 500), ..list() },
                vec!["job one"],
            ),
        ] {
            assert_eq!(tenant.names(request.clone()).await, names, "{request:?}");
        }
    }

    #[tokio::test]
    async fn keys_that_expire_soon_are_those_that_a_verdict_warns_of() {
        let server = Server::start().await;
        let tenant = server.workspace("soon").await;
        let now = server.clock.now().as_second();
        let week = 7 * 24 * 3_600;
        let mut warned = Vec::new();
        for (name, ahead) in [("over", 60), ("soon", 3_600), ("brink", week), ("far", week + 3_600)]
        {
            let expires_at = Some(prost_types::Timestamp { seconds: now + ahead, nanos: 0 });
            let key = wire::CreateApiKeyRequest { expires_at, ..tenant.key(name) };
            warned.push((name, tenant.create(key).await.secret));
        }
        tenant.create_key("endless").await;
        server.clock.turn(std::time::Duration::from_secs(61));
        let mut expected = Vec::new();
        for (name, secret) in &warned {
            let verdict = tenant.verify(secret).await;
            if verdict.warnings().any(|warning| warning == wire::Warning::ExpiresSoon) {
                expected.insert(0, (*name).to_owned());
            }
        }
        assert_eq!(expected, ["brink", "soon"]);
        let soon = ListApiKeysRequest { expires_soon: true, ..tenant.list() };
        assert_eq!(tenant.names(soon.clone()).await, expected);
        let dead = ListApiKeysRequest { show_dead: true, ..soon };
        assert_eq!(tenant.names(dead).await, expected, "what is over is not soon");
    }

    #[tokio::test]
    async fn keys_asked_by_id_are_those_that_exist_here() {
        let server = Server::shared().await;
        let (tenant, other) = (server.workspace("mine").await, server.workspace("theirs").await);
        let ids = keys(&tenant, &["a", "b"]).await;
        let theirs = keys(&other, &["x"]).await;
        let key_ids = vec![ids[0].clone(), theirs[0].clone(), crate::asks::missing(&ids[1])];
        let request = ListApiKeysRequest { key_ids, ..tenant.list() };
        assert_eq!(tenant.names(request).await, ["a"]);
    }

    #[tokio::test]
    async fn a_list_shows_a_key_as_get_does() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("same").await;
        let request = crate::create_api_key::everything(&tenant, server.clock.now().as_second());
        let id = tenant.create(request).await.api_key.unwrap().key_id;
        let listed = tenant.client.keys.list_api_keys(tenant.list()).await.unwrap().into_inner();
        assert_eq!(listed.api_keys, [tenant.read_key(&id).await]);
        assert_eq!(listed.next_page_token, "");
    }

    #[tokio::test]
    async fn a_suspended_workspace_is_still_read() {
        let server = Server::shared().await;
        let tenant = server.workspace("suspended").await;
        keys(&tenant, &["a"]).await;
        let request =
            wire::SuspendWorkspaceRequest { workspace_id: tenant.id.clone(), ..Default::default() };
        server.operator.workspaces.clone().suspend_workspace(request).await.unwrap();
        assert_eq!(tenant.names(tenant.list()).await, ["a"]);
    }
}

mod not_found {
    use api::v1::{ErrorReason, Permission};
    use harness::Refusal;

    use super::*;
    use crate::asks::{Target, ask, missing};

    #[tokio::test]
    async fn a_service_that_is_bound_to_no_workspace_is_told_when_there_is_none() {
        let server = Server::shared().await;
        let tenant = server.workspace("the only one").await;
        let at = Target::in_workspace(&tenant).await;
        let nowhere = Target { workspace: missing(&tenant.id), ..at.clone() };
        let client = server.bearer(&server.service(&[Permission::OrgRead], &[]).await);
        for rpc in ["ListApiKeys", "GetApiKey", "GetConfig", "GetKeyUsage"] {
            ask(&client, rpc, &at).await.expect(rpc);
            let refusal = Refusal::of(&ask(&client, rpc, &nowhere).await.expect_err(rpc));
            assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound, "{rpc}");
            assert_eq!(refusal.resource.unwrap().1, nowhere.workspace, "{rpc}");
        }
        let refused = ask(&server.operator, "ListServiceCredentials", &nowhere).await;
        let refusal = Refusal::of(&refused.unwrap_err());
        assert_eq!(refusal.reason, ErrorReason::WorkspaceNotFound);
    }
}

mod invalid {
    use super::*;
    use api::v1::ErrorReason;
    use harness::Refused;

    #[tokio::test]
    async fn a_page_token_is_good_for_its_own_list_and_unchanged_only() {
        let server = Server::shared().await;
        let (mut tenant, mut other) =
            (server.workspace("mine").await, server.workspace("theirs").await);
        keys(&tenant, &["a", "b"]).await;
        let first = ListApiKeysRequest { page_size: 1, ..tenant.list() };
        let page = tenant.client.keys.list_api_keys(first.clone()).await.unwrap().into_inner();
        let token = page.next_page_token;
        let next = ListApiKeysRequest { page_token: token.clone(), ..first };
        let mut broken = Vec::new();
        for at in [0, token.len() / 2, token.len() - 1] {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'Q' } else { b'A' };
            let page_token = String::from_utf8(bytes).unwrap();
            broken.push(ListApiKeysRequest { page_token, ..next.clone() });
        }
        let short = token[..token.len() - 4].to_owned();
        broken.extend([
            ListApiKeysRequest { page_token: short, ..next.clone() },
            ListApiKeysRequest { page_token: "garbage \u{0}".to_owned(), ..next.clone() },
            ListApiKeysRequest { name_prefix: "a".to_owned(), ..next.clone() },
            ListApiKeysRequest { show_dead: true, ..next.clone() },
            ListApiKeysRequest { order: ApiKeyOrder::ById.into(), ..next.clone() },
        ]);
        for request in broken {
            let refusal = tenant.client.keys.list_api_keys(request.clone()).await.refused();
            assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid, "{request:?}");
        }
        let foreign = ListApiKeysRequest { page_token: token, page_size: 1, ..other.list() };
        let refusal = other.client.keys.list_api_keys(foreign).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid);
        let resized = ListApiKeysRequest { page_size: 7, ..next };
        assert_eq!(tenant.names(resized).await, ["a"], "the size may change");
    }

    #[tokio::test]
    async fn a_page_token_of_another_deployment_is_refused() {
        let (server, elsewhere) = (Server::shared().await, Server::start().await);
        let mut tenant = server.workspace("here").await;
        let mut far = elsewhere.workspace("there").await;
        keys(&far, &["a", "b"]).await;
        let first = ListApiKeysRequest { page_size: 1, ..far.list() };
        let page = far.client.keys.list_api_keys(first).await.unwrap().into_inner();
        let request =
            ListApiKeysRequest { page_token: page.next_page_token, page_size: 1, ..tenant.list() };
        let refusal = tenant.client.keys.list_api_keys(request).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid);
    }
}
