//! What the gateway beside the service asks for verdicts with, where everything is on one machine: a service
//! credential that may verify and nothing else, made at the first start and kept in the folder.
//!
//! One that is lost or revoked is made anew at the next start, and its predecessors are revoked, so that
//! there is one at most that counts. One that the operator has put there himself is left alone while it counts.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::service_credential::{Bounds, Permission, Proof, ServiceCredentialCommand};
use domain::{CredentialKind, Env, Name, ServiceCredentialId};
use eventlog::Metadata;
use readmodel::service_credentials::{self, ServiceCredentialFilter};
use readmodel::{Order, PageRequest};
use verifier::{CallerRefusal, KnownCaller};
use zeroize::Zeroizing;

use crate::cli::Failure;
use crate::commands::{Envelope, Intent, Outcome};
use crate::config::{Config, DatabaseChoice};
use crate::entropy;
use crate::node::Node;

/// Who made it, as events have it.
const MAKER: &str = "gateway beside the service";

/// Where it is.
pub(super) fn path(config: &Config) -> PathBuf {
    config.folder.join("gateway-credential")
}

/// Whether it is made here. On a database of the operator's it is the operator's choice.
pub(super) fn made_here(config: &Config) -> bool {
    matches!(config.database, DatabaseChoice::Managed { .. }) && config.gateway.is_some()
}

/// Sees to it that there is one. The verifier must know all callers by now.
pub(super) async fn ensure(config: &Config, node: &Arc<Node>) -> Result<(), Failure> {
    let path = path(config);
    let Some(why) = lacking(node, &path) else {
        return Ok(());
    };
    let before = predecessors(node).await?;
    let now = node.clock.now();
    let id = ServiceCredentialId::new(entropy::uuid_v7(now)?);
    let drawn = node.draw(CredentialKind::ServiceCredential, Env::Live, None, id.uuid())?;
    let create = ServiceCredentialCommand::Create {
        service_credential_id: id,
        created_by: MAKER.to_owned(),
        name: Name::new(MAKER)?,
        permissions: vec![Permission::Verify],
        bounds: Bounds::default(),
        proof: Proof::Secret(drawn.record),
        now,
    };
    let mut intents = vec![Intent::ServiceCredential(id, create, None)];
    for one in &before {
        let revoke = ServiceCredentialCommand::Revoke { now };
        intents.push(Intent::ServiceCredential(*one, revoke, None));
    }
    let metadata = Metadata { actor: MAKER.to_owned(), ..Metadata::default() };
    let envelope = Envelope { workspace_id: None, metadata };
    match node.commands.execute(&envelope, &intents, |_, _| Ok(None)).await? {
        Outcome::Committed(done) => node.settle(done.position).await,
        Outcome::Repeated(_) => {}
    }
    write(&path, drawn.text.expose())?;
    tracing::info!(service_credential_id = %id, revoked = before.len(), "made a credential for /verify: {why}");
    Ok(())
}

/// Why one must be made; none if the one that is there will do.
fn lacking(node: &Node, path: &Path) -> Option<&'static str> {
    let Ok(text) = fs::read_to_string(path).map(Zeroizing::new) else {
        return Some("there was none");
    };
    match node.verifier.load().caller(text.trim(), node.secret_check()) {
        Ok(KnownCaller::ServiceCredential { permissions, .. })
            if permissions.allows(Permission::Verify) =>
        {
            None
        }
        Ok(KnownCaller::ServiceCredential { .. } | KnownCaller::Workspace { .. }) => {
            tracing::error!(path = %path.display(), "the credential for /verify may not verify");
            None
        }
        Err(CallerRefusal::Quarantined) => None,
        Err(CallerRefusal::Malformed | CallerRefusal::Unknown) => {
            Some("the one that was there does not count, or no more")
        }
    }
}

/// Those that were made here before and still count.
async fn predecessors(node: &Node) -> Result<Vec<ServiceCredentialId>, Failure> {
    let client = node.database.pool().get().await?;
    let filter = ServiceCredentialFilter { workspace: None, include_dead: false };
    let page = PageRequest::first(PageRequest::MAX_SIZE, Order::NewestFirst);
    let listed = service_credentials::list(&**client, &filter, &page).await?;
    let all = listed.rows.into_iter().map(|row| row.service_credential);
    let ours = all.filter(|one| one.created_by == MAKER);
    Ok(ours.map(|one| one.service_credential_id).collect())
}

/// Writes it, whole or not at all, for nobody else to read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut open = OpenOptions::new();
    let mut file = open.write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(draft, path)
}
