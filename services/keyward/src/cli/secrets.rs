//! `keyward operator-token new`: the file that every node of a deployment needs beside the key ring, made
//! with mode 0600. It is never printed.

use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;
use super::output::line;
use crate::config::Config;
use crate::operator::OperatorToken;

#[derive(Debug, Subcommand)]
pub(super) enum OperatorTokenCommand {
    /// Make a new token in the file that --operator-token-file names; refused if it exists
    New,
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
