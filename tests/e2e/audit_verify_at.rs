//! VerifyAt: whether a key would have passed, and by which event it would not.

use api::v1::verify_at_request::Moment;
use api::v1::{
    self as wire, AuditEvent, CheckName, CheckOutcome, Decision, Denial, ErrorReason,
    VerifyAtRequest, VerifyAtResponse,
};
use harness::{Refused, Server, Tenant};
use prost_types::Timestamp;

async fn ask(tenant: &Tenant, request: VerifyAtRequest) -> VerifyAtResponse {
    tenant.client.clone().audit.verify_at(request).await.unwrap().into_inner()
}

fn time(at: Option<Timestamp>) -> Option<Moment> {
    at.map(Moment::AtTime)
}

/// The only event of this kind.
async fn event(tenant: &Tenant, kind: &str) -> AuditEvent {
    let kinds = vec![kind.to_owned()];
    let request = wire::ListEventsRequest { kinds, ..tenant.events() };
    let [event] = tenant.all_events(request).await.try_into().unwrap();
    event
}

#[track_caller]
fn denied_by(answer: &VerifyAtResponse, denial: Denial, event: &AuditEvent) {
    assert_eq!((answer.decision(), answer.denial()), (Decision::Denied, denial), "{answer:?}");
    assert_decided_by(answer, event);
}

#[track_caller]
fn assert_decided_by(answer: &VerifyAtResponse, event: &AuditEvent) {
    let decided_by = answer.deciding_event.as_ref().unwrap();
    let named = (decided_by.position, &decided_by.event_id, &decided_by.kind, &decided_by.actor);
    assert_eq!(named, (event.position, &event.event_id, &event.kind, &event.actor));
    assert_eq!(decided_by.event_time, event.event_time);
    assert_eq!(decided_by.record_time, event.record_time);
}

mod decided {
    use super::*;

    #[tokio::test]
    async fn a_list_that_was_changed_later_decides_from_then_on_and_a_rotation_for_each_credential()
    {
        let server = Server::shared().await;
        let tenant = server.workspace("changes").await;
        let made = tenant.create_key("changed").await;
        let id = made.api_key.unwrap().key_id;
        let mut keys = tenant.client.clone().keys;
        let ip_allowlist = vec!["10.1.0.0/16".to_owned()];
        let listed = wire::ApiKey { ip_allowlist, ..wire::ApiKey::default() };
        keys.update_api_key(tenant.update(&id, &["ip_allowlist"], listed)).await.unwrap();
        let changed = event(&tenant, "api_key.addresses_changed").await;
        assert_eq!(changed.actor, format!("workspace:{}", tenant.id));
        let from_afar = |position| VerifyAtRequest {
            client_ip: "10.2.0.7".to_owned(),
            ..tenant.at(&id, position)
        };
        let before =
            ask(&tenant, from_afar(event(&tenant, "api_key.created").await.position)).await;
        assert_eq!(before.decision(), Decision::Accepted);
        denied_by(&ask(&tenant, from_afar(changed.position)).await, Denial::IpNotAllowed, &changed);

        let lifted = tenant.update(&id, &["ip_restricted"], wire::ApiKey::default());
        keys.update_api_key(lifted).await.unwrap();
        let rotated = keys.rotate_api_key(tenant.rotate(&id)).await.unwrap().into_inner();
        let kids = rotated.api_key.unwrap().credentials;
        keys.end_rotation_grace(tenant.end_grace(&id)).await.unwrap();
        let ended = event(&tenant, "api_key.grace_ended").await;
        let of = |kid: &str, at: &AuditEvent| VerifyAtRequest {
            kid: kid.to_owned(),
            ..tenant.at(&id, at.position)
        };
        let rotation = event(&tenant, "api_key.rotated").await;
        let [newest, older] = &kids[..] else { panic!("{kids:?}") };
        for (kid, at) in [(newest, &rotation), (older, &rotation), (newest, &ended)] {
            let answer = ask(&tenant, of(&kid.kid, at)).await;
            assert_eq!(answer.decision(), Decision::Accepted, "{kid:?} at {}", at.kind);
        }
        denied_by(&ask(&tenant, of(&older.kid, &ended)).await, Denial::RotatedOut, &ended);
    }

    /// The question of the issue: who set the list, and would the key have passed from 10.2.0.7?
    #[tokio::test]
    async fn an_address_that_is_not_on_the_list_is_denied_by_the_event_that_set_the_list() {
        let server = Server::shared().await;
        let tenant = server.workspace("addresses").await;
        let ip_allowlist = vec!["10.1.0.0/16".to_owned()];
        let asked = wire::CreateApiKeyRequest { ip_allowlist, ..tenant.key("restricted") };
        let id = tenant.create(asked).await.api_key.unwrap().key_id;
        tenant.create_key("another").await;
        let revoked = tenant.revoke_key(&id).await;
        let created = tenant
            .all_events(wire::ListEventsRequest { key_id: id.clone(), ..tenant.events() })
            .await
            .pop()
            .unwrap();
        assert_eq!(created.kind, "api_key.created");
        let then = VerifyAtRequest {
            moment: time(created.record_time),
            client_ip: "10.2.0.7".to_owned(),
            ..tenant.at(&id, 0)
        };
        let answer = ask(&tenant, then.clone()).await;
        denied_by(&answer, Denial::IpNotAllowed, &created);
        assert_eq!(
            answer.deciding_event.as_ref().unwrap().actor,
            format!("workspace:{}", tenant.id)
        );
        let ip = answer.checks.iter().find(|check| check.name() == CheckName::Ip).unwrap();
        assert_eq!((&*ip.needed, &*ip.held), ("one of 10.1.0.0/16", "10.2.0.7"));
        assert_eq!(answer.at_time, created.record_time);
        let nowhere = VerifyAtRequest { client_ip: String::new(), ..then.clone() };
        denied_by(&ask(&tenant, nowhere).await, Denial::IpRequired, &created);
        let inside = VerifyAtRequest { client_ip: "10.1.0.7".to_owned(), ..then.clone() };
        let answer = ask(&tenant, inside.clone()).await;
        assert_eq!((answer.decision(), answer.denial()), (Decision::Accepted, Denial::Unspecified));
        assert_eq!(answer.denial_detail, None);
        assert_decided_by(&answer, &created);
        // And from the revocation on, from nowhere.
        let at = event(&tenant, "api_key.revoked").await;
        let answer = ask(&tenant, VerifyAtRequest { moment: time(at.record_time), ..inside }).await;
        denied_by(&answer, Denial::Revoked, &at);
        let detail = answer.denial_detail.unwrap().revocation.unwrap();
        assert_eq!(detail.revoke_time, revoked.revocation.unwrap().revoke_time);
    }

    #[tokio::test]
    async fn a_switch_counts_from_its_event_on_until_the_next() {
        let server = Server::shared().await;
        let tenant = server.workspace("switched").await;
        let id = tenant.create_key("switched").await.api_key.unwrap().key_id;
        let mut keys = tenant.client.keys.clone();
        for _ in 0..2 {
            keys.disable_api_key(tenant.disable(&id)).await.unwrap();
            keys.enable_api_key(tenant.enable(&id)).await.unwrap();
        }
        let of_key = wire::ListEventsRequest { key_id: id.clone(), ..tenant.events() };
        let mut events = tenant.all_events(of_key).await;
        events.reverse();
        assert_eq!(events.len(), 6);
        for event in events.iter().filter(|event| event.kind != "config.created") {
            let answer = ask(&tenant, tenant.at(&id, event.position)).await;
            if event.kind == "api_key.disabled" {
                denied_by(&answer, Denial::Disabled, event);
            } else {
                assert_eq!(answer.decision(), Decision::Accepted);
                assert_decided_by(&answer, event);
            }
        }
    }

    #[tokio::test]
    async fn a_suspension_of_the_workspace_decides_while_it_lasts() {
        let server = Server::shared().await;
        let tenant = server.workspace("suspended").await;
        let id = tenant.create_key("key").await.api_key.unwrap().key_id;
        let mut operator = server.operator.workspaces.clone();
        let workspace_id = tenant.id.clone();
        let suspend = wire::SuspendWorkspaceRequest { workspace_id, ..Default::default() };
        operator.suspend_workspace(suspend).await.unwrap();
        let workspace_id = tenant.id.clone();
        let resume = wire::ResumeWorkspaceRequest { workspace_id, ..Default::default() };
        operator.resume_workspace(resume).await.unwrap();
        let suspended = event(&tenant, "workspace.suspended").await;
        let answer = ask(&tenant, tenant.at(&id, suspended.position)).await;
        denied_by(&answer, Denial::WorkspaceSuspended, &suspended);
        assert_eq!(answer.deciding_event.as_ref().unwrap().actor, "operator");
        let resumed = event(&tenant, "workspace.resumed").await;
        let answer = ask(&tenant, tenant.at(&id, resumed.position)).await;
        assert_eq!(answer.decision(), Decision::Accepted);
        assert_decided_by(&answer, &event(&tenant, "api_key.created").await);
    }

    #[tokio::test]
    async fn the_moment_that_is_asked_about_is_the_now_of_beginnings_and_ends() {
        let server = Server::start().await;
        let tenant = server.workspace("times").await;
        let now = server.clock.now().as_second();
        let moment = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let asked = wire::CreateApiKeyRequest {
            not_before: moment(now + 60),
            expires_at: moment(now + 120),
            ..tenant.key("timed")
        };
        let id = tenant.create(asked).await.api_key.unwrap().key_id;
        server.clock.turn(std::time::Duration::from_secs(200));
        let created = event(&tenant, "api_key.created").await;
        for (seconds, denial) in [
            (59, Denial::NotYetValid),
            (60, Denial::Unspecified),
            (119, Denial::Unspecified),
            (120, Denial::Expired),
        ] {
            let request =
                VerifyAtRequest { moment: time(moment(now + seconds)), ..tenant.at(&id, 0) };
            let answer = ask(&tenant, request).await;
            assert_eq!(answer.denial(), denial, "{seconds}");
            assert_decided_by(&answer, &created);
        }
    }

    #[tokio::test]
    async fn before_it_was_made_a_key_is_not_found_and_no_event_says_so() {
        let server = Server::shared().await;
        let tenant = server.workspace("before").await;
        let id = tenant.create_key("later").await.api_key.unwrap().key_id;
        let workspace = event(&tenant, "workspace.created").await;
        for moment in [Moment::AtPosition(workspace.position), Moment::AtTime(Timestamp::default())]
        {
            let request = VerifyAtRequest { moment: Some(moment), ..tenant.at(&id, 0) };
            let answer = ask(&tenant, request).await;
            assert_eq!((answer.decision(), answer.denial()), (Decision::Denied, Denial::NotFound));
            assert_eq!((answer.deciding_event, answer.denial_detail), (None, None));
            let failed = answer.checks.iter().find(|check| check.outcome() == CheckOutcome::Fail);
            assert_eq!(failed.unwrap().name(), CheckName::Identity);
        }
    }

    #[tokio::test]
    async fn now_it_says_what_verify_key_says() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("same").await;
        let ip_allowlist = vec!["10.1.0.0/16".to_owned()];
        let allowed_domains = vec!["example.com".to_owned()];
        let scopes = vec!["read".to_owned()];
        let asked = wire::CreateApiKeyRequest {
            ip_allowlist,
            allowed_domains,
            scopes,
            ..tenant.key("same")
        };
        let made = tenant.create(asked).await;
        let (id, kid) = {
            let key = made.api_key.unwrap();
            (key.key_id, key.credentials[0].kid.clone())
        };
        let newest = tenant.all_events(tenant.events()).await[0].position;
        let scope = |code: &str| {
            Some(wire::RequiredScopes { all_of: vec![code.to_owned()], any_of: Vec::new() })
        };
        for (ip, origin, required_scopes) in [
            ("10.1.0.1", "https://example.com", scope("read")),
            ("10.1.0.1", "https://example.com", scope("write")),
            ("10.1.0.1", "https://evil.example", None),
            ("10.1.0.1", "", None),
            ("10.2.0.1", "https://example.com", None),
            ("", "", None),
        ] {
            let question = wire::VerifyKeyRequest {
                client_ip: ip.to_owned(),
                origin: origin.to_owned(),
                required_scopes: required_scopes.clone(),
                mode: wire::VerifyMode::Explain.into(),
                ..tenant.question(&made.secret)
            };
            let now = tenant.client.keys.verify_key(question).await.unwrap().into_inner();
            let request = VerifyAtRequest {
                client_ip: ip.to_owned(),
                origin: origin.to_owned(),
                required_scopes,
                ..tenant.at(&id, newest)
            };
            let then = ask(&tenant, request.clone()).await;
            assert_eq!(
                (then.decision, then.denial, &then.denial_detail, &then.checks),
                (now.decision, now.denial, &now.denial_detail, &now.checks)
            );
            assert_eq!(then.kid, kid);
            let named = VerifyAtRequest { kid: kid.clone(), ..request.clone() };
            assert_eq!(ask(&tenant, named).await, then);
            let other = VerifyAtRequest { kid: "0".repeat(17), ..request };
            assert_eq!(ask(&tenant, other).await.denial(), Denial::NotFound);
        }
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_key_that_was_never_made_is_not_found() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("none").await;
        let id = tenant.create_key("real").await.api_key.unwrap().key_id;
        let position = tenant.all_events(tenant.events()).await[0].position;
        let asked = tenant.at(&crate::asks::missing(&id), position);
        let refusal = tenant.client.audit.verify_at(asked).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }

    #[tokio::test]
    async fn a_position_of_another_workspace_is_refused_as_one_that_does_not_exist() {
        let server = Server::shared().await;
        let (mut ours, theirs) = (server.workspace("ours").await, server.workspace("theirs").await);
        let id = ours.create_key("ours").await.api_key.unwrap().key_id;
        theirs.create_key("theirs").await;
        let foreign = theirs.all_events(theirs.events()).await[0].position;
        let mut said = Vec::new();
        for position in [foreign, 0, 1 << 40, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
            said.push(ours.client.audit.verify_at(ours.at(&id, position)).await.refused());
        }
        assert!(said[0].is_field("at_position"), "{:?}", said[0]);
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
    }

    #[tokio::test]
    async fn every_field_is_refused_by_its_path_and_rule() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("bad").await;
        let id = tenant.create_key("key").await.api_key.unwrap().key_id;
        let position = tenant.all_events(tenant.events()).await[0].position;
        let moment = |seconds, nanos| time(Some(Timestamp { seconds, nanos }));
        let good = || tenant.at(&id, position);
        let soon = server.clock.now().as_second() + 3_600;
        let scopes = |all_of: Vec<String>| Some(wire::RequiredScopes { all_of, any_of: vec![] });
        let rows = [
            ("workspace_id", VerifyAtRequest { workspace_id: String::new(), ..good() }),
            ("key_id", VerifyAtRequest { key_id: "key_1".to_owned(), ..good() }),
            ("at_time", VerifyAtRequest { moment: None, ..good() }),
            ("at_time", VerifyAtRequest { moment: moment(soon, 0), ..good() }),
            ("at_time", VerifyAtRequest { moment: moment(0, -1), ..good() }),
            ("at_time", VerifyAtRequest { moment: moment(i64::MIN, 0), ..good() }),
            ("client_ip", VerifyAtRequest { client_ip: "10.0.0.256".to_owned(), ..good() }),
            ("origin", VerifyAtRequest { origin: "x".repeat(2_049), ..good() }),
            (
                "required_scopes.all_of[0]",
                VerifyAtRequest { required_scopes: scopes(vec!["Ä".to_owned()]), ..good() },
            ),
            ("kid", VerifyAtRequest { kid: "short".to_owned(), ..good() }),
            ("kid", VerifyAtRequest { kid: "z".repeat(17), ..good() }),
        ];
        for (field, request) in rows {
            let refusal = tenant.client.audit.verify_at(request.clone()).await.refused();
            assert!(refusal.is_field(field), "{field}: {refusal:?}");
        }
    }
}
