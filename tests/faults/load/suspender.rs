//! The operator, who suspends and resumes a workspace with a few keys.

use std::sync::Arc;
use std::time::Duration;

use api::v1::{ResumeWorkspaceRequest, SuspendWorkspaceRequest};
use tokio::time::sleep;

use super::writer::create;
use super::{Acknowledged, World, persist};
use crate::client::workspaces;
use crate::history::{Change, Subject};

const KEYS: usize = 3;

/// Suspends and resumes until the load ends.
pub(super) async fn suspend(world: Arc<World>, mut chance: fastrand::Rng) {
    let mut keys = Vec::new();
    while keys.len() < KEYS && !world.over() {
        if let Some((known, _)) = create(&world, &mut chance, 1).await {
            keys.push(known);
        }
    }
    while !world.over() {
        let changed = change(&world, &mut chance, Change::Suspend).await;
        for known in &keys {
            world.probe(1, known, None);
        }
        sleep(Duration::from_millis(chance.u64(20..200))).await;
        let changed =
            changed.is_some() && change(&world, &mut chance, Change::Resume).await.is_some();
        if !changed {
            // Of unknown outcome, which may come about at any time: leave it alone.
            return;
        }
        sleep(Duration::from_millis(chance.u64(20..400))).await;
    }
}

async fn change(world: &World, chance: &mut fastrand::Rng, change: Change) -> Option<()> {
    let (workspace_id, request_id) = (world.workspaces[1].id.clone(), world.name());
    let write = (Subject::Workspace(1), change);
    let done = persist(world, chance, write, async |client| {
        if change == Change::Resume {
            let request = ResumeWorkspaceRequest {
                workspace_id: workspace_id.clone(),
                request_id: request_id.clone(),
                ..ResumeWorkspaceRequest::default()
            };
            let call = client.call(&world.operator, request, async |channel, request| {
                workspaces(channel).resume_workspace(request).await
            });
            return Ok(Acknowledged { token: call.await?.consistency_token, barrier: None });
        }
        let request = SuspendWorkspaceRequest {
            workspace_id: workspace_id.clone(),
            request_id: request_id.clone(),
            ..SuspendWorkspaceRequest::default()
        };
        let call = client.call(&world.operator, request, async |channel, request| {
            workspaces(channel).suspend_workspace(request).await
        });
        let done = call.await?;
        Ok(Acknowledged { token: done.consistency_token, barrier: done.barrier })
    });
    done.await.map(|_| ())
}
