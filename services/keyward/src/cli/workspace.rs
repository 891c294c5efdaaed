//! `keyward workspace`: makes a workspace or resets its token, straight on the log. Needs the key ring,
//! and no running service: every running one follows.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use domain::workspace::WorkspaceCommand as Wish;
use domain::{
    Binding, CredentialKind, CredentialRecord, DigestAlgorithm, Env, Name, SecretText, WorkspaceId,
};
use eventlog::{EventLog, EventLogOptions, Metadata};

use super::Failure;
use super::output::line;
use crate::clock::Clock;
use crate::commands::{CommandError, Commands, Envelope, Intent};
use crate::config::Config;
use crate::{entropy, storage};

#[derive(Debug, Subcommand)]
pub(super) enum WorkspaceCommand {
    /// Make a workspace and print its id and token; the token is shown this once
    Create {
        /// Its display name, 1 to 128 characters
        name: String,
    },
    /// Replace a workspace's token and print the new one; the old one is dead
    ResetToken {
        /// Which workspace, `ws_...`
        workspace_id: WorkspaceId,
    },
}

pub(super) async fn run(config: &Config, command: WorkspaceCommand) -> Result<ExitCode, Failure> {
    let mut storage = storage::open_for_command(config).await?;
    let managed = storage.managed.take();
    let ran = change(config, &storage, command).await;
    if let Some(managed) = managed {
        managed.stop().await;
    }
    ran
}

async fn change(
    config: &Config,
    storage: &storage::Storage,
    command: WorkspaceCommand,
) -> Result<ExitCode, Failure> {
    let ring = storage::key_ring(config)?;
    storage::check_key_ring(&storage.database, &ring).await?;
    let clock = Clock::default();
    let now = clock.now();
    let (workspace, name) = match command {
        WorkspaceCommand::Create { name } => {
            let name = Name::new(name).map_err(|error| format!("the name {error}"))?;
            (WorkspaceId::new(entropy::uuid_v7(now)?), Some(name))
        }
        WorkspaceCommand::ResetToken { workspace_id } => (workspace_id, None),
    };
    let (kid, secret) = (entropy::kid()?, entropy::secret()?);
    let (kind, env) = (CredentialKind::WorkspaceToken, Env::Live);
    let binding =
        Binding { workspace: Some(workspace), resource: workspace.uuid(), kid, env, kind };
    let (pepper, digest) = ring.peppers().digest(&binding, secret.expose());
    let algorithm = DigestAlgorithm::HmacSha256;
    let token = CredentialRecord { kid, pepper, algorithm, digest };
    let wish = match name {
        Some(name) => {
            Wish::Create { workspace_id: workspace, created_by: ACTOR.to_owned(), name, token, now }
        }
        None => Wish::ResetToken { token, now },
    };
    let chain = storage::chain_mac(&ring);
    let log = EventLog::open(&storage.database, chain, EventLogOptions::default()).await?;
    let commands = Commands::new(log, clock);
    let envelope = Envelope { workspace_id: Some(workspace), metadata: metadata() };
    let intents = [Intent::Workspace(workspace, wish, None)];
    let done = commands.execute(&envelope, &intents, |_, _| Ok(None)).await;
    commands.log().close().await;
    match done {
        Ok(_) => {}
        Err(CommandError::Rejected(domain::Rejection::NotFound)) => {
            return Err(format!("there is no workspace {workspace}").into());
        }
        Err(error) => return Err(error.into()),
    }
    line(&format!("workspace: {workspace}"))?;
    let text = SecretText::new(&config.brand, kind, env, kid, &secret);
    line(&format!("token:     {}", text.expose()))?;
    Ok(ExitCode::SUCCESS)
}

/// Who asks, as events name it.
const ACTOR: &str = "operator:command-line";

fn metadata() -> Metadata {
    Metadata {
        actor: ACTOR.to_owned(),
        credential: None,
        request_id: None,
        client_address: None,
        traceparent: None,
        causation: None,
        extra: BTreeMap::new(),
    }
}
