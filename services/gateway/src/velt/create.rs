//! `POST /v2/workspace/apikey/create`

use api::v1::{
    CreateApiKeyRequest, EmailServiceSettings, EmailServiceType, Environment, Owner, Plan,
    WebhookServiceSettings,
};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::{needed_data, request_id, text};
use super::credentials::{Level, Workspace};
use super::envelope::{Outcome, told};
use crate::call::Call;
use crate::free;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// Where the auth token is answered: the body stays as it is documented.
static AUTH_TOKEN: HeaderName = HeaderName::from_static("x-velt-auth-token");

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltCreateApiKey)]
pub(super) struct Asked {
    /// Whose key it is.
    #[schema(required, nullable = false, format = "email", max_length = 254)]
    owner_email: Option<String>,
    /// `testing` or `production`.
    #[schema(required, nullable = false, pattern = "^(testing|production)$")]
    r#type: Option<String>,
    /// Whether an auth token of the key is made too. It is in the header `x-velt-auth-token` of the answer, once.
    create_auth_token: Option<bool>,
    /// `Testing Key` or `Production Key` if it is not there.
    #[schema(min_length = 1, max_length = 128)]
    api_key_name: Option<String>,
    plan_info: Option<PlanInfo>,
    /// Whether the plan is `customPlanInfoData`.
    custom_plan_info: Option<bool>,
    /// Goes with `customPlanInfo`: members of the workspace's own, up to 4 KiB.
    #[schema(value_type = Option<Object>)]
    custom_plan_info_data: Option<Map<String, Value>>,
    /// Who may use the key in a browser; scheme and `www.` are left out.
    allowed_domains: Option<Vec<String>>,
    /// Whether `localhost` and `127.0.0.1` may too.
    add_local_host_to_allowed_domains: Option<bool>,
    use_email_service: Option<bool>,
    use_webhook_service: Option<bool>,
    email_service_config: Option<EmailServiceConfig>,
    webhook_service_config: Option<WebhookServiceConfig>,
}

/// A plan by its type.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VeltPlan)]
struct PlanInfo {
    /// `sdk test` for testing keys and `production` for production ones if it is not there.
    r#type: Option<String>,
}

/// How e-mail is sent.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltEmailService)]
pub(super) struct EmailServiceConfig {
    /// `default` or `sendgrid`.
    #[schema(pattern = "^(default|sendgrid)$")]
    pub(super) r#type: Option<String>,
    /// The service's own key. It is kept sealed and never shown.
    pub(super) api_key: Option<String>,
    #[schema(max_length = 254)]
    pub(super) from_email: Option<String>,
    pub(super) from_company: Option<String>,
    pub(super) comment_template_id: Option<String>,
    pub(super) tag_template_id: Option<String>,
}

/// Where notifications go.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VeltWebhookService)]
pub(super) struct WebhookServiceConfig {
    /// What notifications are sent with. It is kept sealed and never shown.
    pub(super) auth_token: Option<String>,
    /// `https://...`
    #[schema(pattern = "^(https://\\S+)?$")]
    pub(super) raw_notification_url: Option<String>,
    /// `https://...`
    #[schema(pattern = "^(https://\\S+)?$")]
    pub(super) processed_notification_url: Option<String>,
}

/// A new key's text, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltCreatedApiKey)]
pub(super) struct Created {
    api_key: String,
}

/// Answers the call.
pub(super) fn answer(call: Call) -> Answering {
    Box::pin(async move { told(Level::Workspace, run(&call).await) })
}

async fn run(call: &Call) -> Result<Reply, Refusal> {
    let workspace = Workspace::of(&call.head)?;
    let asked: Asked = needed_data(call)?;
    let message = asked.message(workspace.id.clone(), request_id(call)?)?;
    let created = call.keys().create_api_key(workspace.request(call, message)).await?.into_inner();
    let data = Created { api_key: created.secret };
    let mut reply = Outcome::new("API key created successfully.", data).reply()?;
    if !created.auth_token.is_empty() {
        let mut token =
            HeaderValue::try_from(created.auth_token).map_err(|_| Refusal::internal())?;
        token.set_sensitive(true);
        reply.headers_mut().insert(&AUTH_TOKEN, token);
    }
    Ok(reply)
}

impl Asked {
    fn message(
        self,
        workspace_id: String,
        request_id: String,
    ) -> Result<CreateApiKeyRequest, Refusal> {
        let owner_email = text("ownerEmail", self.owner_email)?;
        let (env, name, plan) = match text("type", self.r#type)?.as_str() {
            "testing" => (Environment::Test, "Testing Key", "sdk test"),
            "production" => (Environment::Live, "Production Key", "production"),
            _ => return Err(Refusal::field("type", "must be \"testing\" or \"production\"")),
        };
        let named = self.api_key_name.unwrap_or_else(|| name.to_owned());
        let email = self.email_service_config.unwrap_or_default();
        let webhook = self.webhook_service_config.unwrap_or_default();
        Ok(CreateApiKeyRequest {
            workspace_id,
            name: text("apiKeyName", Some(named))?,
            env: env.into(),
            owner: Some(Owner { owner_email, principal: None }),
            plan: Some(plan_of(
                self.plan_info.and_then(|plan| plan.r#type).unwrap_or_else(|| plan.to_owned()),
                self.custom_plan_info.unwrap_or_default(),
                self.custom_plan_info_data,
            )?),
            allowed_domains: self.allowed_domains.unwrap_or_default(),
            allow_localhost: self.add_local_host_to_allowed_domains.unwrap_or_default(),
            email: Some(email.settings(self.use_email_service.unwrap_or_default())?),
            webhook: Some(webhook.settings(self.use_webhook_service.unwrap_or_default())),
            create_auth_token: self.create_auth_token.unwrap_or_default(),
            request_id,
            ..CreateApiKeyRequest::default()
        })
    }
}

/// A plan by its type, or, "instead of" that, one of the workspace's own.
fn plan_of(
    r#type: String,
    custom: bool,
    members: Option<Map<String, Value>>,
) -> Result<Plan, Refusal> {
    match (custom, members) {
        (false, None) => Ok(Plan { r#type, ..Plan::default() }),
        (true, Some(members)) => {
            let custom_data = Some(free::structure(members));
            Ok(Plan { r#type: String::new(), custom, custom_data })
        }
        (true, None) => Err(Refusal::field("customPlanInfoData", "is required")),
        (false, Some(_)) => {
            Err(Refusal::field("customPlanInfoData", "must come with customPlanInfo"))
        }
    }
}

impl EmailServiceConfig {
    fn settings(self, enabled: bool) -> Result<EmailServiceSettings, Refusal> {
        Ok(EmailServiceSettings {
            enabled,
            r#type: email_type(self.r#type.as_deref())?.into(),
            api_key: self.api_key.unwrap_or_default(),
            from_email: self.from_email.unwrap_or_default(),
            from_company: self.from_company.unwrap_or_default(),
            comment_template_id: self.comment_template_id.unwrap_or_default(),
            tag_template_id: self.tag_template_id.unwrap_or_default(),
        })
    }
}

/// By whose service e-mail is sent.
pub(super) fn email_type(named: Option<&str>) -> Result<EmailServiceType, Refusal> {
    match named {
        None | Some("default") => Ok(EmailServiceType::Default),
        Some("sendgrid") => Ok(EmailServiceType::Sendgrid),
        Some(_) => {
            Err(Refusal::field("emailServiceConfig.type", "must be \"default\" or \"sendgrid\""))
        }
    }
}

impl WebhookServiceConfig {
    fn settings(self, enabled: bool) -> WebhookServiceSettings {
        WebhookServiceSettings {
            enabled,
            auth_token: self.auth_token.unwrap_or_default(),
            raw_notification_url: self.raw_notification_url.unwrap_or_default(),
            processed_notification_url: self.processed_notification_url.unwrap_or_default(),
        }
    }
}
