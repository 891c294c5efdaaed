//! What every reading RPC does before its query: wait until the read model has all that was written
//! before the call came in, and all that the caller's consistency token names; and the verifier, which
//! says what is there at all and what can't be decided.

use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use domain::WorkspaceId;
use eventlog::Position;

use super::standing;
use super::status::Refusal;
use crate::freshness::NotFresh;
use crate::node::Node;

/// How long a read waits for its read model, and for the verifier.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection as [`connection`] gives, to read of a workspace that is there.
///
/// # Errors
/// As there; or the workspace is not there, or is quarantined.
pub async fn of_workspace(
    node: &Node,
    workspace: WorkspaceId,
    projections: &[&str],
    at_least: &str,
) -> Result<Object, Refusal> {
    let client = connection(node, projections, at_least).await?;
    standing::existing(node, workspace)?;
    Ok(client)
}

/// Waits until this node knows everything that was in the log when this was called, for a read of the
/// log itself; the workspace must be there.
///
/// # Errors
/// As [`log_since`].
pub async fn log_of_workspace(node: &Node, workspace: WorkspaceId) -> Result<Position, Refusal> {
    log_since(node, workspace, "").await
}

/// As [`log_of_workspace`], and at least `at_least` if it is not empty.
///
/// # Errors
/// The database does not answer, this node is too far behind, or the token is wrong; or the workspace
/// is not there, or is quarantined.
pub async fn log_since(
    node: &Node,
    workspace: WorkspaceId,
    at_least: &str,
) -> Result<Position, Refusal> {
    let head = caught_up(node, &[], at_least).await?;
    standing::existing(node, workspace)?;
    Ok(head)
}

/// A connection that sees, in the read model of `projection`, everything that was in the log when
/// this was called, and at least `at_least` if it is not empty.
///
/// # Errors
/// The database does not answer, the read model is too far behind, or the token is wrong.
pub async fn connection(
    node: &Node,
    projections: &[&str],
    at_least: &str,
) -> Result<Object, Refusal> {
    caught_up(node, projections, at_least).await?;
    let began = Instant::now();
    let client = node.database.client().await?;
    metrics::histogram!("keyward_pool_wait_seconds").record(began.elapsed().as_secs_f64());
    Ok(client)
}

/// The head of the log, once verifier and read models have it.
async fn caught_up(node: &Node, projections: &[&str], at_least: &str) -> Result<Position, Refusal> {
    let asked = match at_least {
        "" => Position::ZERO,
        token => node.freshness.read_token(token)?,
    };
    let head = node.commands.log().head().await?.position;
    if asked > head {
        return Err(Refusal::new(
            api::v1::ErrorReason::ConsistencyTokenNotReached,
            "the log has not reached the consistency token",
        )
        .retry_after(Duration::from_millis(500)));
    }
    for projection in projections {
        node.checkpoints.wait_for(projection, head, PATIENCE).await?;
    }
    if !node.freshness.wait_for(head, PATIENCE).await {
        return Err(NotFresh::LeaseExpired.into());
    }
    Ok(head)
}
