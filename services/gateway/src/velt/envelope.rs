//! What is answered: `{"result": ...}`, or `{"error": {"status", "message"}}`.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::credentials::Level;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply, with_headers};
use crate::wording;

#[derive(Serialize)]
struct Answer<T> {
    result: Outcome<T>,
}

/// A success.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome<T> {
    status: &'static str,
    message: &'static str,
    data: T,
    #[serde(skip_serializing_if = "String::is_empty")]
    next_page_token: String,
}

impl<T: Serialize> Outcome<T> {
    /// With this sentence, and what was asked for.
    pub(super) const fn new(message: &'static str, data: T) -> Self {
        Self { status: "success", message, data, next_page_token: String::new() }
    }

    /// Not the last page.
    pub(super) fn and_then(mut self, next_page_token: String) -> Self {
        self.next_page_token = next_page_token;
        self
    }

    /// As it leaves.
    pub(super) fn reply(self) -> Result<Reply, Refusal> {
        let body = serde_json::to_vec(&Answer { result: self });
        Ok(reply(StatusCode::OK, JSON, body.map_err(|_| Refusal::internal())?))
    }
}

/// A refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = VeltFailure)]
pub(super) struct Failure<'a> {
    error: Error<'a>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = VeltError)]
struct Error<'a> {
    /// The name of a code of `google.rpc.Code`.
    status: &'static str,
    /// For people.
    message: &'a str,
}

/// An answer to whoever has called with credentials of this level.
pub(super) fn told(level: Level, outcome: Result<Reply, Refusal>) -> Reply {
    outcome.unwrap_or_else(|refusal| refused(&refusal, Some(level)))
}

/// A refusal. Of a path without credentials there is no level.
pub(super) fn refused(refusal: &Refusal, level: Option<Level>) -> Reply {
    let (http, status, message) = match level.filter(|_| of_credentials(refusal)) {
        Some(level) => (StatusCode::FORBIDDEN, "PERMISSION_DENIED", level.sentence().to_owned()),
        None => (refusal.http(), status(refusal), message(refusal)),
    };
    let http = if status == "INTERNAL" { StatusCode::INTERNAL_SERVER_ERROR } else { http };
    let failure = Failure { error: Error { status, message: &message } };
    let body = serde_json::to_vec(&failure).unwrap_or_default();
    with_headers(reply(http, JSON, body), refusal)
}

/// Whether it is about who calls: no credentials, wrong ones, two, or a workspace that is not theirs.
fn of_credentials(refusal: &Refusal) -> bool {
    refusal.http() == StatusCode::UNAUTHORIZED
        || matches!(refusal.reason(), "TWO_CREDENTIALS" | "WORKSPACE_NOT_FOUND")
        || matches!(refusal.service_violation(), Some(("workspace_id", _)))
}

/// The status, which goes with the HTTP status.
fn status(refusal: &Refusal) -> &'static str {
    match refusal.http().as_u16() {
        400 if refusal.status() == "FAILED_PRECONDITION" => "FAILED_PRECONDITION",
        400 | 413 | 415 => "INVALID_ARGUMENT",
        401 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => refusal.status(),
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

fn message(refusal: &Refusal) -> String {
    if let Some((path, rule)) = refusal.service_violation() {
        return sentence(format!("{} {rule}", member(path)));
    }
    if let Some((member, rule)) = refusal.violation() {
        return sentence(format!("{member} {rule}"));
    }
    match refusal.reason() {
        "API_KEY_NOT_FOUND" | "CONFIG_NOT_FOUND" => "API key not found.".to_owned(),
        _ if status(refusal) == "INTERNAL" => "Internal error.".to_owned(),
        _ => sentence(wording::message(refusal).to_owned()),
    }
}

fn sentence(mut text: String) -> String {
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// The service's fields as the product names them.
const MEMBERS: [(&str, &str); 33] = [
    ("owner.owner_email", "ownerEmail"),
    ("name", "apiKeyName"),
    ("api_key.name", "apiKeyName"),
    ("plan.type", "planInfo.type"),
    ("plan.custom_data", "customPlanInfoData"),
    ("plan", "planInfo"),
    ("allowed_domains", "allowedDomains"),
    ("email.api_key", "emailServiceConfig.apiKey"),
    ("email.type", "emailServiceConfig.type"),
    ("email.from_email", "emailServiceConfig.fromEmail"),
    ("email.from_company", "emailServiceConfig.fromCompany"),
    ("email.comment_template_id", "emailServiceConfig.commentTemplateId"),
    ("email.tag_template_id", "emailServiceConfig.tagTemplateId"),
    ("webhook.auth_token", "webhookServiceConfig.authToken"),
    ("webhook.raw_notification_url", "webhookServiceConfig.rawNotificationUrl"),
    ("webhook.processed_notification_url", "webhookServiceConfig.processedNotificationUrl"),
    ("config.allowed_domains", "domains"),
    ("api_key.allowed_domains", "domains"),
    ("config.email.type", "emailServiceConfig.type"),
    ("config.default_document_access", "defaultDocumentAccessType"),
    ("config.email.api_key", "emailServiceConfig.apiKey"),
    ("config.email.from_email", "emailServiceConfig.fromEmail"),
    ("config.email.from_company", "emailServiceConfig.fromCompany"),
    ("config.email.comment_template_id", "emailServiceConfig.commentTemplateId"),
    ("config.email.tag_template_id", "emailServiceConfig.tagTemplateId"),
    ("config.webhook.raw_notification_url", "webhookServiceConfig.rawNotificationUrl"),
    ("config.webhook.processed_notification_url", "webhookServiceConfig.processedNotificationUrl"),
    ("key_ids", "apiKeys"),
    ("key_id", "apiKey"),
    ("secret", "aiModelApiKey.customerApiKey"),
    ("page_size", "pageSize"),
    ("page_token", "pageToken"),
    ("request_id", "Idempotency-Key"),
];

/// What the product calls the field at this path of the service.
fn member(path: &str) -> String {
    let named = MEMBERS.iter().find_map(|(field, member)| {
        let rest = path.strip_prefix(field)?;
        (rest.is_empty() || rest.starts_with(['[', '.'])).then(|| format!("{member}{rest}"))
    });
    named.unwrap_or_else(|| path.to_owned())
}
