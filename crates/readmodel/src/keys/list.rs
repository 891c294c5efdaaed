//! Lists of keys.

use std::pin::pin;

use domain::api_key::Status;
use domain::{Env, KeyId, Principal, WorkspaceId};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use postgres_types::Type;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::query::{select, stored};
use super::row::{KeyRow, kind};
use crate::columns::Moment;
use crate::error::ReadError;
use crate::page::{Filling, Page, PageRequest};
use crate::statement::{Statement, beginning_with, order_by};

/// Which keys to list. Every condition holds for every key listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFilter {
    /// Only keys of this workspace.
    pub workspace_id: WorkspaceId,
    /// Only these; empty for all.
    pub key_ids: Vec<KeyId>,
    /// Only keys in one of these states; empty for all that `include_dead` admits. A dead state
    /// named here is listed anyway.
    pub statuses: Vec<Status>,
    /// Only keys of these worlds; empty for both.
    pub envs: Vec<Env>,
    /// Only keys of this owner.
    pub principal: Option<Principal>,
    /// Only keys whose name begins with exactly this text; no character in it is special.
    pub name_prefix: Option<String>,
    /// Only keys with a natural end behind this moment.
    pub expiring_after: Option<Timestamp>,
    /// Only keys with a natural end before this moment.
    pub expiring_before: Option<Timestamp>,
    /// Whether revoked and expired keys are listed although no state is named.
    pub include_dead: bool,
    /// Whether deleted keys are listed, too.
    pub include_deleted: bool,
}

impl KeyFilter {
    /// All keys of a workspace that are neither dead nor deleted.
    #[must_use]
    pub const fn of(workspace_id: WorkspaceId) -> Self {
        Self {
            workspace_id,
            key_ids: Vec::new(),
            statuses: Vec::new(),
            envs: Vec::new(),
            principal: None,
            name_prefix: None,
            expiring_after: None,
            expiring_before: None,
            include_dead: false,
            include_deleted: false,
        }
    }
}

/// One page of the keys that pass `filter`, their states taken at `now`. No more of them is held, or
/// much more of them read, than the page has.
///
/// # Errors
/// [`ReadError::ForeignCursor`] if the cursor is of another order; [`ReadError::Unavailable`], or
/// [`ReadError::Corrupt`].
pub async fn list(
    client: &impl GenericClient,
    filter: &KeyFilter,
    now: Timestamp,
    page: &PageRequest,
) -> Result<Page<KeyRow>, ReadError> {
    let mut filling =
        Filling::new(page, |row: &KeyRow| (row.key.created_at, row.key.key_id.uuid()));
    loop {
        let part = filling.part();
        let mut rows = pin!(statement(filter, now, &part)?.stream(client).await?);
        let mut came = 0;
        while let Some(row) = rows.try_next().await? {
            came += 1;
            if !filling.add(stored(&row)?.0, row.raw_size_bytes()) {
                return Ok(filling.page());
            }
        }
        if came < part.limit() {
            return Ok(filling.page());
        }
    }
}

fn statement(
    filter: &KeyFilter,
    now: Timestamp,
    page: &PageRequest,
) -> Result<Statement, ReadError> {
    let mut statement = Statement::new("SELECT * FROM readmodel.keys WHERE ");
    narrow(&mut statement, filter);
    by_status(&mut statement, filter, now);
    statement.page("key_id", page)?;
    // Credentials are looked up for the page only, not for all keys that pass.
    statement.become_part(|keys| {
        let order = order_by(page.order, "k.key_id", "k.created_at");
        select("readmodel.", &format!("({keys})"), &order)
    });
    Ok(statement)
}

fn narrow(statement: &mut Statement, filter: &KeyFilter) {
    let workspace = statement.value(filter.workspace_id.uuid(), Type::UUID);
    statement.push(&format!("workspace_id = {workspace}"));
    if !filter.key_ids.is_empty() {
        let ids: Vec<Uuid> = filter.key_ids.iter().map(|id| id.uuid()).collect();
        let ids = statement.value(ids, Type::UUID_ARRAY);
        statement.and(&format!("key_id = ANY ({ids})"));
    }
    if !filter.envs.is_empty() {
        let envs: Vec<&'static str> = filter.envs.iter().map(|env| env.as_str()).collect();
        let envs = statement.value(envs, Type::TEXT_ARRAY);
        statement.and(&format!("env = ANY ({envs})"));
    }
    if let Some(principal) = &filter.principal {
        let id = statement.value(principal.id().to_owned(), Type::TEXT);
        let kind = statement.value(kind(principal), Type::TEXT);
        statement.and(&format!("principal_id = {id} AND principal_kind = {kind}"));
    }
    match filter.name_prefix.as_deref() {
        None | Some("") => {}
        // Postgres has no text with a NUL, so no name begins so; as a value it would be an error.
        Some(prefix) if prefix.contains('\0') => statement.and("false"),
        Some(prefix) => {
            let pattern = statement.value(beginning_with(prefix), Type::TEXT);
            statement.and(&format!("name LIKE {pattern}"));
        }
    }
    if !filter.include_deleted {
        statement.and("deleted_at IS NULL");
    }
    if let Some(moment) = filter.expiring_after {
        let moment = statement.value(Moment(moment), Type::TIMESTAMPTZ);
        statement.and(&format!("expires_at > {moment}"));
    }
    if let Some(moment) = filter.expiring_before {
        let moment = statement.value(Moment(moment), Type::TIMESTAMPTZ);
        statement.and(&format!("expires_at < {moment}"));
    }
}

/// The precedence of [`ApiKey::status`](domain::api_key::ApiKey::status), in SQL. A test holds the
/// two together.
fn by_status(statement: &mut Statement, filter: &KeyFilter, now: Timestamp) {
    const LIVING: [Status; 3] = [Status::Active, Status::Disabled, Status::NotYetValid];
    let wanted = match (filter.statuses.as_slice(), filter.include_dead) {
        ([], true) => return,
        ([], false) => LIVING.as_slice(),
        (named, true | false) => named,
    };
    let wanted: Vec<&'static str> = wanted.iter().copied().map(word).collect();
    let wanted = statement.value(wanted, Type::TEXT_ARRAY);
    let now = statement.value(Moment(now), Type::TIMESTAMPTZ);
    statement.and(&format!(
        "CASE WHEN revoked_at IS NOT NULL THEN '{}' WHEN disabled_at IS NOT NULL THEN '{}' \
         WHEN {now} < not_before THEN '{}' WHEN expires_at <= {now} THEN '{}' ELSE '{}' END \
         = ANY ({wanted})",
        word(Status::Revoked),
        word(Status::Disabled),
        word(Status::NotYetValid),
        word(Status::Expired),
        word(Status::Active),
    ));
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Revoked => "revoked",
        Status::Disabled => "disabled",
        Status::NotYetValid => "not_yet_valid",
        Status::Expired => "expired",
        Status::Active => "active",
    }
}
