//! RevokeApiKey: the end of a key, for good. When it returns, no verifier accepts the key.

use std::sync::Arc;

use api::v1::{self as wire, RevokeApiKeyRequest, RevokeApiKeyResponse};
use domain::api_key::ApiKeyCommand;
use domain::{ReasonText, RevocationReason};

use super::call::Call;
use super::fields;
use super::status::{InField, Refusal};
use super::switch::on_key;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RevokeApiKeyRequest,
) -> Result<RevokeApiKeyResponse, Refusal> {
    let (reason, text) = why(request.reason, &request.reason_text)?;
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let revoked_by = call.caller.actor();
    let command = |now| ApiKeyCommand::Revoke { revoked_by, reason, text, now };
    let reply = |api_key| RevokeApiKeyResponse { api_key, ..RevokeApiKeyResponse::default() };
    on_key.run(node, call, command, reply).await
}

/// Why, as a class and in words.
///
/// # Errors
/// No class, or OTHER without words.
pub(super) fn why(number: i32, text: &str) -> Result<(RevocationReason, ReasonText), Refusal> {
    let reason = reason(number)?;
    let text = ReasonText::new(text).in_field("reason_text")?;
    if reason == RevocationReason::Other && text.as_str().is_empty() {
        return Err(Refusal::field("reason_text", "is required with OTHER"));
    }
    Ok((reason, text))
}

fn reason(number: i32) -> Result<RevocationReason, Refusal> {
    match fields::variant("reason", number)? {
        wire::RevocationReason::Unspecified => Err(Refusal::field("reason", "is required")),
        wire::RevocationReason::Compromised => Ok(RevocationReason::Compromised),
        wire::RevocationReason::Superseded => Ok(RevocationReason::Superseded),
        wire::RevocationReason::Unused => Ok(RevocationReason::Unused),
        wire::RevocationReason::OwnerLeft => Ok(RevocationReason::OwnerLeft),
        wire::RevocationReason::Other => Ok(RevocationReason::Other),
    }
}
