//! Calls with a key and an auth token of it: good for that key's configuration, and for nothing else. A pair
//! that is not right is not told what is wrong with it.

use std::time::Duration;

use api::v1::{self as wire, ErrorReason, GetConfigRequest};
use harness::{Credentials, Pair, Refusal, Refused, Server, Tenant, of_key};
use tonic::Status;

mod accepted;
mod refused;

/// The configuration of the caller's own key, which needs no name.
async fn own_config(server: &Server, credentials: &Credentials) -> Result<wire::Config, Status> {
    let answer = server.client(credentials).keys.get_config(GetConfigRequest::default()).await?;
    Ok(answer.into_inner().config.unwrap())
}

fn moment(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

async fn pair(tenant: &Tenant) -> Pair {
    tenant.pair(tenant.key("a key")).await
}
