//! VerifyLog: checks a part of the log's chain, as `keyward verify-log` does the whole.

use std::sync::Arc;
use std::time::Duration;

use api::v1::{VerifyLogRequest, VerifyLogResponse};
use eventlog::{LogError, Part, Position};

use super::call::Call;
use super::status::Refusal;
use crate::node::Node;

const DEFAULT_EVENTS: u64 = 10_000;
const MOST_EVENTS: u64 = 100_000;
const LONGEST: Duration = Duration::from_secs(10);

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    _: Call,
    request: VerifyLogRequest,
) -> Result<VerifyLogResponse, Refusal> {
    let part = part(&request)?;
    match node.commands.log().verify_part(&part).await {
        Ok(checked) => Ok(VerifyLogResponse {
            sound: true,
            checked_position: checked.position.get(),
            mac: checked.mac.to_vec(),
            head_position: checked.head.position.get(),
            ..VerifyLogResponse::default()
        }),
        Err(LogError::Corrupt { position, what }) => {
            tracing::error!(%position, %what, "the log is not sound: see the runbook");
            let (wrong_position, fault) = (position.get(), what.to_string());
            Ok(VerifyLogResponse { wrong_position, fault, ..VerifyLogResponse::default() })
        }
        Err(error) => Err(error.into()),
    }
}

fn part(request: &VerifyLogRequest) -> Result<Part, Refusal> {
    let events = match u64::try_from(request.max_events) {
        Ok(0) => DEFAULT_EVENTS,
        Ok(events) => events.min(MOST_EVENTS),
        Err(_) => return Err(Refusal::field("max_events", "must not be negative")),
    };
    let mac = match request.mac.as_slice() {
        [] => None,
        mac => Some(mac.try_into().map_err(|_| Refusal::field("mac", "must have 32 bytes"))?),
    };
    Ok(Part { after: Position::new(request.after_position), mac, events, within: LONGEST })
}
