//! GetHead and VerifyLog: an anchor outside of the log, and what is found by it.

use api::v1::{GetHeadRequest, GetHeadResponse, Permission, VerifyLogRequest, VerifyLogResponse};
use harness::{Refused, Server};

async fn head(server: &Server) -> GetHeadResponse {
    server.operator.audit.clone().get_head(GetHeadRequest {}).await.unwrap().into_inner()
}

async fn verify(server: &Server, request: VerifyLogRequest) -> VerifyLogResponse {
    server.operator.audit.clone().verify_log(request).await.unwrap().into_inner()
}

/// A deployment with events in its log.
async fn written() -> Server {
    let server = Server::start().await;
    let tenant = server.workspace("written").await;
    for n in 0..5 {
        tenant.create_key(&format!("key {n}")).await;
    }
    server
}

#[tokio::test]
async fn the_head_is_the_last_event_with_its_mac_and_time() {
    let server = written().await;
    let tenant = server.workspace("last").await;
    let last = tenant.all_events(tenant.events()).await.remove(0);
    let head = head(&server).await;
    assert_eq!((head.position, &head.mac), (last.position, &last.mac));
    assert_eq!((head.record_time, head.epoch), (last.record_time, 1));
    let log_id: String = server.tables().row("SELECT log_id::text FROM log.head", &[]).await.get(0);
    assert_eq!(head.log_id, log_id);
    let bound = server.service(&[Permission::AuditRead], &[&tenant]).await;
    assert!(server.bearer(&bound).audit.get_head(GetHeadRequest {}).await.is_ok());
}

#[tokio::test]
async fn the_head_of_an_empty_log_is_told_and_sound() {
    let server = Server::start().await;
    let head = head(&server).await;
    assert_eq!((head.position, head.mac.len(), head.record_time), (0, 32, None));
    let checked = verify(&server, VerifyLogRequest::default()).await;
    assert!(checked.sound && checked.checked_position == 0 && checked.mac == head.mac);
}

#[tokio::test]
async fn a_sound_log_is_checked_to_its_head_in_one_call_or_in_many() {
    let server = written().await;
    let head = head(&server).await;
    let whole = verify(&server, VerifyLogRequest::default()).await;
    assert!(whole.sound, "{whole:?}");
    assert_eq!((whole.checked_position, whole.head_position), (head.position, head.position));
    assert_eq!(whole.mac, head.mac);
    let (mut request, mut calls) = (VerifyLogRequest { max_events: 4, ..Default::default() }, 0);
    loop {
        let part = verify(&server, request.clone()).await;
        calls += 1;
        assert!(part.sound, "{part:?}");
        if part.checked_position == part.head_position {
            assert_eq!(part, whole);
            break;
        }
        assert_eq!(part.checked_position, request.after_position + 4);
        (request.after_position, request.mac) = (part.checked_position, part.mac);
    }
    assert_eq!(calls, head.position.div_ceil(4));
    let believed = VerifyLogRequest { after_position: 3, ..Default::default() };
    assert_eq!(verify(&server, believed).await, whole);
}

#[tokio::test]
async fn a_changed_event_is_found_at_its_position_and_is_an_answer() {
    let server = written().await;
    let anchor = head(&server).await;
    let tamper = "BEGIN; SET LOCAL session_replication_role = replica; \
        UPDATE log.events SET payload = payload || ' ' WHERE position = 5; COMMIT";
    server.tables().run(tamper).await;
    let wrong = verify(&server, VerifyLogRequest::default()).await;
    assert!(!wrong.sound && wrong.wrong_position == 5, "{wrong:?}");
    assert_eq!(wrong.fault, "the MAC does not match the event");
    let before = VerifyLogRequest { max_events: 4, ..Default::default() };
    assert!(verify(&server, before).await.sound);
    let behind = VerifyLogRequest { after_position: 6, ..Default::default() };
    assert!(verify(&server, behind).await.sound, "the rest follows from what it says of itself");
    let at = VerifyLogRequest { after_position: anchor.position, mac: anchor.mac, max_events: 0 };
    assert!(verify(&server, at).await.sound);
}

#[tokio::test]
async fn an_anchor_that_the_log_does_not_hold_any_more_tells_that_history_was_replaced() {
    let server = written().await;
    let anchor = head(&server).await;
    let other = VerifyLogRequest {
        after_position: anchor.position,
        mac: vec![7; 32],
        ..Default::default()
    };
    let wrong = verify(&server, other).await;
    assert_eq!((wrong.sound, wrong.wrong_position), (false, anchor.position));
    assert_eq!(wrong.fault, "another event was here before");
    for position in [anchor.position + 1, u64::MAX] {
        let lost = VerifyLogRequest { after_position: position, ..Default::default() };
        let wrong = verify(&server, lost).await;
        assert_eq!((wrong.sound, wrong.wrong_position), (false, position));
        assert!(wrong.fault.contains("behind what was seen"), "{wrong:?}");
    }
}

#[tokio::test]
async fn every_field_is_refused_by_its_path_and_rule() {
    let server = Server::shared().await;
    let rows = [
        ("max_events", VerifyLogRequest { max_events: -1, ..Default::default() }),
        ("mac", VerifyLogRequest { mac: vec![0; 31], ..Default::default() }),
        ("mac", VerifyLogRequest { mac: vec![0; 33], ..Default::default() }),
    ];
    for (field, request) in rows {
        let refusal = server.operator.audit.clone().verify_log(request.clone()).await.refused();
        assert!(refusal.is_field(field), "{field}: {refusal:?}");
    }
}
