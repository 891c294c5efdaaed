//! `keyward events`: reads the log, one JSON object a line, with digests and sealed bytes left out.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eventlog::{LogError, Position, RecordedEvent, StartAt, Subscription, SubscriptionOptions};
use serde_json::{Value, json};

use super::Failure;
use super::output::line;
use crate::config::Config;
use crate::storage;

#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// Print events as they are appended, checking the chain as it goes
    Tail(Tail),
}

#[derive(Debug, Args)]
pub(super) struct Tail {
    /// Begin after this position; without it, at the end of the log
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Stop at the end of the log instead of waiting for more
    #[arg(long)]
    no_follow: bool,
}

pub(super) async fn run(config: &Config, command: EventsCommand) -> Result<ExitCode, Failure> {
    let EventsCommand::Tail(tail) = command;
    let mut storage = storage::open_for_command(config).await?;
    let managed = storage.managed.take();
    let ran = tokio::select! {
        ran = follow(config, &storage, &tail) => ran,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Some(managed) = managed {
        managed.stop().await;
    }
    ran.map(|()| ExitCode::SUCCESS)
}

async fn follow(config: &Config, storage: &storage::Storage, tail: &Tail) -> Result<(), Failure> {
    let chain = storage::chain_mac(&storage::key_ring(config)?);
    let after = match tail.after {
        Some(position) => Position::new(position),
        None if tail.no_follow => Position::ZERO,
        None => head(storage, &chain).await?,
    };
    let start = StartAt::After(after);
    let options = SubscriptionOptions::default();
    let mut subscription = Subscription::open(&storage.owner, chain, start, options).await?;
    let mut at = after;
    loop {
        let batch = match subscription.next_batch().await {
            Ok(batch) => batch,
            Err(error) if error.is_transient() => continue,
            Err(error) => return Err(error.into()),
        };
        for event in &batch.events {
            line(&shown(event)?.to_string())?;
            at = event.position;
        }
        if tail.no_follow && batch.caught_up(at) {
            return Ok(());
        }
    }
}

async fn head(
    storage: &storage::Storage,
    chain: &eventlog::ChainMac,
) -> Result<Position, LogError> {
    let options = eventlog::EventLogOptions::default();
    let log = eventlog::EventLog::open(&storage.owner, chain.clone(), options).await?;
    let head = log.head().await?;
    log.close().await;
    Ok(head.position)
}

fn shown(event: &RecordedEvent) -> Result<Value, LogError> {
    let metadata = event.metadata()?;
    let mut payload = serde_json::from_slice(&event.payload).unwrap_or(Value::Null);
    leave_out(&mut payload);
    Ok(json!({
        "position": event.position.get(),
        "recorded_at": event.recorded_at.to_string(),
        "kind": event.kind,
        "schema": event.schema,
        "stream": event.stream.as_str(),
        "revision": event.revision.get(),
        "workspace_id": event.workspace_id,
        "actor": metadata.actor,
        "client_address": metadata.client_address,
        "request_id": metadata.request_id,
        "payload": payload,
    }))
}

/// Replaces what nobody can read, and nobody needs to see, by an ellipsis.
fn leave_out(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if matches!(name.as_str(), "digest" | "bytes") && member.is_string() {
                    *member = Value::from("...");
                } else {
                    leave_out(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
