//! `POST /v2/workspace/apikeyconfig/get`

use std::collections::BTreeMap;

use api::v1::{AiModel, Config, DocumentAccess, GetConfigRequest, Plan};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::credentials::{Key, Level};
use super::envelope::{Outcome, told};
use crate::call::Call;
use crate::free;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// The configuration of a key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltConfig)]
pub(super) struct Configured {
    owner_email: String,
    /// `type`, or the members of a plan of the workspace's own.
    #[schema(value_type = Object)]
    plan_info: PlanInfo,
    /// `public`, `restricted` or `organizationPrivate`.
    #[schema(pattern = "^(public|restricted|organizationPrivate)$")]
    default_document_access_type: &'static str,
    is_private_comments_enabled: bool,
    require_jwt_token: bool,
    require_auto_org_user: bool,
    /// By provider; not there if there is none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, MaskedModel>)]
    ai_models_config: AiModels,
}

/// A plan by its type, or one of the workspace's own.
#[derive(Serialize)]
#[serde(untagged)]
enum PlanInfo {
    Typed { r#type: String },
    Custom(Map<String, Value>),
}

/// Models by their provider, in alphabetical order.
pub(super) type AiModels = BTreeMap<String, MaskedModel>;

/// A provider's key, as a mask.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltMaskedModel)]
pub(super) struct MaskedModel {
    display_text: String,
}

/// Answers the call. Whatever its body is, it is not read.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let request = Key::of(&call.head)?.request(call, GetConfigRequest::default());
    let answer = call.keys().get_config(request).await?.into_inner();
    let config = answer.config.ok_or_else(Refusal::internal)?;
    Outcome::new("API key metadata retrieved successfully.", Configured::from(config)).reply()
}

impl From<Config> for Configured {
    fn from(config: Config) -> Self {
        Self {
            default_document_access_type: access(config.default_document_access()),
            owner_email: config.owner_email,
            plan_info: config.plan.unwrap_or_default().into(),
            is_private_comments_enabled: config.private_comments_enabled,
            require_jwt_token: config.require_jwt_token,
            require_auto_org_user: config.require_auto_org_user,
            ai_models_config: config.ai_models.into_iter().map(masked).collect(),
        }
    }
}

impl From<Plan> for PlanInfo {
    fn from(plan: Plan) -> Self {
        match plan.custom_data.filter(|_| plan.custom) {
            Some(members) => Self::Custom(free::members(members)),
            None => Self::Typed { r#type: plan.r#type },
        }
    }
}

/// A provider and the mask of its key.
pub(super) fn masked((provider, model): (String, AiModel)) -> (String, MaskedModel) {
    (provider, MaskedModel { display_text: model.display_text })
}

/// What the product calls it.
pub(super) fn access(access: DocumentAccess) -> &'static str {
    match access {
        DocumentAccess::Unspecified | DocumentAccess::Public => "public",
        DocumentAccess::Restricted => "restricted",
        DocumentAccess::OrganizationPrivate => "organizationPrivate",
    }
}
