//! Folds key events into `keys` and `credentials`.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::api_key::{ApiKeyEvent, ApiKeyState};
use domain::{Event, KeyId, Noun};
use eventlog::{Projection, RecordedEvent};
use uuid::Uuid;

use super::query::{select, stored};
use super::write::{write_credentials, write_keys};
use crate::fold::{self, FoldError, Folding, SCHEMA, Step, Streams, Version, advance, put, rows};
use crate::quarantine;

/// The projection `keys`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keys;

impl Projection for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn tables(&self) -> &'static [&'static str] {
        &["keys", "credentials", "keys_quarantine"]
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
    let batch = fold::read(batch, &[Noun::ApiKey])?;
    let streams = streams(batch.steps);
    let known = known(transaction, &streams).await?;
    let versions = advance(known, &streams);
    let rows = rows(&versions, ApiKeyState::present);
    write_keys(transaction, &rows).await?;
    write_credentials(transaction, &rows).await?;
    quarantine::record_workspaces(transaction, "keys_quarantine", &batch.unreadable).await
}

fn streams(steps: Vec<Step<Event>>) -> Streams<KeyId, ApiKeyEvent> {
    let mut streams = Streams::new();
    for step in steps {
        match step.event {
            Event::ApiKey(event) => {
                let place = (step.position, step.revision);
                put(&mut streams, event.key_id(), place, event);
            }
            // Nothing here is about a key's own row.
            Event::Workspace(_)
            | Event::Config(_)
            | Event::AuthToken(_)
            | Event::ServiceCredential(_)
            | Event::Reveal(_) => {}
        }
    }
    streams
}

/// The rows of the keys that did not begin in this batch.
async fn known(
    transaction: &Transaction<'_>,
    streams: &Streams<KeyId, ApiKeyEvent>,
) -> Result<HashMap<KeyId, Version<ApiKeyState>>, FoldError> {
    let begins = |event: &ApiKeyEvent| matches!(event, ApiKeyEvent::Created(_));
    let older: Vec<Uuid> = fold::older(streams, begins).map(|id| id.uuid()).collect();
    if older.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = select("", "keys", "WHERE k.key_id = ANY ($1)");
    let rows = transaction.query(&sql, &[&older]).await?;
    let version = |row| {
        let (row, position) = stored(row)?;
        let (key_id, revision) = (row.key.key_id, row.revision);
        let state = ApiKeyState::Present(Box::new(row.key));
        Ok((key_id, Version { state, revision, position }))
    };
    rows.iter().map(version).collect()
}
