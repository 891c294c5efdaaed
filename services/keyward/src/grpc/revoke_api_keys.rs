//! RevokeApiKeys: the end of many keys at once, in one append and with one wait.

use std::sync::Arc;

use api::v1::{self as wire, RevokeApiKeysRequest, RevokeApiKeysResponse};
use domain::api_key::{ApiKeyCommand, Status};
use domain::{Env, KeyId, Principal, WorkspaceId};
use eventlog::Projection;
use readmodel::keys::{KeyFilter, Keys};
use readmodel::{Order, PageRequest};

use super::call::Call;
use super::list_api_keys::MOST_KEY_IDS;
use super::mutation::Mutation;
use super::revoke_api_key::why;
use super::status::{InField, Refusal, Resource};
use super::{fields, reading};
use crate::commands::{Change, Folded, Intent, Subject};
use crate::node::Node;

/// So many keys a call: each is a stream to read and an event to write, with its reason in words, all
/// in one transaction.
const MOST_KEYS: usize = 500;

/// What may be read to find them; beyond it the rest is for another call.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RevokeApiKeysRequest,
) -> Result<RevokeApiKeysResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    let (reason, text) = why(request.reason, &request.reason_text)?;
    let filter = filter(workspace, &request)?;
    let wait = fields::wait(request.wait)?;
    fields::request_id(&request.request_id)?;
    let (keys, more) = matching(&node, &call, filter).await?;
    if request.dry_run {
        return Ok(answer(keys, more));
    }
    let (now, revoked_by) = (node.clock.now(), call.caller.actor());
    let revoke = |key_id: KeyId| {
        let (revoked_by, text) = (revoked_by.clone(), text.clone());
        let command = ApiKeyCommand::Revoke { revoked_by, reason, text, now };
        Intent::ApiKey(workspace, key_id, command, None)
    };
    let intents: Vec<Intent> = keys.into_iter().map(revoke).collect();
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::ApiKey, String::new()),
        wait,
    };
    mutation.run(&node, &intents, |folded| answer(revoked(folded), more)).await
}

fn answer(mut keys: Vec<KeyId>, more: bool) -> RevokeApiKeysResponse {
    keys.sort_unstable();
    RevokeApiKeysResponse {
        revoked_count: i32::try_from(keys.len()).unwrap_or(i32::MAX),
        key_ids: keys.iter().map(ToString::to_string).collect(),
        more,
        ..RevokeApiKeysResponse::default()
    }
}

/// Those that were not revoked before.
fn revoked(folded: &[Folded]) -> Vec<KeyId> {
    let key_id = |folded: &Folded| match &folded.subject {
        Subject::ApiKey(state) => state.present().map(|key| key.key_id),
        Subject::Workspace(_)
        | Subject::Config(_)
        | Subject::AuthTokens(_)
        | Subject::ServiceCredential(_) => None,
    };
    folded.iter().filter(|folded| folded.change != Change::None).filter_map(key_id).collect()
}

/// The keys to revoke, and whether there are more of them.
async fn matching(
    node: &Node,
    call: &Call,
    mut filter: KeyFilter,
) -> Result<(Vec<KeyId>, bool), Refusal> {
    if filter.envs.is_empty() {
        filter.envs.extend([Env::Live, Env::Test]);
    }
    filter.envs.retain(|&env| call.caller.envs().contains(env));
    let client = reading::of_workspace(node, filter.workspace_id, &[Keys.name()], "").await?;
    if filter.envs.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut page = PageRequest::first(MOST_KEYS, Order::ById);
    page.bytes = MOST_BYTES;
    let listed = readmodel::keys::list(&**client, &filter, node.clock.now(), &page).await?;
    let keys = listed.rows.iter().map(|row| row.key.key_id).collect();
    Ok((keys, listed.next.is_some()))
}

fn filter(workspace: WorkspaceId, request: &RevokeApiKeysRequest) -> Result<KeyFilter, Refusal> {
    use wire::revoke_api_keys_request::Owner;
    let mut filter = KeyFilter::of(workspace);
    if request.key_ids.len() > MOST_KEY_IDS {
        return Err(Refusal::field("key_ids", "must have at most 100 entries"));
    }
    for (at, text) in request.key_ids.iter().enumerate() {
        filter.key_ids.push(fields::id(&format!("key_ids[{at}]"), text)?);
    }
    filter.envs.extend(fields::env("env", request.env)?);
    filter.principal = match request.owner.clone() {
        None => None,
        Some(Owner::OwnerUserId(id)) => Some(Principal::user(id).in_field("owner_user_id")?),
        Some(Owner::OwnerServiceAccountId(id)) => {
            Some(Principal::service_account(id).in_field("owner_service_account_id")?)
        }
    };
    filter.name_prefix =
        fields::optional("name_prefix", request.name_prefix.clone(), domain::Name::new)?
            .map(|name| name.as_str().to_owned());
    let any = filter != KeyFilter::of(workspace);
    if !any {
        let rule = "one of owner, env, name_prefix and key_ids is required: all keys of a workspace \
            are ended by SuspendWorkspace";
        return Err(Refusal::field("name_prefix", rule));
    }
    filter.statuses = vec![Status::Active, Status::Disabled, Status::NotYetValid, Status::Expired];
    filter.include_deleted = true;
    Ok(filter)
}
