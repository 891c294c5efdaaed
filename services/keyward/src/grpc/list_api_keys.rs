//! ListApiKeys: the keys of a workspace, page by page, from the read model.

use std::sync::Arc;

use api::v1::{self as wire, ListApiKeysRequest, ListApiKeysResponse};
use domain::api_key::{ApiKey, Status};
use domain::verdict::EXPIRES_SOON;
use domain::{Brand, Env, Kid, Principal, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use prost::Message;
use readmodel::keys::{KeyFilter, Keys};
use readmodel::{Cursor, Order, PageRequest};

use eventlog::Projection;

use super::call::Call;
use super::page_token;
use super::status::{InField, Refusal};
use super::switch::opened_owner_email;
use super::{convert, fields, last_use, reading};
use crate::node::Node;
use crate::usage;

/// A page is cut short before it is larger than this, so that it fits into a client's usual 4 MiB: as
/// its rows are read, and again as they are written, which may be a little more.
const LARGE_PAGE: usize = 2 * 1024 * 1024;
pub(super) const MOST_KEY_IDS: usize = 100;
/// Between two moments.
const LEAST: SignedDuration = SignedDuration::from_micros(1);

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ListApiKeysRequest,
) -> Result<ListApiKeysResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    let now = node.clock.now();
    let mut filter = filter(workspace, &request, now)?;
    let kids = name_keys(&node.brand, &request.key_ids, &mut filter)?;
    let order = match fields::variant("order", request.order)? {
        wire::ApiKeyOrder::Unspecified | wire::ApiKeyOrder::NewestFirst => Order::NewestFirst,
        wire::ApiKeyOrder::ById => Order::ById,
    };
    let bound = bound(&request);
    let mut page = PageRequest::first(page_token::size(request.page_size)?, order);
    page.after = page_token::read(&node, &bound, &request.page_token)?;
    page.bytes = LARGE_PAGE;

    if filter.envs.is_empty() {
        filter.envs.extend([Env::Live, Env::Test]);
    }
    filter.envs.retain(|&env| call.caller.envs().contains(env));

    let client = reading::of_workspace(&node, workspace, &[Keys.name()], &request.at_least).await?;
    if !kids.is_empty() {
        filter.key_ids.extend(readmodel::keys::of_credentials(&**client, workspace, &kids).await?);
    }
    let none_is_named = filter.key_ids.is_empty() && !request.key_ids.is_empty();
    if filter.envs.is_empty() || none_is_named {
        return Ok(ListApiKeysResponse::default());
    }
    let listed = readmodel::keys::list(&**client, &filter, now, &page).await?;
    let ids = listed.rows.iter().map(|row| row.key.key_id);
    let uses = usage::of(&client, workspace, ids).await?;
    drop(client);

    let mut answer = ListApiKeysResponse::default();
    let (mut bytes, mut next, mut behind) = (0, listed.next, None);
    let sealed = listed.rows.iter().filter_map(|row| row.key.settings.owner.email.as_ref());
    node.data_keys.open_ahead(workspace, sealed.map(|sealed| sealed.dek)).await?;
    for row in &listed.rows {
        let email = opened_owner_email(&node, &row.key).await?;
        let mut key = convert::api_key(&node.brand, &row.key, row.revision, email, now);
        last_use::show(&mut key, uses.get(&row.key.key_id).map_or(&[], Vec::as_slice));
        bytes += key.encoded_len();
        if bytes > LARGE_PAGE && !answer.api_keys.is_empty() {
            next = behind;
            break;
        }
        behind = Some(cursor(order, &row.key));
        answer.api_keys.push(key);
    }
    answer.next_page_token = page_token::write(&node, &bound, next)?;
    Ok(answer)
}

fn filter(
    workspace: WorkspaceId,
    request: &ListApiKeysRequest,
    now: Timestamp,
) -> Result<KeyFilter, Refusal> {
    let mut filter = KeyFilter::of(workspace);
    for (at, &number) in request.statuses.iter().enumerate() {
        filter.statuses.push(status(&format!("statuses[{at}]"), number)?);
    }
    filter.envs.extend(fields::env("env", request.env)?);
    filter.principal = match request.owner.clone() {
        None => None,
        Some(wire::list_api_keys_request::Owner::OwnerUserId(id)) => {
            Some(Principal::user(id).in_field("owner_user_id")?)
        }
        Some(wire::list_api_keys_request::Owner::OwnerServiceAccountId(id)) => {
            Some(Principal::service_account(id).in_field("owner_service_account_id")?)
        }
    };
    filter.name_prefix =
        fields::optional("name_prefix", request.name_prefix.clone(), domain::Name::new)?
            .map(|name| name.as_str().to_owned());
    filter.expiring_before = fields::moment("expiring_before", request.expiring_before)?;
    if request.expires_soon {
        let soon = now + EXPIRES_SOON + LEAST;
        filter.expiring_after = Some(now);
        filter.expiring_before = Some(filter.expiring_before.map_or(soon, |at| at.min(soon)));
    }
    filter.include_dead = request.show_dead;
    filter.include_deleted = request.show_deleted;
    Ok(filter)
}

/// Names the keys in the filter by their ids. Those that are named by the masked form of a credential
/// instead are still to be found, by the kids that are returned.
fn name_keys(brand: &Brand, names: &[String], filter: &mut KeyFilter) -> Result<Vec<Kid>, Refusal> {
    if names.len() > MOST_KEY_IDS {
        return Err(Refusal::field("key_ids", "must have at most 100 entries"));
    }
    let mut kids = Vec::new();
    for (at, name) in names.iter().enumerate() {
        match masked(brand, name) {
            Some(digits) => kids.extend(digits.parse::<Kid>()),
            None => filter.key_ids.push(fields::id(&format!("key_ids[{at}]"), name)?),
        }
    }
    Ok(kids)
}

/// What stands for the kid in `kwk_live_<kid>`.
fn masked<'a>(brand: &Brand, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(brand.as_str())?.strip_prefix("k_")?;
    let digits = rest.strip_prefix("live_").or_else(|| rest.strip_prefix("test_"))?;
    let sound = digits.len() == 17 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then_some(digits)
}

fn status(path: &str, number: i32) -> Result<Status, Refusal> {
    match fields::variant(path, number)? {
        wire::ApiKeyStatus::Unspecified => Err(Refusal::field(path, "must not be unspecified")),
        wire::ApiKeyStatus::Active => Ok(Status::Active),
        wire::ApiKeyStatus::Disabled => Ok(Status::Disabled),
        wire::ApiKeyStatus::Revoked => Ok(Status::Revoked),
        wire::ApiKeyStatus::Expired => Ok(Status::Expired),
        wire::ApiKeyStatus::NotYetValid => Ok(Status::NotYetValid),
    }
}

/// The place behind a key in a list of this order.
fn cursor(order: Order, key: &ApiKey) -> Cursor {
    let id = key.key_id.uuid();
    match order {
        Order::NewestFirst => Cursor::NewestFirst { created_at: key.created_at, id },
        Order::ById => Cursor::ById { id },
    }
}

/// What a page token is bound to: the whole list, without what may differ from page to page.
fn bound(request: &ListApiKeysRequest) -> Vec<u8> {
    ListApiKeysRequest {
        page_size: 0,
        page_token: String::new(),
        at_least: String::new(),
        ..request.clone()
    }
    .encode_to_vec()
}
