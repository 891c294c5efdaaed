//! `POST /v2/workspace/apikeys/get`

use api::v1::{ApiKeyOrder, Environment, ListApiKeysRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::data;
use super::credentials::{Level, Workspace};
use super::envelope::{Outcome, told};
use super::named::or_none;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// The most keys of a page, and as many as there are if nothing is said.
const MOST: i64 = 100;

/// Which keys, and which page of them.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltGetApiKeys)]
pub(super) struct Asked {
    /// Ids, whole keys or masked ones; all keys if it is not there or empty.
    #[schema(max_items = 100)]
    api_keys: Option<Vec<String>>,
    /// 100 if it is 0, not there, or more.
    #[schema(minimum = 0)]
    page_size: Option<i64>,
    /// `nextPageToken` of the page before.
    page_token: Option<String>,
}

/// A live key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltApiKey)]
pub(super) struct Listed {
    id: String,
    api_key_name: String,
    /// `testing` or `production`.
    #[schema(pattern = "^(testing|production)$")]
    r#type: &'static str,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let workspace = Workspace::of(&call.head)?;
    let asked = data::<Asked>(call)?.unwrap_or_default();
    let page_size = match asked.page_size.unwrap_or_default() {
        0 => MOST,
        size @ 1.. => size.min(MOST),
        ..0 => return Err(Refusal::field("pageSize", "must not be negative")),
    };
    let key_ids = asked.api_keys.unwrap_or_default();
    let message = ListApiKeysRequest {
        workspace_id: workspace.id.clone(),
        page_size: i32::try_from(page_size).unwrap_or_default(),
        page_token: asked.page_token.unwrap_or_default(),
        order: ApiKeyOrder::ById.into(),
        key_ids: key_ids.into_iter().map(or_none).collect(),
        ..ListApiKeysRequest::default()
    };
    let page = call.keys().list_api_keys(workspace.request(call, message)).await?.into_inner();
    let listed = page.api_keys.into_iter().map(|key| Listed {
        r#type: type_of(key.env()),
        id: key.key_id,
        api_key_name: key.name,
    });
    let keys: Vec<_> = listed.collect();
    Outcome::new("API keys retrieved successfully.", keys).and_then(page.next_page_token).reply()
}

/// What the product calls the world of a key.
fn type_of(env: Environment) -> &'static str {
    match env {
        Environment::Test => "testing",
        Environment::Live | Environment::Unspecified => "production",
    }
}
