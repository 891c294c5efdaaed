//! ListAuthTokens: what is known of a key's auth tokens, but for their secrets. From the log, which has all
//! that was written.

use std::sync::Arc;

use api::v1::{ListAuthTokensRequest, ListAuthTokensResponse};

use super::call::Call;
use super::status::{Refusal, Resource};
use super::switch::visible;
use super::{convert, standing};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ListAuthTokensRequest,
) -> Result<ListAuthTokensResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    standing::existing(&node, workspace)?;
    let key = visible(&node, &call, workspace, key_id).await?;
    let (tokens, revision) = node.commands.auth_tokens(key_id).await?;
    let now = node.clock.now();
    let listed = tokens.0.iter().filter(|token| request.show_dead || token.live(now));
    let each = |token| convert::auth_token(&node.brand, &key, token, revision);
    Ok(ListAuthTokensResponse { auth_tokens: listed.map(each).collect() })
}
