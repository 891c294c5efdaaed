//! A revocation, and replicas that are paused or killed while it waits.

use std::time::Duration;

use api::v1::{Barrier, Denial, RevocationReason, RevokeApiKeyRequest};
use rustix::process::Signal;
use testkit::eventually;
use tonic::Code;

use crate::child::{Keyward, PATIENCE};
use crate::client::{Client, Tenant, bearer};
use crate::deployment::Deployment;

/// Two replicas; the second knows every key that this makes.
struct Scene {
    _deployment: Deployment,
    tenant: Tenant,
    first: Keyward,
    second: Keyward,
    here: Client,
    there: Client,
}

impl Scene {
    async fn new() -> Self {
        let deployment = Deployment::new().await;
        let tenant = deployment.tenant().await;
        let (first, second) = (deployment.serve(&[]).await, deployment.serve(&[]).await);
        let here = Client::new(first.address(), &tenant);
        let there = Client::new(second.address(), &tenant);
        Self { _deployment: deployment, tenant, first, second, here, there }
    }

    /// A key that both accept: its secret and its id.
    async fn key(&mut self) -> (String, String) {
        let made = self.here.create(self.here.plain_key()).await.unwrap();
        eventually("the second replica knows the key", PATIENCE, async || {
            self.there
                .verify(&made.secret)
                .await
                .is_ok_and(|verdict| verdict.denial() == Denial::Unspecified)
        })
        .await;
        (made.secret, made.api_key.unwrap().key_id)
    }

    async fn revoke(&mut self, key_id: &str) -> Barrier {
        let request = RevokeApiKeyRequest {
            workspace_id: self.tenant.workspace.clone(),
            key_id: key_id.to_owned(),
            reason: RevocationReason::Compromised.into(),
            ..RevokeApiKeyRequest::default()
        };
        let answer = self.here.rpc.revoke_api_key(bearer(&self.tenant.token, request)).await;
        answer.unwrap().into_inner().barrier.unwrap()
    }
}

#[tokio::test]
async fn a_replica_that_was_paused_accepts_nothing_it_is_asked_after_the_revocation() {
    let mut scene = Scene::new().await;
    for _ in 0..2 {
        let (secret, key_id) = scene.key().await;
        scene.second.signal(Signal::STOP);
        let barrier = scene.revoke(&key_id).await;
        assert_eq!((barrier.confirmed, barrier.fenced), (1, 1), "{barrier:?}");
        // Asked while it stands still, answered with whatever it knows when it goes on.
        let mut there = scene.there.clone();
        let asked = secret.clone();
        let asking = tokio::spawn(async move { there.verify(&asked).await });
        tokio::task::yield_now().await;
        scene.second.signal(Signal::CONT);
        match asking.await.unwrap() {
            Ok(verdict) => assert_eq!(verdict.denial(), Denial::Revoked),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        eventually("the second replica is back", PATIENCE, async || {
            match scene.there.verify(&secret).await {
                Ok(verdict) => {
                    assert_eq!(verdict.denial(), Denial::Revoked);
                    true
                }
                Err(_) => false,
            }
        })
        .await;
    }
    scene.second.stop().await;
    scene.first.stop().await;
}

#[tokio::test]
async fn a_replica_that_was_killed_holds_a_revocation_for_no_longer_than_its_lease() {
    let mut scene = Scene::new().await;
    let (_, key_id) = scene.key().await;
    scene.second.signal(Signal::KILL);
    let barrier = scene.revoke(&key_id).await;
    let elapsed = Duration::try_from(barrier.elapsed.unwrap()).unwrap();
    assert_eq!(barrier.confirmed, 1);
    assert!(elapsed < Duration::from_secs(7), "{elapsed:?}");
    // Once its row is older than a lease can be, nobody waits for it.
    eventually("it is not waited for any more", PATIENCE, async || {
        let (_, key_id) = {
            let made = scene.here.create(scene.here.plain_key()).await.unwrap();
            (made.secret, made.api_key.unwrap().key_id)
        };
        scene.revoke(&key_id).await.fenced == 0
    })
    .await;
    scene.first.stop().await;
}
