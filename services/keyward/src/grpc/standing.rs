//! Whether anything can be decided for a workspace, and whether it is there: asked of the verifier by
//! every RPC that manages or reads one, whoever calls, once the caller is known to have a say in it.
//!
//! What the verifier knows counts only while this node is fresh. That holds for the operator too: he is
//! known by his token alone, so that a node which is not fresh still makes workspaces and ends service
//! credentials, but here it would decide by facts that may have ended.

use domain::WorkspaceId;
use verifier::{Verifier, WorkspaceFacts};

use super::caller::foreign;
use super::status::{Refusal, quarantined};
use crate::node::Node;

/// The facts of a workspace, or none if it is not there, which is the caller's to refuse.
///
/// # Errors
/// It is quarantined, or this node is not fresh.
pub(super) fn decidable(
    node: &Node,
    workspace: WorkspaceId,
) -> Result<Option<WorkspaceFacts>, Refusal> {
    match fresh(node, |verifier| verifier.workspace(workspace))? {
        Some(facts) if facts.quarantined => Err(quarantined("this workspace")),
        known => Ok(known),
    }
}

/// The facts of a workspace that must be there.
///
/// # Errors
/// As [`decidable`]; or it is not there.
pub(super) fn existing(node: &Node, workspace: WorkspaceId) -> Result<WorkspaceFacts, Refusal> {
    decidable(node, workspace)?.ok_or_else(|| foreign(workspace))
}

/// Refuses a list of service credentials that may lack one, or show one as it no longer is.
///
/// # Errors
/// One is quarantined, or this node is not fresh.
pub(super) fn service_credentials_decidable(node: &Node) -> Result<(), Refusal> {
    if fresh(node, Verifier::any_service_credential_quarantined)? {
        return Err(quarantined("a service credential"));
    }
    Ok(())
}

/// What `ask` finds in the verifier, if this node is fresh.
fn fresh<T>(node: &Node, ask: impl FnOnce(&Verifier) -> T) -> Result<T, Refusal> {
    let begun = node.freshness.begin();
    let found = ask(&node.verifier.load());
    node.freshness.end(begun)?;
    Ok(found)
}
