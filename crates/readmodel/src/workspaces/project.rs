//! Folds workspace events into `workspaces`, and hands service credentials to their own module: one
//! projection for both, because callers are known by both.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::workspace::{WorkspaceEvent, WorkspaceState};
use domain::{Event, Noun, WorkspaceId};
use eventlog::{Projection, RecordedEvent};
use uuid::Uuid;

use super::query::{COLUMNS, stored};
use crate::columns::{Moment, algorithm};
use crate::fold::{self, FoldError, Folding, SCHEMA, Streams, Version, advance, put, rows};
use crate::statement::arrays;
use crate::{quarantine, service_credentials};

/// The projection `workspaces`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Workspaces;

impl Projection for Workspaces {
    fn name(&self) -> &'static str {
        "workspaces"
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "workspaces",
            "service_credentials",
            "workspaces_quarantine",
            "service_credentials_quarantine",
        ]
    }

    fn apply<'a>(
        &'a self,
        transaction: &'a Transaction<'_>,
        batch: &'a [RecordedEvent],
    ) -> Folding<'a> {
        Box::pin(async move { Ok(apply(transaction, batch).await?) })
    }
}

async fn apply(transaction: &Transaction<'_>, batch: &[RecordedEvent]) -> Result<(), FoldError> {
    let batch = fold::read(batch, &[Noun::Workspace, Noun::ServiceCredential])?;
    let (mut workspaces, mut service_credentials) = (Streams::new(), Streams::new());
    for step in batch.steps {
        let place = (step.position, step.revision);
        match step.event {
            Event::Workspace(event) => put(&mut workspaces, event.workspace_id(), place, event),
            Event::ServiceCredential(event) => {
                put(&mut service_credentials, event.service_credential_id(), place, event);
            }
            // Nothing here is about a workspace itself.
            Event::ApiKey(_) | Event::Config(_) | Event::AuthToken(_) | Event::Reveal(_) => {}
        }
    }
    let known = known(transaction, &workspaces).await?;
    write(transaction, &advance(known, &workspaces)).await?;
    service_credentials::apply(transaction, &service_credentials).await?;
    quarantine::record_service_credentials(transaction, &batch.unreadable).await?;
    quarantine::record_workspaces(transaction, "workspaces_quarantine", &batch.unreadable).await
}

/// The rows of the workspaces that did not begin in this batch.
async fn known(
    transaction: &Transaction<'_>,
    streams: &Streams<WorkspaceId, WorkspaceEvent>,
) -> Result<HashMap<WorkspaceId, Version<WorkspaceState>>, FoldError> {
    let begins = |event: &WorkspaceEvent| match event {
        WorkspaceEvent::Created(_) => true,
        WorkspaceEvent::TokenReset(_)
        | WorkspaceEvent::Suspended(_)
        | WorkspaceEvent::Resumed(_) => false,
    };
    let older: Vec<Uuid> = fold::older(streams, begins).map(|id| id.uuid()).collect();
    if older.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM workspaces WHERE workspace_id = ANY ($1)");
    let rows = transaction.query(&sql, &[&older]).await?;
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

async fn write(
    transaction: &Transaction<'_>,
    changed: &[Version<WorkspaceState>],
) -> Result<(), FoldError> {
    const SQL: &str = "\
        INSERT INTO workspaces AS t (workspace_id, created_by, name, token_kid, token_pepper, \
            token_algorithm, token_digest, created_at, updated_at, suspended_at, \
            suspended_reason, revision, position) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::integer[], \
            $6::text[], $7::bytea[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], \
            $11::text[], $12::bigint[], $13::bigint[]) \
        ON CONFLICT (workspace_id) DO UPDATE SET \
            (created_by, name, token_kid, token_pepper, token_algorithm, token_digest, \
            created_at, updated_at, suspended_at, suspended_reason, revision, position) = \
            (excluded.created_by, excluded.name, excluded.token_kid, excluded.token_pepper, \
            excluded.token_algorithm, excluded.token_digest, excluded.created_at, \
            excluded.updated_at, excluded.suspended_at, excluded.suspended_reason, \
            excluded.revision, excluded.position) \
        WHERE t.position < excluded.position";
    let rows = rows(changed, WorkspaceState::present);
    if rows.is_empty() {
        return Ok(());
    }
    let values = arrays!(row in rows =>
        row.value.workspace_id.uuid(),
        row.value.created_by.as_str(),
        row.value.name.as_str(),
        row.value.token.kid.bits().as_slice(),
        i32::from(row.value.token.pepper.0),
        algorithm(row.value.token.algorithm),
        row.value.token.digest.0.as_slice(),
        Moment(row.value.created_at),
        Moment(row.value.updated_at),
        row.value.suspended.as_ref().map(|(at, _)| Moment(*at)),
        row.value
            .suspended
            .as_ref()
            .map(|(_, reason)| reason.as_str()),
        row.revision,
        row.position,
    );
    transaction.execute(SQL, &values).await?;
    Ok(())
}
