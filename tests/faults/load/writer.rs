//! A writer: makes a key, asks for it with the token of its making, switches it off and on now and then,
//! and ends it; then asks everybody for it, at once.

use std::sync::Arc;
use std::time::Duration;

use api::v1::{
    BarrierWait, CreateApiKeyRequest, DisableApiKeyRequest, EnableApiKeyRequest, RevocationReason,
    RevokeApiKeyRequest, RotateApiKeyRequest,
};
use tokio::time::sleep;

use super::{Acknowledged, Known, World, persist};
use crate::client::{Client, Failed, keys};
use crate::history::{Change, Made, Outcome, Subject, Written};
use crate::schedule::REPLICAS;

/// Writes until the load ends.
pub(super) async fn write(world: Arc<World>, mut chance: fastrand::Rng) {
    while !world.over() {
        // A key whose outcome is unknown is left alone.
        let _ = life(&world, &mut chance).await;
    }
}

/// The life of one key.
async fn life(world: &Arc<World>, chance: &mut fastrand::Rng) -> Option<()> {
    let (known, token) = create(world, chance, 0).await?;
    world.probe(0, &known, Some(&token));
    sleep(Duration::from_millis(chance.u64(0..20))).await;
    let mut on = true;
    if chance.u8(0..5) == 0 {
        let wait = some_wait(chance);
        switch_off(world, chance, &known, wait).await?;
        world.probe(0, &known, None);
        on = chance.bool();
        if on {
            let token = switch_on(world, chance, &known).await?;
            world.probe(0, &known, Some(&token));
        }
    }
    let wait = some_wait(chance);
    if on && chance.u8(0..4) == 0 {
        let (new, token) = rotate(world, chance, &known, wait).await?;
        world.probe(0, &new, Some(&token));
    } else {
        revoke(world, chance, &known, wait).await?;
    }
    // Each begins after the acknowledgement.
    world.probe(0, &known, None);
    Some(())
}

fn some_wait(chance: &mut fastrand::Rng) -> BarrierWait {
    if chance.u8(0..6) == 0 { BarrierWait::None } else { BarrierWait::AllVerifiers }
}

/// Makes a key. Now and then the request goes to two replicas at the same time.
pub(super) async fn create(
    world: &Arc<World>,
    chance: &mut fastrand::Rng,
    workspace: usize,
) -> Option<(Known, String)> {
    let name = world.name();
    let index = world.key(workspace, &name);
    let request = CreateApiKeyRequest {
        workspace_id: world.workspaces[workspace].id.clone(),
        name: name.clone(),
        request_id: name,
        ..CreateApiKeyRequest::default()
    };
    if chance.u8(0..4) == 0 {
        let (world, request) = (Arc::clone(world), request.clone());
        let mut client = world.clients[chance.usize(0..REPLICAS)].clone();
        // Whatever becomes of it: an answer must be the one of the other.
        tokio::task::spawn_local(async move {
            once(&world, workspace, &mut client, &request).await.is_ok()
        });
    }
    let mut made = None;
    let write = (Subject::Key(index), Change::Create);
    let done = persist(world, chance, write, async |client| {
        let (one, token) = once(world, workspace, client, &request).await?;
        made = Some(one);
        Ok(Acknowledged { token, barrier: None })
    });
    let token = done.await?.token;
    let Made { key_id, secret, .. } = made?;
    let known = Known { index, key_id, secret };
    world.learn(workspace, known.clone());
    Some((known, token))
}

async fn once(
    world: &World,
    workspace: usize,
    client: &mut Client,
    request: &CreateApiKeyRequest,
) -> Result<(Made, String), Failed> {
    let token = &world.workspaces[workspace].token;
    let made = client
        .call(token, request.clone(), async |channel, request| {
            keys(channel).create_api_key(request).await
        })
        .await?;
    let key_id = made.api_key.map(|key| key.key_id).unwrap_or_default();
    let one = Made { name: request.name.clone(), key_id, secret: made.secret };
    world.recorder.note(|history| history.made.push(one.clone()));
    Ok((one, made.consistency_token))
}

async fn switch_off(
    world: &World,
    chance: &mut fastrand::Rng,
    known: &Known,
    wait: BarrierWait,
) -> Option<()> {
    let request = DisableApiKeyRequest {
        workspace_id: world.workspaces[0].id.clone(),
        key_id: known.key_id.clone(),
        request_id: world.name(),
        wait: wait.into(),
        ..DisableApiKeyRequest::default()
    };
    let write = (Subject::Key(known.index), Change::Disable);
    let done = persist(world, chance, write, async |client| {
        let token = &world.workspaces[0].token;
        let call = client.call(token, request.clone(), async |channel, request| {
            keys(channel).disable_api_key(request).await
        });
        let done = call.await?;
        Ok(Acknowledged { token: done.consistency_token, barrier: done.barrier })
    });
    done.await.map(|_| ())
}

async fn switch_on(world: &World, chance: &mut fastrand::Rng, known: &Known) -> Option<String> {
    let request = EnableApiKeyRequest {
        workspace_id: world.workspaces[0].id.clone(),
        key_id: known.key_id.clone(),
        request_id: world.name(),
        ..EnableApiKeyRequest::default()
    };
    let write = (Subject::Key(known.index), Change::Enable);
    let done = persist(world, chance, write, async |client| {
        let token = &world.workspaces[0].token;
        let call = client.call(token, request.clone(), async |channel, request| {
            keys(channel).enable_api_key(request).await
        });
        Ok(Acknowledged { token: call.await?.consistency_token, barrier: None })
    });
    Some(done.await?.token)
}

/// Gives a key another secret, as if it were another key of the same name.
async fn rotate(
    world: &Arc<World>,
    chance: &mut fastrand::Rng,
    known: &Known,
    wait: BarrierWait,
) -> Option<(Known, String)> {
    let request = RotateApiKeyRequest {
        workspace_id: world.workspaces[0].id.clone(),
        key_id: known.key_id.clone(),
        grace: Some(prost_types::Duration::default()),
        request_id: world.name(),
        wait: wait.into(),
        ..RotateApiKeyRequest::default()
    };
    let start = world.recorder.now();
    let mut made = None;
    let write = (Subject::Key(known.index), Change::Rotate);
    let done = persist(world, chance, write, async |client| {
        let token = &world.workspaces[0].token;
        let call = client.call(token, request.clone(), async |channel, request| {
            keys(channel).rotate_api_key(request).await
        });
        let done = call.await?;
        made = Some(done.secret);
        Ok(Acknowledged { token: done.consistency_token, barrier: done.barrier })
    });
    let token = done.await?.token;
    let index = world.key_like(known.index);
    let span = world.recorder.since(start);
    let outcome =
        Outcome::Acknowledged { position: crate::client::position(&token), everywhere: false };
    let (subject, change, took) = (Subject::Key(index), Change::Create, span.end - span.start);
    world.written(Written { subject, change, span, outcome, took, barrier: None, fenced: 0 });
    let new = Known { index, key_id: known.key_id.clone(), secret: made? };
    world.learn(0, new.clone());
    Some((new, token))
}

async fn revoke(
    world: &World,
    chance: &mut fastrand::Rng,
    known: &Known,
    wait: BarrierWait,
) -> Option<()> {
    let request = RevokeApiKeyRequest {
        workspace_id: world.workspaces[0].id.clone(),
        key_id: known.key_id.clone(),
        reason: RevocationReason::Compromised.into(),
        request_id: world.name(),
        wait: wait.into(),
        ..RevokeApiKeyRequest::default()
    };
    let write = (Subject::Key(known.index), Change::Revoke);
    let done = persist(world, chance, write, async |client| {
        let token = &world.workspaces[0].token;
        let call = client.call(token, request.clone(), async |channel, request| {
            keys(channel).revoke_api_key(request).await
        });
        let done = call.await?;
        Ok(Acknowledged { token: done.consistency_token, barrier: done.barrier })
    });
    done.await.map(|_| ())
}
