//! RotateApiKey: a new credential under the same id; the one before stays good for a grace.

use std::sync::Arc;

use api::v1::{RotateApiKeyRequest, RotateApiKeyResponse};
use domain::CredentialKind;
use domain::api_key::{ApiKey, ApiKeyCommand};
use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::fields;
use super::status::Refusal;
use super::switch::on_key;
use crate::node::Node;

const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: RotateApiKeyRequest,
) -> Result<RotateApiKeyResponse, Refusal> {
    let (grace, force) = (grace(request.grace.as_ref())?, request.force);
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let found = on_key.find(&node, &call).await?;
    let ApiKey { workspace_id, key_id, ref settings, .. } = found.key;
    let kind = CredentialKind::ApiKey;
    let drawn = node.draw(kind, settings.env, Some(workspace_id), key_id.uuid())?;
    let credential = drawn.record.clone();
    let command = |now: Timestamp| ApiKeyCommand::Rotate { credential, grace, force, now };
    let reply = |api_key| RotateApiKeyResponse {
        api_key,
        secret: drawn.text.expose().to_owned(),
        ..RotateApiKeyResponse::default()
    };
    on_key.change(&node, &call, found, command, reply).await
}

fn grace(asked: Option<&prost_types::Duration>) -> Result<SignedDuration, Refusal> {
    let Some(asked) = asked else {
        return Ok(DEFAULT_GRACE);
    };
    let refuse = || Refusal::field("grace", "must be from 0 s to 7 days");
    let valid = asked.seconds >= 0 && (0..1_000_000_000).contains(&asked.nanos);
    if !valid || asked.seconds > LONGEST_GRACE.as_secs() {
        return Err(refuse());
    }
    let grace = SignedDuration::new(asked.seconds, asked.nanos / 1_000 * 1_000);
    if grace > LONGEST_GRACE { Err(refuse()) } else { Ok(grace) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_from_nothing_to_seven_days_and_a_day_if_none_is_asked_for() {
        let asked = |seconds, nanos| grace(Some(&prost_types::Duration { seconds, nanos })).ok();
        assert_eq!(grace(None).ok(), Some(SignedDuration::from_hours(24)));
        assert_eq!(asked(0, 0), Some(SignedDuration::ZERO));
        assert_eq!(asked(1, 1_999), Some(SignedDuration::new(1, 1_000)));
        assert_eq!(asked(604_800, 0), Some(LONGEST_GRACE));
        for (seconds, nanos) in
            [(604_800, 1_000), (604_801, 0), (-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)]
        {
            assert_eq!(asked(seconds, nanos), None, "{seconds} s {nanos} ns");
        }
    }
}
