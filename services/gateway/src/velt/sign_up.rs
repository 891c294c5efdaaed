//! `POST /v2/workspace/create`: whoever asks gets a workspace, if the operator lets them.
//!
//! The gateway asks with a credential of its own, which may make workspaces and nothing else. The new
//! workspace's own token then makes its first key, as the product does. The token is shown this once, so that
//! it is answered even if there is no key.

use std::collections::BTreeMap;

use api::v1::{
    ApiKey, CreateApiKeyRequest, CreateApiKeyResponse, CreateWorkspaceRequest,
    CreateWorkspaceResponse, Environment, ErrorReason, Owner as KeyOwner, Plan,
};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{needed_data, request_id, text};
use super::envelope::{Outcome, refused};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Where the first key is answered: the body stays as it is documented, which names it by its id.
static API_KEY: HeaderName = HeaderName::from_static("x-velt-api-key");

/// Who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltCreateWorkspace)]
pub(super) struct Asked {
    #[schema(required, nullable = false, format = "email", max_length = 254)]
    owner_email: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    workspace_name: Option<String>,
    #[schema(max_length = 2000)]
    avatar: Option<String>,
}

/// A new workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltCreatedWorkspace)]
pub(super) struct Made {
    id: String,
    name: String,
    owner: Owner,
    auth_token: String,
    api_key_list: BTreeMap<String, Listed>,
}

/// As it was sent: people are not kept, so that they have no id.
#[derive(Serialize, ToSchema)]
#[schema(as = VeltWorkspaceOwner)]
struct Owner {
    email: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltFirstKey)]
struct Listed {
    api_key_name: String,
    id: String,
    r#type: &'static str,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { run(&call).await.unwrap_or_else(|refusal| refused(&refusal, None)) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let shared = &call.node.shared;
    let Some(own) = shared.files.workspace() else {
        let (http, reason) = (StatusCode::FORBIDDEN, ErrorReason::PermissionDenied);
        return Err(Refusal::of_http(http, reason, "Workspaces can't be created here."));
    };
    let asked: Asked = needed_data(call)?;
    if !request_id(call)?.is_empty() {
        // All who sign up are one caller of the service: who guessed another's would get that token.
        return Err(Refusal::field("Idempotency-Key", "must not be sent here"));
    }
    let (workspace_name, owner) = asked.checked()?;
    shared.signing_up.admit(call.head.client).map_err(|after| {
        let limited = "Rate limit exceeded for this endpoint. Try again later.";
        Refusal::address_limited(after).saying(limited)
    })?;
    let made = workspace(call, own.header(), workspace_name).await?;
    let key = first_key(call, &made, &owner.email).await;
    answered(made, owner, key)
}

impl Asked {
    /// The name of the workspace, and whose it is.
    fn checked(self) -> Result<(String, Owner), Refusal> {
        let email = text("ownerEmail", self.owner_email)?;
        if !is_email(&email) {
            let rule = "must be an e-mail address of at most 254 bytes";
            return Err(Refusal::field("ownerEmail", rule));
        }
        let named = |member: &str, text: Option<String>| match text {
            Some(text) if !(1..=200).contains(&text.chars().count()) => {
                Err(Refusal::field(member, "must have 1 to 200 characters"))
            }
            text => Ok(text),
        };
        let name = named("name", self.name)?.unwrap_or_else(|| email.clone());
        let workspace = named("workspaceName", self.workspace_name)?;
        if self.avatar.as_ref().is_some_and(|url| url.chars().count() > 2_000) {
            return Err(Refusal::field("avatar", "must have at most 2000 characters"));
        }
        let workspace = workspace.unwrap_or_else(|| format!("{name} workspace"));
        Ok((workspace, Owner { email, name, avatar: self.avatar }))
    }
}

/// Whether the service will take it for one, as far as can be told here: a workspace without its first key
/// is made of what only the service knows better.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let local_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    let local = (1..=64).contains(&local.len())
        && !dots
        && local.bytes().all(|byte| !byte.is_ascii() || local_byte(byte));
    let host = idna::domain_to_ascii_strict(host).is_ok_and(|host| host.contains('.'));
    text.len() <= 254 && local && host
}

/// Makes the workspace with the gateway's own credential.
async fn workspace(
    call: &Call,
    own: &HeaderValue,
    name: String,
) -> Result<CreateWorkspaceResponse, Refusal> {
    let message = CreateWorkspaceRequest { name, request_id: String::new() };
    let mut request = call.request(message);
    request.metadata_mut().as_mut().insert(AUTHORIZATION, own.clone());
    let made = call.workspaces().create_workspace(request).await;
    made.map(tonic::Response::into_inner).map_err(|status| {
        let refusal = Refusal::from(status);
        if matches!(refusal.http(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            tracing::error!(
                reason = refusal.reason(),
                "the credential of --velt-workspace-credential-file may not make workspaces"
            );
            return Refusal::unreachable();
        }
        match refusal.service_violation() {
            Some(("name", rule)) => Refusal::field("workspaceName", rule),
            Some(_) | None => refusal,
        }
    })
}

/// The first key of a workspace, made by its own token.
async fn first_key(
    call: &Call,
    made: &CreateWorkspaceResponse,
    email: &str,
) -> Option<CreateApiKeyResponse> {
    let (local, _) = email.split_once('@')?;
    let mut letters = local.chars();
    let first = letters.next()?.to_uppercase();
    let message = CreateApiKeyRequest {
        workspace_id: made.workspace.as_ref()?.workspace_id.clone(),
        name: format!("{first}{} Test API Key", letters.as_str()),
        env: Environment::Test.into(),
        owner: Some(KeyOwner { owner_email: email.to_owned(), principal: None }),
        plan: Some(Plan { r#type: "sdk test".to_owned(), ..Plan::default() }),
        ..CreateApiKeyRequest::default()
    };
    let mut request = call.request(message);
    let bearer = secret(format!("Bearer {}", made.workspace_token))?;
    request.metadata_mut().as_mut().insert(AUTHORIZATION, bearer);
    match call.keys().create_api_key(request).await {
        Ok(made) => Some(made.into_inner()),
        Err(status) => {
            let refusal = Refusal::from(status);
            tracing::warn!(reason = refusal.reason(), "a new workspace has no first key");
            None
        }
    }
}

fn answered(
    made: CreateWorkspaceResponse,
    owner: Owner,
    key: Option<CreateApiKeyResponse>,
) -> Result<Reply, Refusal> {
    let workspace = made.workspace.ok_or_else(Refusal::internal)?;
    let (key, whole) = key.map_or((None, None), |made| (made.api_key, secret(made.secret)));
    let listed = |ApiKey { key_id, name, .. }: ApiKey| {
        (key_id.clone(), Listed { api_key_name: name, id: key_id, r#type: "testing" })
    };
    let data = Made {
        id: workspace.workspace_id,
        name: workspace.name,
        owner,
        auth_token: made.workspace_token,
        api_key_list: key.map(listed).into_iter().collect(),
    };
    let mut reply = Outcome::new("Workspace created successfully", data).reply()?;
    if let Some(whole) = whole {
        reply.headers_mut().insert(&API_KEY, whole);
    }
    Ok(reply)
}

fn secret(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
