//! EraseSubject: what is sealed for the keys of one subject becomes unreadable, for good.
//!
//! Data keys are destroyed first and the log says so afterwards: whoever forgets what he has in memory when
//! he reads that can't fetch it again. A call that fails in between has kept its promise too early, and is
//! repeated.

use std::sync::Arc;

use api::v1::{EraseSubjectRequest, EraseSubjectResponse, erase_subject_request::Subject};
use domain::api_key::ApiKeyCommand;
use domain::config::ConfigCommand;
use domain::{EmailAddress, KeyId, Principal, WorkspaceId};
use eventlog::Projection;
use readmodel::keys::{KeyFilter, Keys};
use readmodel::{Cursor, Order, PageRequest};

use super::call::Call;
use super::mutation::Mutation;
use super::status::{InField, Refusal, Resource};
use super::switch::opened_owner_email;
use super::{fields, reading};
use crate::commands::Intent;
use crate::node::Node;
use crate::usage;

/// So many keys a call: each is a stream to read and an event to write, all in one transaction.
const MOST_KEYS: usize = 500;

/// What may be read at once to find them.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: EraseSubjectRequest,
) -> Result<EraseSubjectResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    let wanted = Wanted::read(workspace, &request)?;
    let wait = fields::wait(request.wait)?;
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::ApiKey, String::new()),
        wait,
    };
    if let Some(answered) = mutation.repeated(&node).await? {
        return Ok(answered);
    }
    let (keys, more) = wanted.keys(&node).await?;
    if keys.is_empty() && wanted.one.is_some() {
        let name = wanted.one.map(|key| key.to_string()).unwrap_or_default();
        return Err(Refusal::not_found(Resource::ApiKey, name));
    }
    let answer = || EraseSubjectResponse {
        erased_key_count: i32::try_from(keys.len()).unwrap_or(i32::MAX),
        key_ids: keys.iter().map(ToString::to_string).collect(),
        more,
        ..EraseSubjectResponse::default()
    };
    if request.dry_run {
        return Ok(answer());
    }
    destroy(&node, workspace, &keys, wanted.whole && !more).await?;
    let now = node.clock.now();
    let erase = |&key_id: &KeyId| {
        let key = ApiKeyCommand::EraseSubject { now };
        let config = ConfigCommand::EraseSubject { now };
        [Intent::ApiKey(workspace, key_id, key, None), Intent::Config(key_id, config, None)]
    };
    let intents: Vec<Intent> = keys.iter().flat_map(erase).collect();
    mutation.run(&node, &intents, |_| answer()).await
}

/// Destroys what opens what was sealed, and what is kept of the subject beside the log.
async fn destroy(
    node: &Node,
    workspace: WorkspaceId,
    keys: &[KeyId],
    whole: bool,
) -> Result<(), Refusal> {
    let mut destroyed = node.data_keys.destroy(workspace, keys).await?;
    if whole {
        destroyed += node.data_keys.destroy_of_workspace(workspace).await?;
    }
    usage::forget_places(&node.database, workspace, keys).await?;
    node.commands.log().drop_replies(&workspace.to_string()).await?;
    tracing::info!(%workspace, keys = keys.len(), data_keys = destroyed, "a subject was erased");
    Ok(())
}

/// Whose keys are meant.
struct Wanted {
    filter: KeyFilter,
    /// Only those whose owner has this address.
    owner_email: Option<EmailAddress>,
    /// The one key, if one is named.
    one: Option<KeyId>,
    whole: bool,
    after: Option<KeyId>,
}

impl Wanted {
    fn read(workspace: WorkspaceId, request: &EraseSubjectRequest) -> Result<Self, Refusal> {
        let mut filter = KeyFilter::of(workspace);
        filter.include_dead = true;
        filter.include_deleted = true;
        let after = fields::optional("after_key_id", request.after_key_id.clone(), |id| id.parse());
        let mut wanted = Self { filter, owner_email: None, one: None, whole: false, after: after? };
        match request.subject.clone() {
            None => {
                let rule = "one of key_id, owner_user_id, owner_service_account_id, owner_email and \
                            whole_workspace is required";
                return Err(Refusal::field("subject", rule));
            }
            Some(Subject::KeyId(id)) => {
                let key: KeyId = fields::id("key_id", &id)?;
                wanted.filter.key_ids.push(key);
                wanted.one = Some(key);
            }
            Some(Subject::OwnerUserId(id)) => {
                wanted.filter.principal = Some(Principal::user(id).in_field("owner_user_id")?);
            }
            Some(Subject::OwnerServiceAccountId(id)) => {
                let principal = Principal::service_account(id);
                wanted.filter.principal = Some(principal.in_field("owner_service_account_id")?);
            }
            Some(Subject::OwnerEmail(address)) => {
                wanted.owner_email = Some(EmailAddress::new(address).in_field("owner_email")?);
            }
            Some(Subject::WholeWorkspace(true)) => wanted.whole = true,
            Some(Subject::WholeWorkspace(false)) => {
                return Err(Refusal::field("whole_workspace", "must be true if it is given"));
            }
        }
        Ok(wanted)
    }

    /// The next of these keys, sorted, and whether there are more of them.
    async fn keys(&self, node: &Node) -> Result<(Vec<KeyId>, bool), Refusal> {
        let workspace = self.filter.workspace_id;
        let client = reading::of_workspace(node, workspace, &[Keys.name()], "").await?;
        let (mut found, now) = (Vec::new(), node.clock.now());
        let mut page = PageRequest::first(MOST_KEYS, Order::ById);
        page.bytes = MOST_BYTES;
        page.after = self.after.map(|key| Cursor::ById { id: key.uuid() });
        loop {
            let listed = readmodel::keys::list(&**client, &self.filter, now, &page).await?;
            let sealed = listed.rows.iter().filter_map(|row| row.key.settings.owner.email.as_ref());
            if self.owner_email.is_some() {
                let ids = sealed.map(|sealed| sealed.dek);
                node.data_keys.open_ahead(workspace, ids).await?;
            }
            for row in &listed.rows {
                if !self.is_of(node, &row.key).await? {
                    continue;
                }
                if found.len() == MOST_KEYS {
                    return Ok((found, true));
                }
                found.push(row.key.key_id);
            }
            match listed.next {
                Some(_) if found.len() == MOST_KEYS && self.owner_email.is_none() => {
                    return Ok((found, true));
                }
                Some(next) => page.after = Some(next),
                None => return Ok((found, false)),
            }
        }
    }

    async fn is_of(&self, node: &Node, key: &domain::api_key::ApiKey) -> Result<bool, Refusal> {
        let Some(address) = &self.owner_email else {
            return Ok(true);
        };
        let opened = opened_owner_email(node, key).await?;
        Ok(opened.eq_ignore_ascii_case(address.as_str()))
    }
}
