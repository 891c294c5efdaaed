//! Folds configuration events into `configs`.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::config::{ConfigEvent, ConfigState};
use domain::{Event, KeyId, Noun};
use eventlog::{Projection, RecordedEvent};
use uuid::Uuid;

use super::query::stored;
use crate::columns::{Moment, json};
use crate::fold::{self, FoldError, Folding, SCHEMA, Step, Streams, Version, advance, put, rows};
use crate::quarantine;
use crate::statement::arrays;

/// The projection `configs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Configs;

impl Projection for Configs {
    fn name(&self) -> &'static str {
        "configs"
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn tables(&self) -> &'static [&'static str] {
        &["configs", "configs_quarantine"]
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
    let batch = fold::read(batch, &[Noun::Config])?;
    let streams = streams(batch.steps);
    let known = known(transaction, &streams).await?;
    write(transaction, &advance(known, &streams)).await?;
    quarantine::record_workspaces(transaction, "configs_quarantine", &batch.unreadable).await
}

fn streams(steps: Vec<Step<Event>>) -> Streams<KeyId, ConfigEvent> {
    let mut streams = Streams::new();
    for step in steps {
        match step.event {
            Event::Config(event) => {
                let place = (step.position, step.revision);
                put(&mut streams, event.key_id(), place, event);
            }
            // Nothing here is about a configuration.
            Event::Workspace(_)
            | Event::ApiKey(_)
            | Event::AuthToken(_)
            | Event::ServiceCredential(_)
            | Event::Reveal(_) => {}
        }
    }
    streams
}

/// The rows of the configurations that did not begin in this batch.
async fn known(
    transaction: &Transaction<'_>,
    streams: &Streams<KeyId, ConfigEvent>,
) -> Result<HashMap<KeyId, Version<ConfigState>>, FoldError> {
    const SQL: &str = "SELECT key_id, workspace_id, settings, created_at, updated_at, revision, \
        position FROM configs WHERE key_id = ANY ($1)";
    let begins = |event: &ConfigEvent| match event {
        ConfigEvent::Created(_) => true,
        ConfigEvent::PlanChanged(_)
        | ConfigEvent::DocumentAccessChanged(_)
        | ConfigEvent::PrivateCommentsSwitched(_)
        | ConfigEvent::JwtRequirementChanged(_)
        | ConfigEvent::AutoOrgUserChanged(_)
        | ConfigEvent::EmailServiceChanged(_)
        | ConfigEvent::WebhookServiceChanged(_)
        | ConfigEvent::SecretPut(_)
        | ConfigEvent::SecretDeleted(_)
        | ConfigEvent::SubjectErased(_) => false,
    };
    let older: Vec<Uuid> = fold::older(streams, begins).map(|id| id.uuid()).collect();
    if older.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = transaction.query(SQL, &[&older]).await?;
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

async fn write(
    transaction: &Transaction<'_>,
    changed: &[Version<ConfigState>],
) -> Result<(), FoldError> {
    const SQL: &str = "\
        INSERT INTO configs AS t (key_id, workspace_id, settings, created_at, updated_at, \
            revision, position) \
        SELECT key_id, workspace_id, settings::json, created_at, updated_at, revision, position \
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], \
            $6::bigint[], $7::bigint[]) \
            AS new (key_id, workspace_id, settings, created_at, updated_at, revision, position) \
        ON CONFLICT (key_id) DO UPDATE SET \
            (workspace_id, settings, created_at, updated_at, revision, position) = \
            (excluded.workspace_id, excluded.settings, excluded.created_at, excluded.updated_at, \
            excluded.revision, excluded.position) \
        WHERE t.position < excluded.position";
    let rows = rows(changed, ConfigState::present);
    if rows.is_empty() {
        return Ok(());
    }
    let values = arrays!(row in rows =>
        row.value.key_id.uuid(),
        row.value.workspace_id.uuid(),
        json(&row.value.settings),
        Moment(row.value.created_at),
        Moment(row.value.updated_at),
        row.revision,
        row.position,
    );
    transaction.execute(SQL, &values).await?;
    Ok(())
}
