//! RotateApiKey and EndRotationGrace: two credentials, one key.

use std::time::Duration;

use api::v1::{self as wire, Decision, Denial, ErrorReason, Warning};
use harness::{Refused, Server, Tenant};

/// No grace at all.
fn at_once() -> Option<prost_types::Duration> {
    Some(prost_types::Duration::default())
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

async fn rotate(tenant: &Tenant, request: wire::RotateApiKeyRequest) -> wire::RotateApiKeyResponse {
    tenant.client.clone().keys.rotate_api_key(request).await.unwrap().into_inner()
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn both_credentials_pass_for_a_day_and_the_verdict_says_which_it_was() {
        let server = Server::start().await;
        let tenant = server.workspace("overlap").await;
        let made = tenant.create_key("overlap").await;
        let before = made.api_key.unwrap();
        let answer = rotate(&tenant, tenant.rotate(&before.key_id)).await;
        assert_eq!(answer.barrier, None, "nothing was taken away");
        let key = answer.api_key.unwrap();
        assert_eq!((&key.key_id, &key.name), (&before.key_id, &before.name));
        assert_ne!(key.etag, before.etag);
        let [newest, older] = &key.credentials[..] else { panic!("{:?}", key.credentials) };
        assert_eq!((newest.generation, older.generation), (2, 1));
        assert_eq!((&key.display, &newest.not_after), (&newest.display, &None));
        let end = newest.create_time.unwrap().seconds + 86_400;
        assert_eq!(older.not_after.unwrap().seconds, end);
        assert_eq!(tenant.read_key(&key.key_id).await, key);

        for (secret, generation, in_grace) in [(&made.secret, 1, true), (&answer.secret, 2, false)]
        {
            let verdict = tenant.verify(secret).await;
            assert_eq!(verdict.decision(), Decision::Accepted);
            let told = verdict.key.clone().unwrap();
            assert_eq!(told.generation, generation);
            assert_eq!(told.grace_until.map(|end| end.seconds), in_grace.then_some(end));
            let warned = verdict.warnings().any(|warning| warning == Warning::InRotationGrace);
            assert_eq!(warned, in_grace);
        }

        server.clock.turn(Duration::from_secs(86_401));
        let late = tenant.verify(&made.secret).await;
        assert_eq!(late.denial(), Denial::RotatedOut);
        assert_eq!(late.denial_detail.unwrap().since.unwrap().seconds, end);
        assert_eq!(tenant.verify(&answer.secret).await.decision(), Decision::Accepted);
    }

    #[tokio::test]
    async fn without_grace_the_old_credential_is_dead_when_the_call_returns() {
        let server = Server::shared().await;
        let tenant = server.workspace("at once").await;
        let made = tenant.create_key("at once").await;
        let key_id = made.api_key.unwrap().key_id;
        let request = wire::RotateApiKeyRequest { grace: at_once(), ..tenant.rotate(&key_id) };
        let answer = rotate(&tenant, request).await;
        assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::RotatedOut);
        assert_eq!(tenant.verify(&answer.secret).await.decision(), Decision::Accepted);
        assert!(answer.barrier.unwrap().confirmed >= 1);
    }

    #[tokio::test]
    async fn the_grace_ends_early_on_request_and_only_once() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("early").await;
        let made = tenant.create_key("early").await;
        let key_id = made.api_key.unwrap().key_id;
        let rotated = rotate(&tenant, tenant.rotate(&key_id)).await;
        let ended = tenant.client.keys.end_rotation_grace(tenant.end_grace(&key_id)).await;
        assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::RotatedOut);
        assert_eq!(tenant.verify(&rotated.secret).await.decision(), Decision::Accepted);
        let ended = ended.unwrap().into_inner();
        assert!(ended.barrier.unwrap().confirmed >= 1);
        let key = ended.api_key.unwrap();
        assert_eq!(key.credentials[1].not_after, key.update_time);
        let again = tenant.client.keys.end_rotation_grace(tenant.end_grace(&key_id)).await;
        assert_eq!(again.unwrap().into_inner().api_key, Some(key));
    }

    #[tokio::test]
    async fn the_secret_can_be_had_again_by_the_same_request_and_is_made_once() {
        let server = Server::shared().await;
        let tenant = server.workspace("lost answer").await;
        let key_id = tenant.create_key("lost answer").await.api_key.unwrap().key_id;
        let request = wire::RotateApiKeyRequest {
            request_id: "rotate-once-0123456789".to_owned(),
            ..tenant.rotate(&key_id)
        };
        let each = || rotate(&tenant, request.clone());
        let answers = futures_util::future::join_all((0..8).map(|_| each())).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "secrets included");
        assert_eq!(tenant.read_key(&key_id).await.credentials.len(), 2);
    }

    #[tokio::test]
    async fn a_key_that_ends_soon_takes_its_old_credential_with_it() {
        let server = Server::shared().await;
        let tenant = server.workspace("ends").await;
        let ends =
            prost_types::Timestamp { seconds: server.clock.now().as_second() + 3_600, nanos: 0 };
        let request =
            wire::CreateApiKeyRequest { expires_at: Some(ends), ..tenant.key("ends soon") };
        let key_id = tenant.create(request).await.api_key.unwrap().key_id;
        let key = rotate(&tenant, tenant.rotate(&key_id)).await.api_key.unwrap();
        assert_eq!(key.credentials[1].not_after, Some(ends));
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_second_rotation_inside_the_grace_needs_force() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("twice").await;
        let made = tenant.create_key("twice").await;
        let key_id = made.api_key.unwrap().key_id;
        let first = rotate(&tenant, tenant.rotate(&key_id)).await;
        let refusal = tenant.client.keys.rotate_api_key(tenant.rotate(&key_id)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::RotationGraceRunning);
        for secret in [&made.secret, &first.secret] {
            assert_eq!(tenant.verify(secret).await.decision(), Decision::Accepted);
        }
        let forced = wire::RotateApiKeyRequest { force: true, ..tenant.rotate(&key_id) };
        let second = rotate(&tenant, forced).await;
        assert_eq!(tenant.verify(&made.secret).await.denial(), Denial::RotatedOut);
        for secret in [&first.secret, &second.secret] {
            assert_eq!(tenant.verify(secret).await.decision(), Decision::Accepted);
        }
        assert!(second.barrier.is_some(), "the oldest one was taken away");
    }

    #[tokio::test]
    async fn a_revoked_deleted_or_expired_key_cannot_be_rotated() {
        let server = Server::start().await;
        let mut tenant = server.workspace("dead").await;
        let revoked = tenant.create_key("revoked").await.api_key.unwrap().key_id;
        tenant.revoke_key(&revoked).await;
        let deleted = tenant.create_key("deleted").await.api_key.unwrap().key_id;
        tenant.client.keys.delete_api_key(tenant.delete(&deleted)).await.unwrap();
        let seconds = server.clock.now().as_second() + 60;
        let ends = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let request = wire::CreateApiKeyRequest { expires_at: ends, ..tenant.key("expired") };
        let expired = tenant.create(request).await.api_key.unwrap().key_id;
        server.clock.turn(Duration::from_secs(61));
        for (id, reason) in [
            (revoked, ErrorReason::ApiKeyRevoked),
            (deleted, ErrorReason::ApiKeyDeleted),
            (expired, ErrorReason::ApiKeyExpired),
        ] {
            let refusal = tenant.client.keys.rotate_api_key(tenant.rotate(&id)).await.refused();
            assert_eq!(refusal.reason, reason);
        }
    }

    #[tokio::test]
    async fn a_grace_below_nothing_or_beyond_seven_days_is_refused_and_changes_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("graces").await;
        let key = tenant.create_key("graces").await.api_key.unwrap();
        for grace in [seconds(-1), seconds(604_801), seconds(i64::MAX)] {
            let request = wire::RotateApiKeyRequest { grace, ..tenant.rotate(&key.key_id) };
            let refusal = tenant.client.keys.rotate_api_key(request).await.refused();
            assert!(refusal.is_field("grace"), "{refusal:?}");
        }
        assert_eq!(tenant.read_key(&key.key_id).await, key);
        let longest =
            wire::RotateApiKeyRequest { grace: seconds(604_800), ..tenant.rotate(&key.key_id) };
        rotate(&tenant, longest).await;
    }

    #[tokio::test]
    async fn a_stale_etag_rotates_nothing() {
        let server = Server::shared().await;
        let mut tenant = server.workspace("etags").await;
        let stale = tenant.create_key("etags").await.api_key.unwrap();
        tenant.client.keys.disable_api_key(tenant.disable(&stale.key_id)).await.unwrap();
        let request =
            wire::RotateApiKeyRequest { etag: stale.etag, ..tenant.rotate(&stale.key_id) };
        let refusal = tenant.client.keys.rotate_api_key(request).await.refused();
        assert_eq!(refusal.reason, ErrorReason::EtagMismatch);
        let now = tenant.read_key(&stale.key_id).await;
        assert_eq!(refusal.metadata.get("etag"), Some(&now.etag), "the current one is named");
        assert_eq!(now.credentials.len(), 1);
    }
}

#[tokio::test]
async fn a_restarted_service_knows_both_credentials_and_when_the_old_one_ends() {
    let server = Server::start().await;
    let tenant = server.workspace("restart").await;
    let graced = tenant.create_key("graced").await;
    let ended = tenant.create_key("ended").await;
    let key_id = graced.api_key.unwrap().key_id;
    let grace = rotate(&tenant, tenant.rotate(&key_id)).await;
    let key_id = ended.api_key.unwrap().key_id;
    let request = wire::RotateApiKeyRequest { grace: at_once(), ..tenant.rotate(&key_id) };
    let end = rotate(&tenant, request).await;
    let replica = server.replica().await;
    let there = replica.tenant(&tenant);
    testkit::eventually("the replica knows the keys", Duration::from_secs(10), async || {
        there.client.clone().keys.verify_key(there.question(&end.secret)).await.is_ok()
    })
    .await;
    for secret in [&graced.secret, &grace.secret, &end.secret] {
        assert_eq!(there.verify(secret).await.decision(), Decision::Accepted);
    }
    assert_eq!(there.verify(&ended.secret).await.denial(), Denial::RotatedOut);
}
