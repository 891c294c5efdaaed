//! Folds service credential events into `service_credentials`, as a part of the projection
//! `workspaces`.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::service_credential::{ServiceCredentialEvent, ServiceCredentialState};
use domain::{Env, ServiceCredentialId, SpiffeId, WorkspaceId};
use uuid::Uuid;

use super::query::{COLUMNS, stored};
use crate::columns::{Moment, algorithm, list, word};
use crate::fold::{self, FoldError, Streams, Version, advance, rows};
use crate::statement::arrays;

/// Writes what the steps change.
pub(crate) async fn apply(
    transaction: &Transaction<'_>,
    streams: &Streams<ServiceCredentialId, ServiceCredentialEvent>,
) -> Result<(), FoldError> {
    let known = known(transaction, streams).await?;
    write(transaction, &advance(known, streams)).await
}

/// The rows of the service credentials that did not begin in this batch.
async fn known(
    transaction: &Transaction<'_>,
    streams: &Streams<ServiceCredentialId, ServiceCredentialEvent>,
) -> Result<HashMap<ServiceCredentialId, Version<ServiceCredentialState>>, FoldError> {
    let begins = |event: &ServiceCredentialEvent| match event {
        ServiceCredentialEvent::Created(_) => true,
        ServiceCredentialEvent::Revoked(_) => false,
    };
    let older: Vec<Uuid> = fold::older(streams, begins).map(|id| id.uuid()).collect();
    if older.is_empty() {
        return Ok(HashMap::new());
    }
    let sql =
        format!("SELECT {COLUMNS} FROM service_credentials WHERE service_credential_id = ANY ($1)");
    let rows = transaction.query(&sql, &[&older]).await?;
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

async fn write(
    transaction: &Transaction<'_>,
    changed: &[Version<ServiceCredentialState>],
) -> Result<(), FoldError> {
    const SQL: &str = "\
        INSERT INTO service_credentials AS t (service_credential_id, created_by, name, \
            permissions, workspaces, envs, kid, pepper, algorithm, digest, identity, \
            created_at, revoked_at, revision, position) \
        SELECT id, created_by, name, string_to_array(permissions, ','), \
            string_to_array(workspaces, ',')::uuid[], string_to_array(envs, ','), kid, pepper, \
            algorithm, digest, identity, created_at, revoked_at, revision, position \
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
            $7::bytea[], $8::integer[], $9::text[], $10::bytea[], $11::text[], $12::timestamptz[], \
            $13::timestamptz[], $14::bigint[], $15::bigint[]) \
            AS new (id, created_by, name, permissions, workspaces, envs, kid, pepper, algorithm, \
            digest, identity, created_at, revoked_at, revision, position) \
        ON CONFLICT (service_credential_id) DO UPDATE SET \
            (created_by, name, permissions, workspaces, envs, kid, pepper, algorithm, digest, \
            identity, created_at, revoked_at, revision, position) = \
            (excluded.created_by, excluded.name, excluded.permissions, excluded.workspaces, \
            excluded.envs, excluded.kid, excluded.pepper, excluded.algorithm, excluded.digest, \
            excluded.identity, excluded.created_at, excluded.revoked_at, excluded.revision, excluded.position) \
        WHERE t.position < excluded.position";
    let rows = rows(changed, ServiceCredentialState::present);
    if rows.is_empty() {
        return Ok(());
    }
    let values = arrays!(row in rows =>
        row.value.service_credential_id.uuid(),
        row.value.created_by.as_str(),
        row.value.name.as_str(),
        list(row.value.permissions.iter().map(word)),
        list(
            row.value
                .bounds
                .workspaces
                .iter()
                .copied()
                .map(WorkspaceId::uuid)
        ),
        list(row.value.bounds.envs.iter().copied().map(Env::as_str)),
        row.value.proof.secret().map(|secret| secret.kid.bits().as_slice()),
        row.value.proof.secret().map(|secret| i32::from(secret.pepper.0)),
        row.value.proof.secret().map(|secret| algorithm(secret.algorithm)),
        row.value.proof.secret().map(|secret| secret.digest.0.as_slice()),
        row.value.proof.identity().map(SpiffeId::as_str),
        Moment(row.value.created_at),
        row.value.revoked_at.map(Moment),
        row.revision,
        row.position,
    );
    transaction.execute(SQL, &values).await?;
    Ok(())
}
