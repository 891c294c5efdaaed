//! `POST /v2/workspace/apikeyconfig/update`
//!
//! The flags are one change, and the key of each provider is one: a failure in between leaves what came
//! before it done, and the same request again does the rest.

use std::collections::BTreeSet;

use api::v1::{Config, DocumentAccess, ErrorReason, PutConfigSecretRequest, UpdateConfigRequest};
use http::StatusCode;
use prost_types::FieldMask;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{needed_data, request_id, text};
use super::config::{AiModels, access, masked};
use super::credentials::{Key, Level};
use super::envelope::{Outcome, told};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// What is to change; at least one member.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltUpdateConfig)]
pub(super) struct Asked {
    enable_private_comments: Option<bool>,
    require_jwt_token: Option<bool>,
    require_auto_org_user: Option<bool>,
    /// `public`, `restricted` or `organizationPrivate`.
    #[schema(pattern = "^(public|restricted|organizationPrivate)$")]
    default_document_access_type: Option<String>,
    ai_model_api_key: Option<Vec<ModelKey>>,
}

/// The key of a provider of models. It is kept sealed, and shown as a mask.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltModelKey)]
struct ModelKey {
    /// `openai`, `anthropic` or `gemini`.
    #[schema(required, nullable = false, pattern = "^(openai|anthropic|gemini)$")]
    provider: Option<String>,
    #[schema(required, nullable = false, min_length = 1)]
    customer_api_key: Option<String>,
}

/// What was changed, as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltUpdatedConfig)]
pub(super) struct Updated {
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_private_comments: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_jwt_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_auto_org_user: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_document_access_type: Option<&'static str>,
    #[serde(skip_serializing_if = "AiModels::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, super::config::MaskedModel>)]
    ai_models_config: AiModels,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let key = Key::of(&call.head)?;
    let asked: Asked = needed_data(call)?;
    let (config, paths) = asked.changes()?;
    let secrets = secrets(asked.ai_model_api_key.unwrap_or_default())?;
    if paths.is_empty() && secrets.is_empty() {
        let message = "At least one field must be provided for update";
        return Err(Refusal::of_http(StatusCode::BAD_REQUEST, ErrorReason::FieldInvalid, message));
    }
    let request_id = request_id(call)?;
    let mut now = Config::default();
    if !paths.is_empty() {
        let message = UpdateConfigRequest {
            config: Some(config),
            update_mask: Some(FieldMask { paths: paths.iter().map(|&it| it.into()).collect() }),
            request_id: request_id.clone(),
            ..UpdateConfigRequest::default()
        };
        let updated = call.keys().update_config(key.request(call, message)).await?.into_inner();
        now = updated.config.ok_or_else(Refusal::internal)?;
    }
    let providers: BTreeSet<_> = secrets.iter().map(|(provider, _)| provider.clone()).collect();
    for (provider, secret) in secrets {
        let request_id = match request_id.as_str() {
            "" => String::new(),
            request_id => format!("{request_id}/{provider}"),
        };
        let field = format!("ai_models.{provider}");
        let message = PutConfigSecretRequest {
            field,
            secret,
            request_id,
            ..PutConfigSecretRequest::default()
        };
        let put = call.keys().put_config_secret(key.request(call, message)).await?.into_inner();
        now = put.config.ok_or_else(Refusal::internal)?;
    }
    let access = access(now.default_document_access());
    let set = |name: &str| paths.contains(&name);
    let models = now.ai_models.into_iter().filter(|(provider, _)| providers.contains(provider));
    let updated = Updated {
        enable_private_comments: set(COMMENTS).then_some(now.private_comments_enabled),
        require_jwt_token: set(JWT).then_some(now.require_jwt_token),
        require_auto_org_user: set(AUTO).then_some(now.require_auto_org_user),
        default_document_access_type: set(ACCESS).then_some(access),
        ai_models_config: models.map(masked).collect(),
    };
    Outcome::new("API key configuration updated successfully.", updated).reply()
}

const COMMENTS: &str = "private_comments_enabled";
const JWT: &str = "require_jwt_token";
const AUTO: &str = "require_auto_org_user";
const ACCESS: &str = "default_document_access";

impl Asked {
    /// The flags that are there, and their names.
    fn changes(&self) -> Result<(Config, Vec<&'static str>), Refusal> {
        let (mut config, mut paths) = (Config::default(), Vec::new());
        for (path, asked, flag) in [
            (COMMENTS, self.enable_private_comments, &mut config.private_comments_enabled),
            (JWT, self.require_jwt_token, &mut config.require_jwt_token),
            (AUTO, self.require_auto_org_user, &mut config.require_auto_org_user),
        ] {
            if let Some(asked) = asked {
                *flag = asked;
                paths.push(path);
            }
        }
        if let Some(named) = &self.default_document_access_type {
            let all = [
                DocumentAccess::Public,
                DocumentAccess::Restricted,
                DocumentAccess::OrganizationPrivate,
            ];
            let rule = "must be \"public\", \"restricted\" or \"organizationPrivate\"";
            let known = all.into_iter().find(|&one| access(one) == named);
            let known = known.ok_or_else(|| Refusal::field("defaultDocumentAccessType", rule))?;
            config.default_document_access = known.into();
            paths.push(ACCESS);
        }
        Ok((config, paths))
    }
}

/// Providers and their keys.
fn secrets(keys: Vec<ModelKey>) -> Result<Vec<(String, String)>, Refusal> {
    let each = |(at, key): (usize, ModelKey)| {
        let member = |name: &str| format!("aiModelApiKey[{at}].{name}");
        let provider = text(&member("provider"), key.provider)?;
        if !matches!(provider.as_str(), "openai" | "anthropic" | "gemini") {
            let rule = "must be \"openai\", \"anthropic\" or \"gemini\"";
            return Err(Refusal::field(member("provider"), rule));
        }
        Ok((provider, text(&member("customerApiKey"), key.customer_api_key)?))
    };
    keys.into_iter().enumerate().map(each).collect()
}
