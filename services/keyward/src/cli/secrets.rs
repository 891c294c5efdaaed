//! `keyward keyring new` and `keyward operator-token new`: the two files that every node of a deployment
//! needs, made with mode 0600. Neither is ever printed.

use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;
use super::output::line;
use crate::config::Config;
use crate::operator::OperatorToken;
use crate::storage;

#[derive(Debug, Subcommand)]
pub(super) enum KeyringCommand {
    /// Make a new key ring in the file that --keyring names; refused if it exists
    New,
}

#[derive(Debug, Subcommand)]
pub(super) enum OperatorTokenCommand {
    /// Make a new token in the file that --operator-token-file names; refused if it exists
    New,
}

pub(super) fn keyring(config: &Config, command: &KeyringCommand) -> Result<ExitCode, Failure> {
    let KeyringCommand::New = command;
    storage::new_key_ring(&config.keyring)?;
    line(&format!(
        "made {}: every node needs this file; without it no key verifies",
        config.keyring.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn operator_token(
    config: &Config,
    command: &OperatorTokenCommand,
) -> Result<ExitCode, Failure> {
    let OperatorTokenCommand::New = command;
    OperatorToken::make(&config.operator_token_file)?;
    line(&format!("made {}: every node needs this file", config.operator_token_file.display()))?;
    Ok(ExitCode::SUCCESS)
}
