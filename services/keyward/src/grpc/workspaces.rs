//! What the RPCs that change one existing workspace have in common.

use std::sync::Arc;

use api::v1 as wire;
use domain::WorkspaceId;
use domain::workspace::WorkspaceCommand;
use prost::Message;

use super::call::Call;
use super::mutation::{Mutation, Reply, Wait};
use super::status::{Refusal, Resource};
use super::{convert, fields, standing};
use crate::commands::{Folded, Intent, Subject};
use crate::node::Node;

/// The fields that every request on one workspace has.
pub(super) struct OnWorkspace<'a, Asked> {
    pub(super) asked: &'a Asked,
    pub(super) workspace: WorkspaceId,
    pub(super) etag: &'a str,
    pub(super) request_id: &'a str,
    pub(super) wait: Wait,
}

impl<Asked: Message> OnWorkspace<'_, Asked> {
    /// Runs `command` on the workspace, unless it is quarantined, and answers with `reply` of what it is then.
    pub(super) async fn run<R: Reply>(
        self,
        node: &Arc<Node>,
        call: &Call,
        command: WorkspaceCommand,
        reply: impl Fn(Option<wire::Workspace>) -> R + Send + Sync,
    ) -> Result<R, Refusal> {
        standing::decidable(node, self.workspace)?;
        let intent = Intent::Workspace(self.workspace, command, fields::etag(self.etag)?);
        let mutation = Mutation {
            call,
            asked: self.asked,
            request_id: self.request_id,
            workspace: Some(self.workspace),
            missing: (Resource::Workspace, self.workspace.to_string()),
            wait: self.wait,
        };
        mutation.run(node, &[intent], |folded| reply(resource(node, folded))).await
    }
}

/// The workspace that the first of these is.
pub(super) fn resource(node: &Node, folded: &[Folded]) -> Option<wire::Workspace> {
    let folded = folded.first()?;
    match &folded.subject {
        Subject::Workspace(state) => {
            Some(convert::workspace(&node.brand, state.present()?, folded.revision))
        }
        Subject::ApiKey(_)
        | Subject::Config(_)
        | Subject::AuthTokens(_)
        | Subject::ServiceCredential(_) => None,
    }
}
