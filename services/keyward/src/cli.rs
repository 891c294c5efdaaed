//! The command line: what can be typed, and which exit code it ends with.
//!
//! 0: done. 1: failed, with one line on standard error that says what to do. 2: wrong usage. 3:
//! `verify-log` found the log unsound.

mod descriptors;
mod events;
mod keyring;
mod migrate;
mod output;
mod rebuild;
mod secrets;
mod serve;
mod verify_log;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use settings::refuse_unknown_variables;

use crate::config::{Config, Settings};
use output::fail;

/// What a command ends with, if not with success.
type Failure = Box<dyn Error + Send + Sync>;

/// The API-key service that runs beside your own Postgres.
///
/// Without a command it serves. Without --database-url it runs a private Postgres of its own, which
/// is for trying and for development.
#[derive(Debug, Parser)]
#[command(name = "keyward", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Bring the tables up to date, as the migrator
    Migrate,
    /// Build a read model anew from the log, while the service runs
    Rebuild {
        /// Which one
        #[arg(value_enum)]
        projection: rebuild::Which,
    },
    /// Check every event, every MAC and the head of the log
    VerifyLog,
    /// Make the key ring of a deployment, and rotate its keys
    #[command(subcommand)]
    Keyring(keyring::KeyringCommand),
    /// Make the operator's token of a deployment
    #[command(subcommand)]
    OperatorToken(secrets::OperatorTokenCommand),
    /// Make workspaces and reset their tokens
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    /// Read the log
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Write the descriptors of the API, encoded, for transcoders and clients
    Descriptors,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = configure(arguments.settings).and_then(|config| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ran = runtime.block_on(run(arguments.command.unwrap_or(Command::Serve), config));
        runtime.shutdown_background();
        ran
    });
    ran.unwrap_or_else(|error| fail(&*error))
}

fn configure(settings: Settings) -> Result<Config, Failure> {
    let (program, help) = (Arguments::command(), "keyward serve --help");
    refuse_unknown_variables(&program, "KEYWARD_", help)?;
    Ok(Config::resolve(settings)?)
}

async fn run(command: Command, config: Config) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Rebuild { projection } => rebuild::run(&config, projection).await,
        Command::VerifyLog => verify_log::run(&config).await,
        Command::Keyring(command) => keyring::run(&config, command).await,
        Command::OperatorToken(command) => secrets::operator_token(&config, &command),
        Command::Workspace(command) => workspace::run(&config, command).await,
        Command::Events(command) => events::run(&config, command).await,
        Command::Descriptors => descriptors::run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
