//! ListEvents: who did what, and when.

use api::v1::{self as wire, AuditEvent, ErrorReason, EventOrder, ListEventsRequest, Permission};
use harness::{Credentials, Refused, Server, Tenant};
use prost_types::value::Kind;

fn kinds(events: &[AuditEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

fn positions(events: &[AuditEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

/// The value at this path of an event's payload.
fn at<'a>(event: &'a AuditEvent, path: &str) -> &'a Kind {
    let mut object = event.payload.as_ref().unwrap();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        let Some(Kind::StructValue(inner)) = &object.fields[folder].kind else {
            panic!("{folder}")
        };
        object = inner;
    }
    object.fields[name].kind.as_ref().unwrap()
}

fn text(text: &str) -> Kind {
    Kind::StringValue(text.to_owned())
}

/// A key that is restricted to addresses, made, disabled and revoked.
async fn history(tenant: &Tenant) -> String {
    let ip_allowlist = vec!["10.1.0.0/16".to_owned()];
    let made = tenant.create(wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("k") }).await;
    let id = made.api_key.unwrap().key_id;
    tenant.client.clone().keys.disable_api_key(tenant.disable(&id)).await.unwrap();
    tenant.revoke_key(&id).await;
    id
}

const OF_HISTORY: [&str; 4] =
    ["api_key.revoked", "api_key.disabled", "config.created", "api_key.created"];

mod accepted {
    use super::*;

    #[tokio::test]
    async fn who_set_the_address_list_and_who_revoked_the_key_is_told_with_time_and_address() {
        let server = Server::shared().await;
        let tenant = server.workspace("told").await;
        let before = server.clock.now();
        let id = history(&tenant).await;
        let events = tenant.all_events(tenant.events()).await;
        assert_eq!(kinds(&events), [&OF_HISTORY[..], &["workspace.created"]].concat());
        assert!(positions(&events).is_sorted_by(|a, b| a > b), "newest first");
        for event in &events[..4] {
            assert_eq!((&event.key_id, event.mac.len()), (&id, 32));
            assert_eq!(event.actor, format!("workspace:{}", tenant.id));
            assert_eq!(event.caller_address, "127.0.0.1");
            let at = event.event_time.unwrap().seconds;
            assert!((before.as_second()..=server.clock.now().as_second()).contains(&at));
            assert!(event.record_time.is_some() && event.event_id.len() == 36);
        }
        let created = &events[3];
        assert_eq!(created.stream, id);
        let Kind::ListValue(list) = at(created, "settings/ip_allowlist") else { panic!() };
        assert_eq!(list.values[0].kind, Some(text("10.1.0.0/16")));
        assert_eq!(at(&events[0], "reason"), &text("unused"));
        assert_eq!((&*events[4].actor, &*events[4].key_id), ("operator", ""));
        assert_eq!(events[4].caller_address, "", "from where the operator works is not told");
    }

    #[tokio::test]
    async fn the_callers_name_for_the_call_and_its_trace_are_told() {
        let server = Server::shared().await;
        let tenant = server.workspace("traced").await;
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let credentials = Credentials::bearer(&tenant.token)
            .and("x-request-id", "ticket 4711")
            .and("traceparent", trace);
        server.client(&credentials).keys.create_api_key(tenant.key("traced")).await.unwrap();
        let event = &tenant.all_events(tenant.events()).await[0];
        assert_eq!(event.x_request_id, "ticket 4711");
        assert!(event.traceparent.starts_with(&trace[..36]), "{}", event.traceparent);
    }

    #[tokio::test]
    async fn a_list_sees_every_write_that_was_answered_before() {
        let server = Server::shared().await;
        let tenant = server.workspace("own writes").await;
        for n in 1..=10 {
            tenant.create_key(&format!("key {n}")).await;
            let request = ListEventsRequest { page_size: 1, ..tenant.events() };
            let page = tenant.client.clone().audit.list_events(request).await.unwrap();
            assert_eq!(page.into_inner().events[0].kind, "config.created", "{n}");
            assert_eq!(tenant.all_events(tenant.events()).await.len(), 1 + 2 * n);
        }
    }

    #[tokio::test]
    async fn each_filter_lets_through_what_it_says() {
        let server = Server::shared().await;
        let tenant = server.workspace("filtered").await;
        let (first, second) = (history(&tenant).await, history(&tenant).await);
        let all = tenant.all_events(tenant.events()).await;
        assert_eq!(all.len(), 9);
        let of_key = ListEventsRequest { key_id: first.clone(), ..tenant.events() };
        let found = tenant.all_events(of_key.clone()).await;
        assert_eq!(found, all[4..8]);
        let of_kinds = ListEventsRequest {
            kinds: vec!["api_key.revoked".into(), "workspace.created".into()],
            ..tenant.events()
        };
        let found = tenant.all_events(of_kinds.clone()).await;
        assert_eq!(kinds(&found), ["api_key.revoked", "api_key.revoked", "workspace.created"]);
        let by = |actor: &str| ListEventsRequest { actor: actor.to_owned(), ..tenant.events() };
        assert_eq!(kinds(&tenant.all_events(by("operator")).await), ["workspace.created"]);
        assert_eq!(tenant.all_events(by(&format!("workspace:{}", tenant.id))).await.len(), 8);
        assert!(tenant.all_events(by("oper")).await.is_empty(), "the exact text");
        // Half open: what was recorded at the start is in, what was recorded at the end is not.
        let (start_time, end_time) = (all[5].record_time, all[1].record_time);
        let within = ListEventsRequest { start_time, end_time, ..tenant.events() };
        let found = tenant.all_events(within.clone()).await;
        let expected = all.iter().filter(|event| {
            let key = |at: Option<prost_types::Timestamp>| at.map(|at| (at.seconds, at.nanos));
            let at = key(event.record_time);
            at >= key(start_time) && at < key(end_time)
        });
        assert_eq!(found, expected.cloned().collect::<Vec<_>>());
        assert!((2..=8).contains(&found.len()), "{}", found.len());
        let together = ListEventsRequest { key_id: second, kinds: of_kinds.kinds, ..within };
        assert_eq!(tenant.all_events(together).await.len(), 0, "it was revoked at the end");
    }

    #[tokio::test]
    async fn pages_hold_every_event_once_in_either_order() {
        let server = Server::shared().await;
        let tenant = server.workspace("paged").await;
        let first = history(&tenant).await;
        history(&tenant).await;
        for filter in [tenant.events(), ListEventsRequest { key_id: first, ..tenant.events() }] {
            let newest = tenant.all_events(filter.clone()).await;
            let order = EventOrder::OldestFirst.into();
            for page_size in [1, 3, 1_000, i32::MAX] {
                let request = ListEventsRequest { page_size, ..filter.clone() };
                assert_eq!(tenant.all_events(request.clone()).await, newest, "{page_size}");
                let mut oldest = tenant.all_events(ListEventsRequest { order, ..request }).await;
                oldest.reverse();
                assert_eq!(oldest, newest, "{page_size}");
            }
        }
    }

    #[tokio::test]
    async fn a_page_of_large_events_is_cut_short() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("large").await;
        for n in 0..8 {
            let ip_allowlist = (0..10_000).map(|ip| format!("2001:db8:{n}::{ip:x}")).collect();
            let asked = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("large") };
            tenant.create(asked).await;
        }
        let page = tenant.client.audit.list_events(tenant.events()).await.unwrap().into_inner();
        assert!(page.events.len() < 17 && !page.next_page_token.is_empty());
        assert_eq!(tenant.all_events(tenant.events()).await.len(), 17);
    }

    #[tokio::test]
    async fn a_service_that_may_read_the_audit_sees_what_the_workspace_sees() {
        let server = Server::shared().await;
        let tenant = server.workspace("served").await;
        history(&tenant).await;
        let secret = server.service(&[Permission::AuditRead], &[&tenant]).await;
        let listed = server.bearer(&secret).audit.list_events(tenant.events()).await.unwrap();
        assert_eq!(listed.into_inner().events, tenant.all_events(tenant.events()).await);
    }

    #[tokio::test]
    async fn no_secret_no_digest_and_nothing_sealed_is_shown() {
        let server = Server::shared().await;
        let tenant = server.workspace("canary").await;
        let now = server.clock.now().as_second();
        let mut request = crate::create_api_key::everything(&tenant, now);
        request.create_auth_token = true;
        let owner = request.owner.clone().unwrap().owner_email;
        let made = tenant.create(request).await;
        let events = tenant.all_events(tenant.events()).await;
        let shown = format!("{events:?}");
        for hidden in [&made.secret, &made.auth_token, &tenant.token, &owner] {
            assert!(!hidden.is_empty() && !shown.contains(hidden.as_str()), "{hidden} is shown");
        }
        let sql = "SELECT array_agg(m[1]) FROM log.events, \
                   regexp_matches(convert_from(payload, 'UTF8'), '([0-9a-f]{32,})', 'g') AS m \
                   WHERE workspace_id = $1";
        let stored: Vec<String> = server.tables().row(sql, &[&tenant.id]).await.get(0);
        assert!(stored.len() >= 5, "digests and sealed bytes: {}", stored.len());
        for hidden in stored {
            assert!(!shown.contains(&hidden), "{hidden} is shown");
        }
        let created = events.iter().find(|event| event.kind == "api_key.created").unwrap();
        assert_eq!(at(created, "settings/owner/email"), &text("[sealed]"));
        assert_eq!(at(created, "credential/digest"), &text("[sealed]"));
        let config = events.iter().find(|event| event.kind == "config.created").unwrap();
        assert_eq!(at(config, "settings/email/api_key/sealed"), &text("[sealed]"));
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn another_tenants_events_are_in_no_list() {
        let server = Server::shared().await;
        let (ours, theirs) = (server.workspace("ours").await, server.workspace("theirs").await);
        let key_id = history(&theirs).await;
        let missing = crate::asks::missing(&key_id);
        let created = ours.all_events(ours.events()).await;
        assert_eq!(kinds(&created), ["workspace.created"]);
        for key_id in [key_id, missing] {
            let request = ListEventsRequest { key_id, ..ours.events() };
            assert!(ours.all_events(request).await.is_empty());
        }
    }

    #[tokio::test]
    async fn a_service_that_is_bound_to_one_environment_may_read_none() {
        let server = Server::shared().await;
        let tenant = server.workspace("bound").await;
        let request = wire::CreateServiceCredentialRequest {
            name: "sandbox".to_owned(),
            permissions: vec![Permission::AuditRead.into()],
            envs: vec![wire::Environment::Test.into()],
            ..Default::default()
        };
        let made = server.operator.workspaces.clone().create_service_credential(request).await;
        let mut service = server.bearer(&made.unwrap().into_inner().secret).audit;
        let refusal = service.list_events(tenant.events()).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }

    #[tokio::test]
    async fn a_page_token_is_good_for_its_own_list_and_unchanged_only() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("tokens").await;
        let mut other = server.workspace("others").await;
        let key_id = history(&tenant).await;
        let first = ListEventsRequest { page_size: 1, ..tenant.events() };
        let page = tenant.client.audit.list_events(first.clone()).await.unwrap().into_inner();
        let next = ListEventsRequest { page_token: page.next_page_token, ..first };
        let keys = wire::ListApiKeysRequest { page_size: 1, show_dead: true, ..tenant.list() };
        tenant.create_key("a second key").await;
        let of_keys = tenant.client.keys.list_api_keys(keys).await.unwrap().into_inner();
        let changed: [fn(&mut ListEventsRequest); 7] = [
            |r| r.page_token = r.page_token.replacen(|c: char| c != 'A', "A", 1),
            |r| r.page_token.truncate(20),
            |r| r.actor = "operator".to_owned(),
            |r| r.kinds = vec!["api_key.created".to_owned()],
            |r| r.order = EventOrder::OldestFirst.into(),
            |r| r.start_time = Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            |r| r.end_time = Some(prost_types::Timestamp { seconds: 1 << 33, nanos: 0 }),
        ];
        let mut broken: Vec<_> = changed
            .iter()
            .map(|change| {
                let mut request = next.clone();
                change(&mut request);
                request
            })
            .collect();
        broken.push(ListEventsRequest { key_id, ..next.clone() });
        broken.push(ListEventsRequest { page_token: of_keys.next_page_token, ..next.clone() });
        for request in broken {
            let refusal = tenant.client.audit.list_events(request.clone()).await.refused();
            assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid, "{request:?}");
        }
        let foreign = ListEventsRequest { workspace_id: other.id.clone(), ..next.clone() };
        let refusal = other.client.audit.list_events(foreign).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PageTokenInvalid);
        let resized = ListEventsRequest { page_size: 7, ..next };
        assert_eq!(tenant.all_events(resized).await.len(), 4, "the size may change");
    }

    #[tokio::test]
    async fn every_field_is_refused_by_its_path_and_rule() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("bad").await;
        let moment = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
        let list = || tenant.events();
        let rows = [
            ("workspace_id", ListEventsRequest { workspace_id: String::new(), ..list() }),
            ("workspace_id", ListEventsRequest { workspace_id: "ws_1".into(), ..list() }),
            ("key_id", ListEventsRequest { key_id: "key_1".into(), ..list() }),
            ("key_id", ListEventsRequest { key_id: tenant.id.clone(), ..list() }),
            ("actor", ListEventsRequest { actor: "x".repeat(193), ..list() }),
            (
                "kinds[1]",
                ListEventsRequest {
                    kinds: vec!["api_key.revoked".into(), "api_key.nonsense".into()],
                    ..list()
                },
            ),
            ("kinds[0]", ListEventsRequest { kinds: vec![String::new()], ..list() }),
            ("kinds", ListEventsRequest { kinds: vec!["api_key.revoked".into(); 101], ..list() }),
            ("start_time", ListEventsRequest { start_time: moment(0, -1), ..list() }),
            ("end_time", ListEventsRequest { end_time: moment(i64::MAX, 0), ..list() }),
            (
                "end_time",
                ListEventsRequest { start_time: moment(5, 0), end_time: moment(5, 0), ..list() },
            ),
            ("order", ListEventsRequest { order: 3, ..list() }),
            ("page_size", ListEventsRequest { page_size: -1, ..list() }),
        ];
        for (field, request) in rows {
            let refusal = tenant.client.audit.list_events(request.clone()).await.refused();
            assert!(refusal.is_field(field), "{field}: {refusal:?}");
        }
    }
}
