//! What the RPCs that change one existing key have in common: find it, decide, answer with it.

use std::sync::Arc;

use api::v1 as wire;
use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::{KeyId, WorkspaceId};
use jiff::Timestamp;
use prost::Message;

use super::call::Call;
use super::mutation::{Mutation, Reply, Wait};
use super::status::{Refusal, Resource};
use super::{convert, fields, standing};
use crate::commands::{CommandError, Folded, Intent, Subject};
use crate::node::Node;

/// The fields that every request on one key has.
pub(super) struct OnKey<'a, Asked> {
    pub(super) asked: &'a Asked,
    pub(super) workspace_id: &'a str,
    pub(super) key_id: &'a str,
    pub(super) etag: &'a str,
    pub(super) request_id: &'a str,
    pub(super) wait: Wait,
}

/// What `$request` asks of one key: all such messages name these fields alike.
macro_rules! on_key {
    ($request:ident, $wait:expr) => {
        $crate::grpc::switch::OnKey {
            asked: &$request,
            workspace_id: &$request.workspace_id,
            key_id: &$request.key_id,
            etag: &$request.etag,
            request_id: &$request.request_id,
            wait: $wait,
        }
    };
}
pub(super) use on_key;

/// The key of a request, as it was just before the change.
pub(super) struct Found {
    /// The key.
    pub(super) key: ApiKey,
    /// The owner's e-mail address to answer with. Opened before the change: an answer must not fail
    /// after it.
    pub(super) owner_email: String,
    etag: Option<u64>,
}

impl<Asked: Message> OnKey<'_, Asked> {
    /// Runs `command` on the key and answers with `reply` of what the key is then.
    pub(super) async fn run<R: Reply>(
        self,
        node: Arc<Node>,
        call: Call,
        command: impl FnOnce(Timestamp) -> ApiKeyCommand,
        reply: impl Fn(Option<wire::ApiKey>) -> R + Send + Sync,
    ) -> Result<R, Refusal> {
        let found = self.find(&node, &call).await?;
        self.change(&node, &call, found, command, reply).await
    }

    /// The first half of [`OnKey::run`]: the key, if this caller may change it.
    pub(super) async fn find(&self, node: &Node, call: &Call) -> Result<Found, Refusal> {
        let (workspace, key_id) = call.key(self.workspace_id, self.key_id, Resource::ApiKey)?;
        standing::decidable(node, workspace)?;
        let etag = fields::etag(self.etag)?;
        let key = visible(node, call, workspace, key_id).await?;
        let owner_email = opened_owner_email(node, &key).await?;
        Ok(Found { key, owner_email, etag })
    }

    /// The second half of [`OnKey::run`].
    pub(super) async fn change<R: Reply>(
        &self,
        node: &Node,
        call: &Call,
        found: Found,
        command: impl FnOnce(Timestamp) -> ApiKeyCommand,
        reply: impl Fn(Option<wire::ApiKey>) -> R + Send + Sync,
    ) -> Result<R, Refusal> {
        let ApiKey { workspace_id: workspace, key_id, .. } = found.key;
        let now = node.clock.now();
        let intent = Intent::ApiKey(workspace, key_id, command(now), found.etag);
        let mutation = Mutation {
            call,
            asked: self.asked,
            request_id: self.request_id,
            workspace: Some(workspace),
            missing: (Resource::ApiKey, key_id.to_string()),
            wait: self.wait,
        };
        let answer = |folded: &[Folded]| {
            reply(folded.first().and_then(|folded| {
                present(folded).map(|key| {
                    let email = found.owner_email.clone();
                    convert::api_key(&node.brand, key, folded.revision, email, now)
                })
            }))
        };
        mutation.run(node, &[intent], answer).await
    }
}

fn present(folded: &Folded) -> Option<&ApiKey> {
    match &folded.subject {
        Subject::ApiKey(state) => state.present(),
        Subject::Workspace(_)
        | Subject::Config(_)
        | Subject::AuthTokens(_)
        | Subject::ServiceCredential(_) => None,
    }
}

/// The key as the log has it, if it is there for this caller. Not from the read model, which may lag:
/// a key that was just made must be found, and a revocation must not wait for a projection.
pub(super) async fn visible(
    node: &Node,
    call: &Call,
    workspace: WorkspaceId,
    key_id: KeyId,
) -> Result<ApiKey, Refusal> {
    let missing = || Refusal::not_found(Resource::ApiKey, key_id.to_string());
    let known = node.commands.api_key(workspace, key_id).await.map_err(|error| {
        if matches!(error, CommandError::Rejected(domain::Rejection::NotFound)) {
            return missing();
        }
        error.into()
    })?;
    if call.caller.envs().contains(known.settings.env) { Ok(known) } else { Err(missing()) }
}

/// The owner's e-mail address of a key; empty if it has none or if it was erased.
pub(super) async fn opened_owner_email(node: &Node, key: &ApiKey) -> Result<String, Refusal> {
    let Some(sealed) = &key.settings.owner.email else {
        return Ok(String::new());
    };
    let opened = node
        .data_keys
        .open_personal(key.workspace_id, key.key_id.uuid(), "owner_email", sealed)
        .await?;
    Ok(opened.unwrap_or_default())
}
