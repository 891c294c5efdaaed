//! What is kept of idempotent requests does not grow for ever: replies are cleared once their time is
//! over, and the requests themselves are forgotten later.

use std::sync::Arc;
use std::time::Duration;

use eventlog::LogError;
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// How often.
const EVERY: Duration = Duration::from_secs(60);

/// How long a request is remembered after its reply was cleared; after that its `request_id` is as good
/// as new. `CreateApiKeyRequest.request_id` promises it to clients.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Clears at once, for a node may have stood still for long, and then every minute.
pub(super) async fn keep_small(node: Arc<Node>, stop: CancellationToken) {
    let round = async {
        loop {
            if let Err(error) = clear(&node).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "old requests were not cleared");
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = round => {}
    }
}

async fn clear(node: &Node) -> Result<(), LogError> {
    let (log, now) = (node.commands.log(), node.clock.now());
    let replies = log.purge_requests(now).await?;
    let requests = log.forget_requests(now - REMEMBERED).await?;
    tracing::debug!(replies, requests, "old requests cleared");
    Ok(())
}
