//! `keyward rebuild`: builds a read model anew beside the old one and switches in one transaction.

use std::process::ExitCode;

use clap::ValueEnum;
use eventlog::{ChainMac, Checkpoints, Database, Position, Projection};

use super::Failure;
use super::output::{Progress, line};
use crate::config::Config;
use crate::storage;

/// Which read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// Keys and their credentials
    Keys,
    /// Configurations
    Configs,
    /// Workspaces and service credentials
    Workspaces,
    /// Every one, in turn
    All,
}

pub(super) async fn run(config: &Config, which: Which) -> Result<ExitCode, Failure> {
    let storage = storage::open_for_command(config).await?;
    let chain = storage::chain_mac(&storage::key_ring(config)?);
    let database = &storage.owner;
    if matches!(which, Which::Keys | Which::All) {
        one(database, &chain, &readmodel::keys::Keys).await?;
    }
    if matches!(which, Which::Configs | Which::All) {
        one(database, &chain, &readmodel::config::Configs).await?;
    }
    if matches!(which, Which::Workspaces | Which::All) {
        one(database, &chain, &readmodel::workspaces::Workspaces).await?;
    }
    if let Some(managed) = storage.managed {
        managed.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(
    database: &Database,
    chain: &ChainMac,
    projection: &impl Projection,
) -> Result<(), Failure> {
    let name = projection.name();
    let mut progress = Progress::new(name);
    let show = |done: Position, head: Position| progress.at(done.get(), head.get());
    let position =
        eventlog::rebuild(database, chain, projection, &Checkpoints::new(database), show).await?;
    progress.end();
    line(&format!("{name}: rebuilt up to position {position}"))?;
    Ok(())
}
