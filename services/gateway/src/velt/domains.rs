//! `POST /v2/workspace/domains/get`

use api::v1::GetConfigRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::credentials::{Key, Level};
use super::envelope::{Outcome, told};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Who may use the key in a browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltDomains)]
pub(super) struct Listed {
    allowed_domains: Vec<String>,
}

/// Answers the call. Whatever its body is, it is not read.
pub(super) fn list(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let request = Key::of(&call.head)?.request(call, GetConfigRequest::default());
    let answer = call.keys().get_config(request).await?.into_inner();
    let config = answer.config.ok_or_else(Refusal::internal)?;
    let local = ["localhost", "127.0.0.1"].into_iter().filter(|_| config.allow_localhost);
    let allowed_domains = local.map(str::to_owned).chain(config.allowed_domains).collect();
    Outcome::new("Allowed domains retrieved successfully.", Listed { allowed_domains }).reply()
}
