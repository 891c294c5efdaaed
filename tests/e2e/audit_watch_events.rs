//! WatchEvents: what happens, as it happens.

use std::time::Duration;

use api::v1::{self as wire, AuditEvent, ErrorReason, WatchEventsRequest, WatchEventsResponse};
use harness::{Refusal, Refused, Server, Site, Tenant};
use testkit::eventually;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::Streaming;

const SOON: Duration = Duration::from_secs(20);

type Stream = Streaming<WatchEventsResponse>;

fn watch(tenant: &Tenant, after_position: Option<u64>) -> WatchEventsRequest {
    let workspace_id = tenant.id.clone();
    WatchEventsRequest { workspace_id, after_position, ..WatchEventsRequest::default() }
}

async fn open(tenant: &Tenant, request: WatchEventsRequest) -> Stream {
    tenant.client.clone().audit.watch_events(request).await.unwrap().into_inner()
}

async fn message(stream: &mut Stream) -> WatchEventsResponse {
    timeout(SOON, stream.message()).await.expect("a message").unwrap().unwrap()
}

/// Messages until there are so many events; how far the last one says it is.
async fn take(stream: &mut Stream, count: usize) -> (Vec<AuditEvent>, u64) {
    let (mut events, mut position) = (Vec::new(), 0);
    while events.len() < count {
        let next = message(stream).await;
        assert!(next.position >= position);
        assert!(next.events.iter().all(|event| event.position <= next.position));
        position = next.position;
        events.extend(next.events);
    }
    (events, position)
}

async fn end(stream: &mut Stream) -> Refusal {
    let ended = async {
        loop {
            match stream.message().await {
                Ok(next) => assert!(next.is_some(), "it ends without a word"),
                Err(status) => return Refusal::of(&status),
            }
        }
    };
    timeout(SOON, ended).await.expect("it ends")
}

async fn oldest_first(tenant: &Tenant) -> Vec<AuditEvent> {
    let order = wire::EventOrder::OldestFirst.into();
    tenant.all_events(wire::ListEventsRequest { order, ..tenant.events() }).await
}

mod streamed {
    use super::*;

    #[tokio::test]
    async fn from_the_beginning_it_sends_what_a_list_holds_and_then_what_is_new() {
        let server = Server::shared().await;
        let (tenant, other) = (server.workspace("watched").await, server.workspace("other").await);
        for n in 0..60 {
            tenant.create_key(&format!("key {n}")).await;
        }
        let mut stream = open(&tenant, watch(&tenant, Some(0))).await;
        let (mut seen, _) = take(&mut stream, 121).await;
        assert_eq!(seen, oldest_first(&tenant).await);
        for n in 0..5 {
            other.create_key(&format!("theirs {n}")).await;
            tenant.create_key(&format!("new {n}")).await;
            seen.extend(take(&mut stream, 2).await.0);
        }
        assert_eq!(seen, oldest_first(&tenant).await);
    }

    #[tokio::test]
    async fn without_a_position_it_begins_now_and_says_where_that_is() {
        let server = Server::shared().await;
        let tenant = server.workspace("now").await;
        tenant.create_key("before").await;
        let last = tenant.all_events(tenant.events()).await[0].position;
        let mut stream = open(&tenant, watch(&tenant, None)).await;
        let first = message(&mut stream).await;
        assert!(first.events.is_empty() && first.position >= last, "{first:?}");
        let id = tenant.create_key("after").await.api_key.unwrap().key_id;
        let (events, position) = take(&mut stream, 2).await;
        assert!(events.iter().all(|event| event.key_id == id), "{events:?}");
        assert!(position > first.position);
    }

    #[tokio::test]
    async fn who_goes_on_at_the_last_position_misses_nothing_of_what_two_servers_write() {
        let server = Server::start().await;
        let tenant = server.workspace("two").await;
        // It knows the tenant from its start on.
        let replica = server.replica().await;
        let writers: Vec<_> = [server.tenant(&tenant), replica.tenant(&tenant)]
            .into_iter()
            .map(|writer| {
                tokio::spawn(async move {
                    for n in 0..25 {
                        writer.create_key(&format!("key {n}")).await;
                    }
                })
            })
            .collect();
        let (mut seen, mut reached, mut opened) = (Vec::new(), 0, 0);
        let mut written = false;
        // Once more after the writers' end: what was missed by then would stay missed.
        while !written {
            written = writers.iter().all(JoinHandle::is_finished);
            let at = if opened % 2 == 0 { &server } else { &replica };
            let mut stream = open(&at.tenant(&tenant), watch(&tenant, Some(reached))).await;
            opened += 1;
            loop {
                let next = message(&mut stream).await;
                let enough = next.events.is_empty() || (!written && opened % 3 == 0);
                seen.extend(next.events);
                reached = next.position;
                if enough || seen.len() == 101 {
                    break;
                }
            }
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(seen, oldest_first(&tenant).await);
    }

    #[tokio::test]
    async fn filters_hold_and_a_quiet_stream_says_how_far_it_is() {
        let server = Server::shared().await;
        let tenant = server.workspace("quiet").await;
        let id = tenant.create_key("quiet").await.api_key.unwrap().key_id;
        let request = WatchEventsRequest {
            key_id: id.clone(),
            kinds: vec!["api_key.revoked".to_owned()],
            ..watch(&tenant, Some(0))
        };
        let mut stream = open(&tenant, request).await;
        let first = message(&mut stream).await;
        assert_eq!(first.events, []);
        let other = tenant.create_key("another").await.api_key.unwrap().key_id;
        tenant.revoke_key(&other).await;
        let passed = tenant.all_events(tenant.events()).await[0].position;
        // The heartbeat.
        let quiet = message(&mut stream).await;
        assert!(quiet.events.is_empty() && quiet.position >= passed, "{quiet:?}");
        tenant.revoke_key(&id).await;
        let (events, _) = take(&mut stream, 1).await;
        assert_eq!((&*events[0].kind, &events[0].key_id), ("api_key.revoked", &id));
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_holds_nobody_up_and_misses_nothing() {
        let server = Server::shared().await;
        let tenant = server.workspace("slow").await;
        let mut stream = open(&tenant, watch(&tenant, Some(0))).await;
        for n in 0..12 {
            let ip_allowlist = (0..10_000).map(|ip| format!("2001:db8:{n}::{ip:x}")).collect();
            let asked = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("large") };
            tenant.create(asked).await;
        }
        let (events, _) = take(&mut stream, 25).await;
        assert_eq!(events, oldest_first(&tenant).await);
    }
}

mod ended {
    use super::*;

    #[tokio::test]
    async fn a_server_that_drains_ends_its_streams_and_says_when_to_come_back() {
        let server = Server::start().await;
        let tenant = server.workspace("drained").await;
        let mut stream = open(&tenant, watch(&tenant, None)).await;
        message(&mut stream).await;
        let stopped = tokio::spawn(server.stop());
        let refusal = end(&mut stream).await;
        assert_eq!(refusal.reason, ErrorReason::ShuttingDown);
        timeout(SOON, stopped).await.expect("the drain ends").unwrap();
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_callers_credential_and_shows_nothing_later() {
        let server = Server::shared().await;
        let tenant = server.workspace("revoked").await;
        let request = wire::CreateServiceCredentialRequest {
            name: "auditor".to_owned(),
            permissions: vec![wire::Permission::AuditRead.into()],
            workspace_ids: vec![tenant.id.clone()],
            ..Default::default()
        };
        let mut operator = server.operator.workspaces.clone();
        let made = operator.create_service_credential(request).await.unwrap().into_inner();
        let mut audit = server.bearer(&made.secret).audit;
        let mut of_service = audit.watch_events(watch(&tenant, None)).await.unwrap().into_inner();
        let mut of_token = open(&tenant, watch(&tenant, None)).await;
        let first = message(&mut of_service).await;
        assert!(first.events.is_empty() && message(&mut of_token).await.events.is_empty());
        let revoke = wire::RevokeServiceCredentialRequest {
            service_credential_id: made.service_credential.unwrap().service_credential_id,
            ..Default::default()
        };
        operator.revoke_service_credential(revoke).await.unwrap();
        tenant.create_key("later").await;
        let next = of_service.message().await.unwrap_err();
        assert_eq!(Refusal::of(&next).reason, ErrorReason::CredentialInvalid);
        let reset = wire::ResetWorkspaceTokenRequest {
            workspace_id: tenant.id.clone(),
            ..Default::default()
        };
        operator.reset_workspace_token(reset).await.unwrap();
        assert_eq!(end(&mut of_token).await.reason, ErrorReason::CredentialInvalid);
    }

    #[tokio::test]
    async fn who_comes_back_after_a_restart_goes_on_where_it_was() {
        let site = Site::new().await;
        let server = site.start().await;
        let tenant = server.workspace("restart").await;
        let mut stream = open(&tenant, watch(&tenant, Some(0))).await;
        let (mut seen, reached) = take(&mut stream, 1).await;
        server.stop().await;
        let refusal = end(&mut stream).await;
        assert_eq!(refusal.reason, ErrorReason::ShuttingDown);
        let again = site.start().await;
        let tenant = again.tenant(&tenant);
        tenant.create_key("later").await;
        let mut stream = open(&tenant, watch(&tenant, Some(reached))).await;
        seen.extend(take(&mut stream, 2).await.0);
        assert_eq!(seen, oldest_first(&tenant).await);
    }

    #[tokio::test]
    async fn a_stream_ends_at_its_callers_deadline() {
        let server = Server::shared().await;
        let tenant = server.workspace("late").await;
        // Not tonic's client, which would give up by itself.
        let executor = hyper_util::rt::TokioExecutor::new();
        let patient =
            hyper_util::client::legacy::Client::builder(executor).http2_only(true).build_http();
        let origin = format!("http://{}", server.address()).parse().unwrap();
        let mut audit =
            wire::audit_service_client::AuditServiceClient::with_origin(patient, origin);
        let mut request = tonic::Request::new(watch(&tenant, None));
        let credential = format!("Bearer {}", tenant.token).parse().unwrap();
        request.metadata_mut().insert("authorization", credential);
        request.metadata_mut().insert("grpc-timeout", "500m".parse().unwrap());
        let mut stream = audit.watch_events(request).await.unwrap().into_inner();
        assert_eq!(end(&mut stream).await.reason, ErrorReason::DeadlineExceeded);
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_server_holds_so_many_streams_and_no_more() {
        let server = Server::start().await;
        let tenant = server.workspace("many").await;
        let mut held = Vec::new();
        for _ in 0..32 {
            held.push(open(&tenant, watch(&tenant, None)).await);
        }
        let mut audit = tenant.client.audit.clone();
        let refusal = audit.watch_events(watch(&tenant, None)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::WatchesExhausted);
        assert!(refusal.retry_after.is_some());
        assert!(tenant.all_events(tenant.events()).await.len() == 1, "others go on");
        held.pop();
        eventually("there is room again", SOON, async || {
            audit.watch_events(watch(&tenant, None)).await.is_ok()
        })
        .await;
    }

    #[tokio::test]
    async fn every_field_is_refused_by_its_path_and_rule() {
        let server = Server::shared().await;
        let tenant = server.workspace("bad").await;
        let good = || watch(&tenant, None);
        let rows = [
            ("workspace_id", WatchEventsRequest { workspace_id: String::new(), ..good() }),
            ("key_id", WatchEventsRequest { key_id: "key_1".to_owned(), ..good() }),
            ("actor", WatchEventsRequest { actor: "x".repeat(193), ..good() }),
            ("kinds[0]", WatchEventsRequest { kinds: vec!["nonsense".to_owned()], ..good() }),
            ("after_position", watch(&tenant, Some(1 << 40))),
            ("after_position", watch(&tenant, Some(u64::MAX))),
        ];
        for (field, request) in rows {
            let refusal = tenant.client.audit.clone().watch_events(request).await.refused();
            assert!(refusal.is_field(field), "{field}: {refusal:?}");
        }
    }
}
