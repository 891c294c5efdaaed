//! The columns of a key, and the key of a row. The order of columns here is the order everywhere.

use domain::api_key::{ApiKey, Credential, Revocation, Settings};
use domain::{
    DomainPattern, DomainRules, KeyId, Labels, Network, Owner, Principal, RevocationReason, Scope,
    ScopeSet, WorkspaceId,
};
use postgres_types::Type;

use crate::columns::{Columns, Fields, JsonText, unpack};
use crate::error::ReadError;

/// A key as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key.
    pub key: ApiKey,
    /// The revision of the key's stream that it was read at: its etag.
    pub revision: u64,
}

pub(crate) const TABLE: &str = "keys";

/// What [`key_of_row`] reads, in its order, of `keys AS k`.
pub(crate) const COLUMNS: &str = "\
    k.key_id, k.workspace_id, k.name, k.env, k.principal_kind, k.principal_id, k.owner_email, \
    k.description, k.scopes, k.ip_allowlist, k.domains, k.allow_localhost, k.not_before, \
    k.expires_at, k.metadata, k.created_by, k.created_at, k.updated_at, k.disabled_at, \
    k.deleted_at, k.revoked_at, k.revoked_by, k.revoked_reason, k.revoked_text";

/// What [`credential_of_row`] reads, in its order, of `credentials AS c`.
pub(crate) const CREDENTIAL_COLUMNS: &str =
    "c.generation, c.created_at, c.not_after, c.ended, c.kid, c.pepper, c.algorithm, c.digest";

/// How many [`COLUMNS`] are.
pub(crate) const WIDTH: usize = 24;

/// The types of [`COLUMNS`], then of [`CREDENTIAL_COLUMNS`].
pub(crate) const SNAPSHOT_TYPES: &[Type] = &[
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::BOOL,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::JSONB,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT4,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::BOOL,
    Type::BYTEA,
    Type::INT4,
    Type::TEXT,
    Type::BYTEA,
];

/// The key in the next columns, still without its credentials.
pub(crate) fn key_of_row<'a, R: Fields>(
    columns: &mut Columns<'a, R>,
    key_id: KeyId,
) -> Result<ApiKey, ReadError> {
    Ok(ApiKey {
        key_id,
        workspace_id: WorkspaceId::new(columns.take()?),
        settings: settings(columns)?,
        created_by: columns.take()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
        disabled_at: columns.moment_or_null()?,
        deleted_at: columns.moment_or_null()?,
        revoked: revocation(columns)?,
        credentials: Vec::new(),
    })
}

fn settings<R: Fields>(columns: &mut Columns<'_, R>) -> Result<Settings, ReadError> {
    Ok(Settings {
        name: columns.stored()?,
        env: columns.stored()?,
        owner: owner(columns)?,
        description: columns.stored()?,
        scopes: scopes(columns)?,
        ip_allowlist: networks(columns)?,
        domains: domains(columns)?,
        not_before: columns.moment_or_null()?,
        expires_at: columns.moment_or_null()?,
        metadata: labels(columns)?,
    })
}

fn owner<R: Fields>(columns: &mut Columns<'_, R>) -> Result<Owner, ReadError> {
    let (kind, id) = (columns.take::<Option<&str>>()?, columns.take::<Option<String>>()?);
    let principal = match (kind, id) {
        (None, None) => None,
        (Some(USER), Some(id)) => Some(Principal::User(id)),
        (Some(SERVICE_ACCOUNT), Some(id)) => Some(Principal::ServiceAccount(id)),
        (kind, _) => return Err(columns.corrupt(format!("a principal of kind {kind:?}"))),
    };
    let email = columns.take::<Option<&[u8]>>()?;
    let email = email.map(unpack).transpose();
    Ok(Owner { principal, email: email.map_err(|cause| columns.corrupt(cause))? })
}

const USER: &str = "user";
const SERVICE_ACCOUNT: &str = "service_account";

/// The stored kind of a principal.
pub(crate) const fn kind(principal: &Principal) -> &'static str {
    match principal {
        Principal::User(_) => USER,
        Principal::ServiceAccount(_) => SERVICE_ACCOUNT,
    }
}

fn scopes<R: Fields>(columns: &mut Columns<'_, R>) -> Result<ScopeSet, ReadError> {
    let codes: Vec<&str> = columns.take()?;
    codes
        .into_iter()
        .map(str::parse)
        .collect::<Result<Vec<Scope>, _>>()
        .and_then(ScopeSet::new)
        .map_err(|cause| columns.corrupt(cause))
}

fn networks<R: Fields>(columns: &mut Columns<'_, R>) -> Result<Option<Vec<Network>>, ReadError> {
    let blocks: Option<Vec<&str>> = columns.take()?;
    blocks
        .map(|blocks| blocks.into_iter().map(|block| Network::parse(block, true)).collect())
        .transpose()
        .map_err(|cause| columns.corrupt(cause))
}

pub(crate) fn domains<R: Fields>(columns: &mut Columns<'_, R>) -> Result<DomainRules, ReadError> {
    let patterns: Vec<&str> = columns.take()?;
    let patterns = patterns.into_iter().map(DomainPattern::parse).collect::<Result<_, _>>();
    Ok(DomainRules {
        patterns: patterns.map_err(|cause| columns.corrupt(cause))?,
        allow_localhost: columns.take()?,
    })
}

fn labels<R: Fields>(columns: &mut Columns<'_, R>) -> Result<Labels, ReadError> {
    let JsonText(text) = columns.take()?;
    if text == b"{}" {
        return Ok(Labels::default());
    }
    serde_json::from_slice(text).map_err(|cause| columns.corrupt(cause))
}

fn revocation<R: Fields>(columns: &mut Columns<'_, R>) -> Result<Option<Revocation>, ReadError> {
    let at = columns.moment_or_null()?;
    let (by, reason) = (columns.take::<Option<String>>()?, columns.take::<Option<&str>>()?);
    let text = columns.take::<Option<&str>>()?;
    let Some(at) = at else { return Ok(None) };
    let reason = reason.and_then(RevocationReason::parse);
    let (Some(by), Some(reason)) = (by, reason) else {
        return Err(columns.corrupt("a revocation without its reason or author"));
    };
    let text = crate::columns::stored(text.unwrap_or_default());
    let text = text.map_err(|cause| columns.corrupt(cause))?;
    Ok(Some(Revocation { at, by, reason, text }))
}

/// The credential in the next columns, in the order of [`CREDENTIAL_COLUMNS`]; none if
/// they are NULL.
pub(crate) fn credential_of_row<R: Fields>(
    columns: &mut Columns<'_, R>,
) -> Result<Option<Credential>, ReadError> {
    let Some(generation) = columns.take::<Option<i32>>()? else {
        return Ok(None);
    };
    Ok(Some(Credential {
        generation: u32::try_from(generation).map_err(|cause| columns.corrupt(cause))?,
        created_at: columns.moment()?,
        not_after: columns.moment_or_null()?,
        ended: columns.take()?,
        record: columns.credential()?,
    }))
}
