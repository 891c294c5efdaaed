//! DeleteConfigSecret: keeps a secret of somebody else's no longer.

use std::sync::Arc;

use api::v1::{DeleteConfigSecretRequest, DeleteConfigSecretResponse};
use domain::api_key::Changes;
use domain::config::{ConfigCommand, SecretField};

use super::call::Call;
use super::mutation::Wait;
use super::status::Refusal;
use super::switch::on_key;
use super::{fields, on_config};
use crate::node::Node;

/// Answers the call. It waits for no verifier: RevealConfigSecret reads the log each time, so the commit
/// itself is the barrier.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: DeleteConfigSecretRequest,
) -> Result<DeleteConfigSecretResponse, Refusal> {
    let field: SecretField = fields::id("field", &request.field)?;
    let on_key = on_key!(request, Wait::None);
    let found = on_config::find(&on_key, &node, &call).await?;
    let command = |now| ConfigCommand::DeleteSecret { field, now };
    let reply =
        |config| DeleteConfigSecretResponse { config, ..DeleteConfigSecretResponse::default() };
    let nothing = Changes::default();
    on_config::change(&on_key, &node, &call, found, nothing, command, reply).await
}
