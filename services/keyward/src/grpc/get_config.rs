//! GetConfig: the configuration of a key, as it is or as it was, its secrets as masks.
//!
//! As it is, from the read model; as it was, folded from the log.

use std::sync::Arc;

use api::v1::get_config_request::AsOf;
use api::v1::{self as wire, GetConfigRequest, GetConfigResponse};
use domain::{KeyId, WorkspaceId};
use eventlog::{Position, Projection};
use readmodel::config::Configs;
use readmodel::keys::Keys;
use verifier::EnvSet;

use super::call::Call;
use super::past::End;
use super::status::{Refusal, Resource};
use super::{convert, on_config, reading};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: GetConfigRequest,
) -> Result<GetConfigResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::Config)?;
    let end = match request.as_of {
        Some(AsOf::AsOfPosition(position)) => Some(End::Position(Position::new(position))),
        Some(AsOf::AsOfTime(at)) => Some(End::time(&node, "as_of_time", at)?),
        None => None,
    };
    let config = match end {
        Some(end) => then(&node, &call, workspace, key_id, end, &request.at_least).await?,
        None => now(&node, &call, workspace, key_id, &request.at_least).await?,
    };
    Ok(GetConfigResponse { config: Some(config) })
}

async fn now(
    node: &Node,
    call: &Call,
    workspace: WorkspaceId,
    key_id: KeyId,
    at_least: &str,
) -> Result<wire::Config, Refusal> {
    let needed = [Configs.name(), Keys.name()];
    let client = reading::of_workspace(node, workspace, &needed, at_least).await?;
    let missing = || Refusal::not_found(Resource::Config, key_id.to_string());
    let row = readmodel::config::get(&**client, workspace, key_id).await?.ok_or_else(missing)?;
    let envs = call.caller.envs();
    if envs != EnvSet::BOTH {
        let key = readmodel::keys::get(&**client, workspace, key_id).await?;
        key.filter(|row| envs.contains(row.key.settings.env)).ok_or_else(missing)?;
    }
    drop(client);
    let from_email = row.config.settings.email.from_email.as_ref();
    let opened =
        on_config::open(node, workspace, key_id, row.owner_email.as_ref(), from_email).await?;
    Ok(convert::config(&row.config, row.revision, &row.domains, opened))
}

async fn then(
    node: &Node,
    call: &Call,
    workspace: WorkspaceId,
    key_id: KeyId,
    end: End,
    at_least: &str,
) -> Result<wire::Config, Refusal> {
    let head = reading::log_since(node, workspace, at_least).await?;
    end.moment(node, workspace, head, "as_of_position").await?;
    let is_past = |event: &_| end.is_behind(event);
    let known = on_config::visible(node, call, workspace, key_id, is_past).await?;
    let opened = on_config::opened(node, &known).await?;
    let domains = &known.key.settings.domains;
    Ok(convert::config(&known.config, known.revision, domains, opened))
}
