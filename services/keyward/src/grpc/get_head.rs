//! GetHead: where the log ends, to be kept as an anchor.

use std::sync::Arc;

use api::v1::{GetHeadRequest, GetHeadResponse};
use eventlog::Position;

use super::call::Call;
use super::convert;
use super::status::Refusal;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    _: Call,
    _: GetHeadRequest,
) -> Result<GetHeadResponse, Refusal> {
    let log = node.commands.log();
    let head = log.head().await?;
    let last = match head.position.get().checked_sub(1) {
        None => None,
        Some(before) => log.read_from(Position::new(before), 1).await?.pop(),
    };
    Ok(GetHeadResponse {
        log_id: head.log_id.to_string(),
        position: head.position.get(),
        mac: head.mac.to_vec(),
        epoch: head.epoch,
        record_time: last.map(|event| convert::moment(event.recorded_at)),
    })
}
