//! GetConfig: the configuration of a key, its secrets as masks.

use std::sync::Arc;

use api::v1::{GetConfigRequest, GetConfigResponse};

use eventlog::Projection;
use readmodel::config::Configs;
use readmodel::keys::Keys;
use verifier::EnvSet;

use super::call::Call;
use super::convert::OpenedConfig;
use super::status::{Refusal, Resource};
use super::{convert, reading};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: GetConfigRequest,
) -> Result<GetConfigResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::Config)?;
    let needed = [Configs.name(), Keys.name()];
    let client = reading::of_workspace(&node, workspace, &needed, &request.at_least).await?;
    let missing = || Refusal::not_found(Resource::Config, key_id.to_string());
    let row = readmodel::config::get(&**client, workspace, key_id).await?.ok_or_else(missing)?;
    let envs = call.caller.envs();
    if envs != EnvSet::BOTH {
        let key = readmodel::keys::get(&**client, workspace, key_id).await?;
        key.filter(|row| envs.contains(row.key.settings.env)).ok_or_else(missing)?;
    }
    drop(client);
    let resource = key_id.uuid();
    let open = async |field: &str, sealed: Option<&domain::Sealed>| match sealed {
        Some(sealed) => node
            .data_keys
            .open_personal(workspace, resource, field, sealed)
            .await
            .map(Option::unwrap_or_default),
        None => Ok(String::new()),
    };
    let opened = OpenedConfig {
        owner_email: open("owner_email", row.owner_email.as_ref()).await?,
        from_email: open("email.from_email", row.config.settings.email.from_email.as_ref()).await?,
    };
    let config = convert::config(&row.config, row.revision, &row.domains, opened);
    Ok(GetConfigResponse { config: Some(config) })
}
