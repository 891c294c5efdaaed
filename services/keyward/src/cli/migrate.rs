//! `keyward migrate`: brings the tables up to date. Safe to run from several machines at once.

use std::process::ExitCode;

use super::Failure;
use super::output::line;
use crate::config::Config;
use crate::storage;

pub(super) async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let applied = storage::migrate(config).await?;
    for file in &applied {
        line(&format!("applied {file}"))?;
    }
    if applied.is_empty() {
        line("nothing to do: the tables are up to date")?;
    }
    Ok(ExitCode::SUCCESS)
}
