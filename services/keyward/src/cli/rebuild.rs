//! `keyward rebuild`: builds a read model anew beside the old one and switches in one transaction.

use std::process::ExitCode;

use clap::ValueEnum;
use eventlog::Position;

use super::Failure;
use super::output::{Progress, line};
use crate::config::Config;
use crate::rebuild::ReadModel;
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
    let models: &[ReadModel] = match which {
        Which::Keys => &[ReadModel::Keys],
        Which::Configs => &[ReadModel::Configs],
        Which::Workspaces => &[ReadModel::Workspaces],
        Which::All => &ReadModel::ALL,
    };
    for model in models {
        let name = model.name();
        let mut progress = Progress::new(name, "events");
        let show = |done: Position, head: Position| progress.at(done.get(), head.get());
        let position = model.rebuild(&storage.owner, &chain, show).await?;
        progress.end();
        line(&format!("{name}: rebuilt up to position {position}"))?;
    }
    if let Some(managed) = storage.managed {
        managed.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}
