//! What the RPCs on the configuration of one key have in common: find it, change it, answer with it.
//!
//! A change of a configuration asks the key as well, in the same append: a key that is revoked or
//! deleted takes none, and it must still be so when the change is written.

use api::v1 as wire;
use domain::api_key::{ApiKey, ApiKeyCommand, Changes};
use domain::config::{Config, ConfigCommand};
use domain::{EmailAddress, KeyId, Rejection, Sealed, WorkspaceId};
use eventlog::RecordedEvent;
use jiff::Timestamp;
use prost::Message;

use super::call::Call;
use super::convert::{self, OpenedConfig};
use super::mutation::{Mutation, Reply};
use super::status::{Refusal, Resource};
use super::switch::OnKey;
use super::{fields, standing};
use crate::commands::{CommandError, Configured, Folded, Intent, Subject};
use crate::data_keys::Sealer;
use crate::node::Node;

/// The name under which a sender's address is sealed.
const FROM_EMAIL: &str = "email.from_email";
/// The name under which an owner's address is sealed.
const OWNER_EMAIL: &str = "owner_email";

/// The configuration of a request, as it was just before the change.
pub(super) struct Found {
    /// The key and its configuration.
    pub(super) before: Configured,
    /// What the vault opened of them, to answer with. Opened before the change: an answer must not fail
    /// after it.
    pub(super) opened: OpenedConfig,
    etag: Option<u64>,
}

/// The configuration that `asked` is about.
///
/// # Errors
/// There is none, or none for this caller; a field is malformed.
pub(super) async fn find<Asked>(
    asked: &OnKey<'_, Asked>,
    node: &Node,
    call: &Call,
) -> Result<Found, Refusal> {
    let (workspace, key_id) = call.key(asked.workspace_id, asked.key_id, Resource::Config)?;
    standing::decidable(node, workspace)?;
    let etag = fields::etag(asked.etag)?;
    let before = visible(node, call, workspace, key_id, |_| true).await?;
    let opened = opened(node, &before).await?;
    Ok(Found { before, opened, etag })
}

/// A key and its configuration as the log has them, as far as `is_past` holds, if they are there for
/// this caller.
///
/// # Errors
/// They are not; the log does not answer.
pub(super) async fn visible(
    node: &Node,
    call: &Call,
    workspace: WorkspaceId,
    key_id: KeyId,
    is_past: impl Fn(&RecordedEvent) -> bool + Send,
) -> Result<Configured, Refusal> {
    let missing = || Refusal::not_found(Resource::Config, key_id.to_string());
    let known = node.commands.config(workspace, key_id, is_past).await.map_err(|error| {
        if matches!(error, CommandError::Rejected(Rejection::NotFound)) {
            return missing();
        }
        error.into()
    })?;
    let env = known.key.settings.env;
    if call.caller.envs().contains(env) { Ok(known) } else { Err(missing()) }
}

/// What is sealed of a configuration and shown: empty where nothing is, or where it was erased.
///
/// # Errors
/// The database does not answer, or a seal does not open.
pub(super) async fn opened(node: &Node, known: &Configured) -> Result<OpenedConfig, Refusal> {
    let (owner, email) = (&known.key.settings.owner, &known.config.settings.email);
    let (workspace, key_id) = (known.key.workspace_id, known.key.key_id);
    open(node, workspace, key_id, owner.email.as_ref(), email.from_email.as_ref()).await
}

/// As [`opened`], of what is sealed.
///
/// # Errors
/// As [`opened`].
pub(super) async fn open(
    node: &Node,
    workspace: WorkspaceId,
    key_id: KeyId,
    owner_email: Option<&Sealed>,
    from_email: Option<&Sealed>,
) -> Result<OpenedConfig, Refusal> {
    let open = async |field: &str, sealed: Option<&Sealed>| match sealed {
        Some(sealed) => node
            .data_keys
            .open_personal(workspace, key_id.uuid(), field, sealed)
            .await
            .map(Option::unwrap_or_default),
        None => Ok(String::new()),
    };
    Ok(OpenedConfig {
        owner_email: open(OWNER_EMAIL, owner_email).await?,
        from_email: open(FROM_EMAIL, from_email).await?,
    })
}

impl Found {
    /// What becomes of the owner's address that is to be `email`: nothing if it is that already.
    ///
    /// # Errors
    /// The database does not answer, or no random bytes.
    pub(super) async fn sealed_owner(
        &mut self,
        node: &Node,
        email: Option<&EmailAddress>,
    ) -> Result<Option<Option<Sealed>>, Refusal> {
        let key = &self.before.key;
        let stored = key.settings.owner.email.as_ref();
        resealed(node, key, OWNER_EMAIL, stored, &mut self.opened.owner_email, email).await
    }

    /// The same for the sender's address.
    ///
    /// # Errors
    /// As [`Found::sealed_owner`].
    pub(super) async fn sealed_sender(
        &mut self,
        node: &Node,
        email: Option<&EmailAddress>,
    ) -> Result<Option<Option<Sealed>>, Refusal> {
        let Configured { key, config, .. } = &self.before;
        let stored = config.settings.email.from_email.as_ref();
        resealed(node, key, FROM_EMAIL, stored, &mut self.opened.from_email, email).await
    }
}

/// `opened` is what was read of `stored`, and becomes what is to be shown. Sealed anew only if it is
/// another text, or if the old one can't be read any more: the same text sealed twice is two facts.
async fn resealed(
    node: &Node,
    key: &ApiKey,
    field: &str,
    stored: Option<&Sealed>,
    opened: &mut String,
    email: Option<&EmailAddress>,
) -> Result<Option<Option<Sealed>>, Refusal> {
    let text = email.map(EmailAddress::as_str).unwrap_or_default();
    let unreadable = opened.is_empty() && stored.is_some();
    if text == opened && !unreadable {
        return Ok(None);
    }
    text.clone_into(opened);
    let Some(email) = email else {
        return Ok(Some(None));
    };
    let dek = node.data_keys.active(key.workspace_id, key.key_id, node.clock.now()).await?;
    let sealer = Sealer { dek: &dek, resource: key.key_id.uuid() };
    Ok(Some(Some(sealer.personal(field, email.as_str())?)))
}

/// Does `command`, and `of_key` to the key, or neither; answers with `reply` of the configuration then.
///
/// # Errors
/// The refusal to answer with.
pub(super) async fn change<Asked: Message, R: Reply>(
    asked: &OnKey<'_, Asked>,
    node: &Node,
    call: &Call,
    found: Found,
    of_key: Changes,
    command: impl FnOnce(Timestamp) -> ConfigCommand,
    reply: impl Fn(Option<wire::Config>) -> R + Send + Sync,
) -> Result<R, Refusal> {
    let ApiKey { workspace_id: workspace, key_id, .. } = found.before.key;
    let now = node.clock.now();
    let update = ApiKeyCommand::Update { changes: Box::new(of_key), now };
    let intents = [
        Intent::ApiKey(workspace, key_id, update, None),
        Intent::Config(key_id, command(now), found.etag),
    ];
    let mutation = Mutation {
        call,
        asked: asked.asked,
        request_id: asked.request_id,
        workspace: Some(workspace),
        missing: (Resource::Config, key_id.to_string()),
        wait: asked.wait,
    };
    let answer = |folded: &[Folded]| {
        let known = || {
            let [key, config] = folded else { return None };
            let (key, revision) = (key_of(key)?, config.revision);
            let (domains, opened) = (&key.settings.domains, found.opened.clone());
            Some(convert::config(config_of(config)?, revision, domains, opened))
        };
        reply(known())
    };
    mutation.run(node, &intents, answer).await
}

fn key_of(folded: &Folded) -> Option<&ApiKey> {
    match &folded.subject {
        Subject::ApiKey(state) => state.present(),
        Subject::Workspace(_)
        | Subject::Config(_)
        | Subject::AuthTokens(_)
        | Subject::ServiceCredential(_) => None,
    }
}

fn config_of(folded: &Folded) -> Option<&Config> {
    match &folded.subject {
        Subject::Config(state) => state.present(),
        Subject::Workspace(_)
        | Subject::ApiKey(_)
        | Subject::AuthTokens(_)
        | Subject::ServiceCredential(_) => None,
    }
}
