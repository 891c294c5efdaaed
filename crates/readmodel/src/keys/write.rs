//! Writes whole rows of `keys` and `credentials`, a batch in one statement each.

use deadpool_postgres::Transaction;
use domain::Principal;
use domain::api_key::{ApiKey, Credential};

use super::row::kind;
use crate::columns::{Moment, algorithm, integer, json, list, pack};
use crate::fold::{FoldError, Row};
use crate::statement::arrays;

const WRITE_KEYS: &str = "\
    INSERT INTO keys AS t (key_id, workspace_id, name, env, principal_kind, principal_id, \
        owner_email, description, scopes, ip_allowlist, domains, allow_localhost, not_before, \
        expires_at, metadata, created_by, created_at, updated_at, disabled_at, revoked_at, \
        revoked_by, revoked_reason, revoked_text, deleted_at, revision, position) \
    SELECT key_id, workspace_id, name, env, principal_kind, principal_id, \
        owner_email, description, string_to_array(scopes, ','), \
        string_to_array(ip_allowlist, ','), string_to_array(domains, ','), allow_localhost, \
        not_before, expires_at, metadata::jsonb, created_by, created_at, updated_at, \
        disabled_at, revoked_at, revoked_by, revoked_reason, revoked_text, deleted_at, revision, \
        position \
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], \
        $7::bytea[], $8::text[], $9::text[], $10::text[], $11::text[], $12::boolean[], \
        $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::timestamptz[], \
        $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::text[], $22::text[], \
        $23::text[], $24::timestamptz[], $25::bigint[], $26::bigint[]) \
        AS new (key_id, workspace_id, name, env, principal_kind, principal_id, owner_email, \
        description, scopes, ip_allowlist, domains, allow_localhost, not_before, expires_at, \
        metadata, created_by, created_at, updated_at, disabled_at, revoked_at, revoked_by, \
        revoked_reason, revoked_text, deleted_at, revision, position) \
    ON CONFLICT (key_id) DO UPDATE SET \
        (workspace_id, name, env, principal_kind, principal_id, owner_email, description, \
        scopes, ip_allowlist, domains, allow_localhost, not_before, expires_at, metadata, \
        created_by, created_at, updated_at, disabled_at, revoked_at, revoked_by, \
        revoked_reason, revoked_text, deleted_at, revision, position) = \
        (excluded.workspace_id, excluded.name, excluded.env, excluded.principal_kind, \
        excluded.principal_id, excluded.owner_email, excluded.description, excluded.scopes, \
        excluded.ip_allowlist, excluded.domains, excluded.allow_localhost, \
        excluded.not_before, excluded.expires_at, excluded.metadata, excluded.created_by, \
        excluded.created_at, excluded.updated_at, excluded.disabled_at, excluded.revoked_at, \
        excluded.revoked_by, excluded.revoked_reason, excluded.revoked_text, \
        excluded.deleted_at, excluded.revision, excluded.position) \
    WHERE t.position < excluded.position";

const WRITE_CREDENTIALS: &str = "\
    INSERT INTO credentials AS t (kid, key_id, workspace_id, generation, pepper, algorithm, \
        digest, created_at, not_after, ended, position) \
    SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::integer[], $5::integer[], \
        $6::text[], $7::bytea[], $8::timestamptz[], $9::timestamptz[], $10::boolean[], \
        $11::bigint[]) \
    ON CONFLICT (kid) DO UPDATE SET \
        (key_id, workspace_id, generation, pepper, algorithm, digest, created_at, not_after, \
        ended, position) = (excluded.key_id, excluded.workspace_id, excluded.generation, \
        excluded.pepper, excluded.algorithm, excluded.digest, excluded.created_at, \
        excluded.not_after, excluded.ended, excluded.position) \
    WHERE t.position < excluded.position";

const FORGET_CREDENTIALS: &str = "\
    DELETE FROM credentials AS t USING unnest($1::uuid[], $2::integer[]) AS kept (key_id, oldest) \
    WHERE t.key_id = kept.key_id AND t.generation < kept.oldest";

/// Writes the rows of keys, where they are older.
pub(super) async fn write_keys(
    transaction: &Transaction<'_>,
    rows: &[Row<'_, ApiKey>],
) -> Result<(), FoldError> {
    if rows.is_empty() {
        return Ok(());
    }
    let values = arrays!(row in rows =>
        row.value.key_id.uuid(),
        row.value.workspace_id.uuid(),
        row.value.settings.name.as_str(),
        row.value.settings.env.as_str(),
        row.value.settings.owner.principal.as_ref().map(kind),
        row.value.settings.owner.principal.as_ref().map(Principal::id),
        row.value.settings.owner.email.as_ref().map(pack),
        row.value.settings.description.as_str(),
        list(row.value.settings.scopes.iter()),
        row.value.settings.ip_allowlist.as_ref().map(list),
        list(&row.value.settings.domains.patterns),
        row.value.settings.domains.allow_localhost,
        row.value.settings.not_before.map(Moment),
        row.value.settings.expires_at.map(Moment),
        json(row.value.settings.metadata.pairs()),
        row.value.created_by.as_str(),
        Moment(row.value.created_at),
        Moment(row.value.updated_at),
        row.value.disabled_at.map(Moment),
        row.value.revoked.as_ref().map(|end| Moment(end.at)),
        row.value.revoked.as_ref().map(|end| end.by.as_str()),
        row.value.revoked.as_ref().map(|end| end.reason.as_str()),
        row.value.revoked.as_ref().map(|end| end.text.as_str()),
        row.value.deleted_at.map(Moment),
        row.revision,
        row.position,
    );
    transaction.execute(WRITE_KEYS, &values).await?;
    Ok(())
}

struct CredentialRow<'a> {
    key: &'a ApiKey,
    credential: &'a Credential,
    position: i64,
}

impl<'a> CredentialRow<'a> {
    fn of(row: &Row<'a, ApiKey>) -> impl Iterator<Item = Self> + use<'a> {
        let Row { value: key, position, .. } = *row;
        key.credentials.iter().map(move |credential| Self { key, credential, position })
    }
}

/// Writes all credentials of the keys, at the keys' positions: which position a credential's row has
/// must not depend on how events were cut into batches.
pub(super) async fn write_credentials(
    transaction: &Transaction<'_>,
    rows: &[Row<'_, ApiKey>],
) -> Result<(), FoldError> {
    let credentials: Vec<CredentialRow<'_>> = rows.iter().flat_map(CredentialRow::of).collect();
    if credentials.is_empty() {
        return Ok(());
    }
    let values = arrays!(row in credentials =>
        row.credential.record.kid.bits().as_slice(),
        row.key.key_id.uuid(),
        row.key.workspace_id.uuid(),
        integer(row.credential.generation),
        i32::from(row.credential.record.pepper.0),
        algorithm(row.credential.record.algorithm),
        row.credential.record.digest.0.as_slice(),
        Moment(row.credential.created_at),
        row.credential.not_after.map(Moment),
        row.credential.ended,
        row.position,
    );
    transaction.execute(WRITE_CREDENTIALS, &values).await?;
    forget_credentials(transaction, rows).await
}

/// Deletes the credentials that the keys have rotated so often that they remember them no more.
async fn forget_credentials(
    transaction: &Transaction<'_>,
    rows: &[Row<'_, ApiKey>],
) -> Result<(), FoldError> {
    let (mut keys, mut oldest) = (Vec::new(), Vec::new());
    for row in rows {
        let first = row.value.credentials.first();
        if let Some(first) = first.filter(|first| first.generation > 1) {
            keys.push(row.value.key_id.uuid());
            oldest.push(integer(first.generation));
        }
    }
    if !keys.is_empty() {
        transaction.execute(FORGET_CREDENTIALS, &[&keys, &oldest]).await?;
    }
    Ok(())
}
