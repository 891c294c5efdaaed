//! The demo workspace: made once on an empty private database, so that there is something to try.
//!
//! Its token is never lost for good: the workspace is noted as not shown before it is made, and as
//! shown after the token was printed. Whatever ends the program in between, the next start finds the
//! note, replaces the token and prints the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use domain::workspace::WorkspaceCommand;
use domain::{CredentialKind, Env, Name, Rejection, SecretText, WorkspaceId};
use eventlog::Metadata;

use crate::cli::Failure;
use crate::commands::{CommandError, Envelope, Intent, Outcome};
use crate::config::Config;
use crate::entropy;
use crate::node::{Drawn, Node};

/// What stands behind the id of a workspace whose token was not printed yet.
const NOT_SHOWN: &str = "not shown";

/// The demo workspace.
pub(super) struct Demo {
    /// Its id.
    pub(super) workspace: WorkspaceId,
    /// Its token.
    pub(super) token: Token,
}

/// The token of the demo workspace.
pub(super) enum Token {
    /// Made just now, with the workspace.
    New(SecretText),
    /// Made just now in place of one that may not have been shown.
    Replaced(SecretText),
    /// Shown at an earlier start.
    Shown,
}

impl Demo {
    /// Notes that the token was printed.
    ///
    /// # Errors
    /// The note can't be written.
    pub(super) fn note_shown(&self, config: &Config) -> io::Result<()> {
        match self.token {
            Token::New(_) | Token::Replaced(_) => note(config, &format!("{}\n", self.workspace)),
            Token::Shown => Ok(()),
        }
    }
}

/// The demo workspace of this folder; made if the log has no workspace at all.
pub(super) async fn workspace(config: &Config, node: &Arc<Node>) -> Result<Option<Demo>, Failure> {
    if node.verifier.load().counts().workspaces == 0 {
        return make(config, node).await.map(Some);
    }
    let noted = fs::read_to_string(noted_in(config)).unwrap_or_default();
    let (id, state) = noted.trim().split_once(' ').unwrap_or((noted.trim(), ""));
    let Ok(workspace) = id.parse() else {
        return Ok(None);
    };
    if state != NOT_SHOWN {
        return Ok(Some(Demo { workspace, token: Token::Shown }));
    }
    tracing::warn!(%workspace, "the token of the demo workspace may not have been shown: making a new one");
    replace_token(node, workspace).await
}

async fn make(config: &Config, node: &Arc<Node>) -> Result<Demo, Failure> {
    let now = node.clock.now();
    let workspace = WorkspaceId::new(entropy::uuid_v7(now)?);
    let drawn = draw(node, workspace)?;
    let create = WorkspaceCommand::Create {
        workspace_id: workspace,
        created_by: "demo".to_owned(),
        name: Name::new("demo")?,
        token: drawn.record,
        now,
    };
    note(config, &format!("{workspace} {NOT_SHOWN}\n"))?;
    execute(node, workspace, create).await?;
    Ok(Demo { workspace, token: Token::New(drawn.text) })
}

async fn replace_token(node: &Arc<Node>, workspace: WorkspaceId) -> Result<Option<Demo>, Failure> {
    let drawn = draw(node, workspace)?;
    let reset = WorkspaceCommand::ResetToken { token: drawn.record, now: node.clock.now() };
    match execute(node, workspace, reset).await {
        Ok(()) => Ok(Some(Demo { workspace, token: Token::Replaced(drawn.text) })),
        // Noted, and never made: the log had other workspaces by the next start.
        Err(CommandError::Rejected(Rejection::NotFound)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn draw(node: &Node, workspace: WorkspaceId) -> Result<Drawn, vault::NoEntropy> {
    node.draw(CredentialKind::WorkspaceToken, Env::Live, Some(workspace), workspace.uuid())
}

async fn execute(
    node: &Arc<Node>,
    workspace: WorkspaceId,
    command: WorkspaceCommand,
) -> Result<(), CommandError> {
    let metadata = Metadata { actor: "demo".to_owned(), ..Metadata::default() };
    let envelope = Envelope { workspace_id: Some(workspace), metadata };
    let intents = [Intent::Workspace(workspace, command, None)];
    match node.commands.execute(&envelope, &intents, |_, _| Ok(None)).await? {
        Outcome::Committed(done) => node.settle(done.position).await,
        Outcome::Repeated(_) => {}
    }
    Ok(())
}

/// Writes the note, whole or not at all.
fn note(config: &Config, text: &str) -> io::Result<()> {
    let path = noted_in(config);
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// Where its id is kept for the next start. Not its token.
fn noted_in(config: &Config) -> PathBuf {
    config.folder.join("demo-workspace")
}
