//! PutConfigSecret: seals a secret of somebody else's into a configuration.

use std::sync::Arc;

use api::v1::{PutConfigSecretRequest, PutConfigSecretResponse};
use domain::api_key::Changes;
use domain::config::{ConfigCommand, SecretField};
use zeroize::Zeroizing;

use super::call::Call;
use super::mutation::Wait;
use super::status::{InField, Refusal};
use super::switch::on_key;
use super::{fields, on_config};
use crate::data_keys::Sealer;
use crate::node::Node;

/// Answers the call. It waits for no verifier: none holds a secret.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: PutConfigSecretRequest,
) -> Result<PutConfigSecretResponse, Refusal> {
    let field: SecretField = fields::id("field", &request.field)?;
    refuse_unknown(&node, &field)?;
    if request.secret.is_empty() {
        return Err(Refusal::field("secret", "is required"));
    }
    let secret = Zeroizing::new(fields::foreign_secret(request.secret.clone()).in_field("secret")?);
    let on_key = on_key!(request, Wait::None);
    let found = on_config::find(&on_key, &node, &call).await?;
    let key = &found.before.key;
    let dek = node.data_keys.active(key.workspace_id, key.key_id, node.clock.now()).await?;
    let sealer = Sealer { dek: &dek, resource: key.key_id.uuid() };
    let value = Box::new(sealer.secret(&field, &secret)?);
    let command = |now| ConfigCommand::PutSecret { field, value, now };
    let reply = |config| PutConfigSecretResponse { config, ..PutConfigSecretResponse::default() };
    let nothing = Changes::default();
    on_config::change(&on_key, &node, &call, found, nothing, command, reply).await
}

/// Refuses the key of a provider that this deployment has no use for, if it says which ones it has.
fn refuse_unknown(node: &Node, field: &SecretField) -> Result<(), Refusal> {
    let known = &node.ai_providers;
    let unknown = |name: &str| known.iter().all(|provider| provider.as_str() != name);
    if known.is_empty() || !field.provider().is_some_and(unknown) {
        return Ok(());
    }
    let names: Vec<_> = known.iter().map(|provider| provider.as_str()).collect();
    Err(Refusal::field("field", format!("must name one of the AI providers {}", names.join(", "))))
}
