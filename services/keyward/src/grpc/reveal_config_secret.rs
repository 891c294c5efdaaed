//! RevealConfigSecret: shows one secret of a configuration to the service that uses it, and writes down
//! first that it did.

use std::sync::Arc;

use api::v1::{ErrorReason, RevealConfigSecretRequest, RevealConfigSecretResponse};
use domain::api_key::ApiKey;
use domain::config::{RevealEvent, Revealed, SecretField};
use domain::{Rejection, RevealReason};
use secrecy::ExposeSecret;

use super::call::Call;
use super::mutation::envelope;
use super::status::{InField, Refusal, Resource};
use super::{fields, on_config, standing};
use crate::commands::{CommandError, Configured};
use crate::node::Node;

/// Answers the call. Always from the log: what was deleted before it began is not shown.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RevealConfigSecretRequest,
) -> Result<RevealConfigSecretResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::Config)?;
    standing::decidable(&node, workspace)?;
    let field: SecretField = fields::id("field", &request.field)?;
    let reason = RevealReason::new(request.reason_text).in_field("reason_text")?;
    let Configured { key, config, .. } =
        on_config::visible(&node, &call, workspace, key_id, |_| true).await?;
    refuse_dead(&key)?;
    let kept = config.settings.secret(&field);
    let missing = || Refusal::not_found(Resource::ConfigSecret, format!("{key_id}/{field}"));
    let sealed = &kept.ok_or_else(missing)?.sealed;
    let opened = node.data_keys.open_secret(workspace, key_id.uuid(), &field, sealed).await?;
    let secret = opened.ok_or_else(|| {
        Refusal::new(ErrorReason::SubjectErased, "the secret was erased: it can't be read any more")
    })?;
    let revealed = Revealed { key_id, field, reason, at: node.clock.now() };
    let envelope = envelope(&call, "", Some(workspace));
    // Whoever sees it is in the log before.
    let position = node.commands.record_reveal(envelope, RevealEvent::Revealed(revealed)).await?;
    Ok(RevealConfigSecretResponse {
        secret: secret.expose_secret().to_owned(),
        consistency_token: node.freshness.token(position),
    })
}

/// Nobody acts for a key that is revoked or deleted.
fn refuse_dead(key: &ApiKey) -> Result<(), Refusal> {
    if key.revoked.is_some() {
        return Err(CommandError::from(Rejection::KeyRevoked).into());
    }
    if key.deleted_at.is_some() {
        return Err(CommandError::from(Rejection::KeyDeleted).into());
    }
    Ok(())
}
