//! `POST /v2/workspace/domains/get`

use serde::Serialize;
use utoipa::ToSchema;

use super::credentials::Level;
use super::envelope::{Outcome, told};
use super::holder::{Holder, unknown_is_invalid};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// What the product shows for the switch that lets this very machine present a key.
pub(super) const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// Who may use the key in a browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltDomains)]
pub(super) struct Listed {
    allowed_domains: Vec<String>,
}

/// Answers the call. Whatever its body is, it is not read.
pub(super) fn list(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, run(&call).await.map_err(unknown_is_invalid)) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let config = Holder::of(call).await?.config(call).await?;
    let local = LOCAL.into_iter().filter(|_| config.allow_localhost);
    let allowed_domains = local.map(str::to_owned).chain(config.allowed_domains).collect();
    Outcome::new("Allowed domains retrieved successfully.", Listed { allowed_domains }).reply()
}
