//! What is kept beside the log does not grow for ever: replies to idempotent requests are cleared once
//! their time is over, the requests themselves are forgotten later, and so are verifiers that ended
//! without a word and the hourly counts of usage that are older than 90 days. So are, in memory, callers
//! whose guesses are long past.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{LogError, heartbeat};
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::usage;

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
                tracing::warn!(error, "what is past was not cleared");
            }
            node.guesses.forget_idle();
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
    let verifiers = heartbeat::forget_silent(&node.database).await?;
    crate::keyring::known::forget_gone(&node.database).await?;
    let mut hours = 0;
    loop {
        let deleted = usage::forget_hours(&node.database).await?;
        hours += deleted;
        if deleted == 0 {
            break;
        }
    }
    tracing::debug!(replies, requests, verifiers, hours, "what is past is cleared");
    Ok(())
}
