//! The demo workspace: made once on an empty private database, so that there is something to try.

use std::path::PathBuf;
use std::sync::Arc;

use domain::workspace::WorkspaceCommand;
use domain::{CredentialKind, Env, Name, SecretText, WorkspaceId};
use eventlog::Metadata;

use crate::cli::Failure;
use crate::commands::{Envelope, Intent, Outcome};
use crate::config::Config;
use crate::entropy;
use crate::node::Node;

/// The demo workspace.
pub(super) struct Demo {
    /// Its id.
    pub(super) workspace: WorkspaceId,
    /// Its token, if it was made just now.
    pub(super) token: Option<SecretText>,
}

/// The demo workspace of this folder; made if the log has no workspace at all.
pub(super) async fn workspace(config: &Config, node: &Arc<Node>) -> Result<Option<Demo>, Failure> {
    if node.verifier.load().counts().workspaces > 0 {
        let known = std::fs::read_to_string(remembered(config)).unwrap_or_default();
        return Ok(known.trim().parse().ok().map(|workspace| Demo { workspace, token: None }));
    }
    let now = node.clock.now();
    let workspace = WorkspaceId::new(entropy::uuid_v7(now)?);
    let kind = CredentialKind::WorkspaceToken;
    let drawn = node.draw(kind, Env::Live, Some(workspace), workspace.uuid())?;
    let create = WorkspaceCommand::Create {
        workspace_id: workspace,
        created_by: "demo".to_owned(),
        name: Name::new("demo")?,
        token: drawn.record.clone(),
        now,
    };
    let metadata = Metadata { actor: "demo".to_owned(), ..Metadata::default() };
    let envelope = Envelope { workspace_id: Some(workspace), metadata };
    let intents = [Intent::Workspace(workspace, create, None)];
    match node.commands.execute(&envelope, &intents, |_, _| Ok(None)).await? {
        Outcome::Committed(done) => node.settle(done.position).await,
        Outcome::Repeated(_) => {}
    }
    std::fs::write(remembered(config), format!("{workspace}\n"))?;
    Ok(Some(Demo { workspace, token: Some(drawn.text) }))
}

/// Where its id is kept for the next start. Not its token.
fn remembered(config: &Config) -> PathBuf {
    config.folder.join("demo-workspace")
}
