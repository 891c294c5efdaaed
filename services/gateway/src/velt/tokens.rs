//! `POST /v2/workspace/authtokens/get` and `POST /v2/workspace/authtoken/reset`

use api::v1::{AuthToken, IssueAuthTokenRequest, ListAuthTokensRequest, ResetAuthTokenRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{needed_data, request_id, text};
use super::credentials::{Level, Workspace};
use super::envelope::{Outcome, told};
use super::keys::key_id;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Which key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltNamedApiKey)]
pub(super) struct Asked {
    /// Its id, the whole key or its masked form.
    #[schema(required, nullable = false, min_length = 1)]
    api_key: Option<String>,
}

/// A token: masked, but for the once that it is new.
#[derive(Serialize, ToSchema)]
#[schema(as = VeltAuthToken)]
struct Token {
    token: String,
    name: String,
    domains: Vec<String>,
}

/// The live tokens of a key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltAuthTokens)]
pub(super) struct Listed {
    api_key: String,
    auth_tokens: Vec<Token>,
}

/// The new token, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltResetAuthToken)]
pub(super) struct Reset {
    api_key: String,
    new_auth_token: Token,
}

/// Answers the tokens of a key, masked.
pub(super) fn list(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, listed(&call).await) })
}

/// Answers another secret of a key's token, which ends the one before: of the oldest if there are
/// several. A key without one gets one.
pub(super) fn reset(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, renewed(&call).await) })
}

async fn listed(call: &Call) -> Result<Reply, Refusal> {
    let (_, key_id, tokens) = of_key(call).await?;
    let tokens = tokens.into_iter().map(|mut token| {
        let masked = std::mem::take(&mut token.display);
        shown(token, masked)
    });
    let listed = Listed { api_key: key_id, auth_tokens: tokens.collect() };
    Outcome::new("Auth tokens retrieved successfully.", listed).reply()
}

async fn renewed(call: &Call) -> Result<Reply, Refusal> {
    let (workspace, key_id, tokens) = of_key(call).await?;
    let request_id = request_id(call)?;
    let made = |token: &AuthToken| token.create_time.map(|at| (at.seconds, at.nanos));
    let (token, secret) = match tokens.into_iter().min_by_key(made) {
        Some(token) => {
            let message = ResetAuthTokenRequest {
                workspace_id: workspace.id.clone(),
                key_id: key_id.clone(),
                auth_token_id: token.auth_token_id,
                request_id,
                ..ResetAuthTokenRequest::default()
            };
            let reset = call.keys().reset_auth_token(workspace.request(call, message)).await?;
            let reset = reset.into_inner();
            (reset.auth_token, reset.secret)
        }
        None => {
            let message = IssueAuthTokenRequest {
                workspace_id: workspace.id.clone(),
                key_id: key_id.clone(),
                name: "default".to_owned(),
                request_id,
                ..IssueAuthTokenRequest::default()
            };
            let issued = call.keys().issue_auth_token(workspace.request(call, message)).await?;
            let issued = issued.into_inner();
            (issued.auth_token, issued.secret)
        }
    };
    let token = shown(token.ok_or_else(Refusal::internal)?, secret);
    let reset = Reset { api_key: key_id, new_auth_token: token };
    Outcome::new("Auth token reset successfully.", reset).reply()
}

/// The key that is named, and its live tokens.
async fn of_key(call: &Call) -> Result<(Workspace, String, Vec<AuthToken>), Refusal> {
    let workspace = Workspace::of(&call.head)?;
    let asked: Asked = needed_data(call)?;
    let key_id = key_id(call, &workspace, text("apiKey", asked.api_key)?).await?;
    let message = ListAuthTokensRequest {
        workspace_id: workspace.id.clone(),
        key_id: key_id.clone(),
        show_dead: false,
    };
    let listed = call.keys().list_auth_tokens(workspace.request(call, message)).await?;
    Ok((workspace, key_id, listed.into_inner().auth_tokens))
}

fn shown(token: AuthToken, text: String) -> Token {
    Token { token: text, name: token.name, domains: token.allowed_domains }
}
