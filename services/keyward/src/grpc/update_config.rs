//! UpdateConfig: changes the configuration of a key, field by field of a mask (AIP-134).
//!
//! Three of the fields are facts of the key: they become events of the key, by the rules of the key, in
//! the same append.

use std::collections::HashSet;
use std::sync::Arc;

use api::v1::{self as wire, UpdateConfigRequest, UpdateConfigResponse};
use domain::api_key::Changes;
use domain::config::{ConfigChanges, ConfigCommand, DocumentAccess, TemplateId, WebhookUrl};
use domain::{EmailAddress, Name};

use super::call::Call;
use super::caller::{Caller, denied};
use super::mutation::Wait;
use super::status::Refusal;
use super::switch::on_key;
use super::{config_fields, fields, on_config};
use crate::node::Node;

/// Those that a verifier judges by.
const ORIGINS: [&str; 2] = ["allowed_domains", "allow_localhost"];

/// Those that whoever has a key may not change of it.
const NOT_ITS_OWN: [&str; 4] = ["owner_email", "plan", "allowed_domains", "allow_localhost"];

/// What `email` stands for.
const EMAIL: [&str; 6] =
    ["enabled", "type", "from_email", "from_company", "comment_template_id", "tag_template_id"];

/// What `webhook` stands for.
const WEBHOOK: [&str; 3] = ["enabled", "raw_notification_url", "processed_notification_url"];

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: UpdateConfigRequest,
) -> Result<UpdateConfigResponse, Refusal> {
    let asked = Asked::read(&request)?;
    refuse_what_is_sold(&call.caller, &asked)?;
    let wait = match (fields::wait(request.wait)?, asked.names(&ORIGINS)) {
        (wait, true) => wait,
        // No verdict rests on anything else here.
        (Wait::None | Wait::AllVerifiers, false) => Wait::None,
    };
    let on_key = on_key!(request, wait);
    let mut found = on_config::find(&on_key, &node, &call).await?;
    let Asked { mut of_key, mut changes, owner_email, from_email, paths: _ } = asked;
    if let Some(email) = owner_email {
        of_key.email = found.sealed_owner(&node, email.as_ref()).await?;
    }
    if let Some(email) = from_email {
        changes.email.from_email = found.sealed_sender(&node, email.as_ref()).await?;
    }
    let command = |now| ConfigCommand::Update { changes: Box::new(changes), now };
    let reply = |config| UpdateConfigResponse { config, ..UpdateConfigResponse::default() };
    on_config::change(&on_key, &node, &call, found, of_key, command, reply).await
}

/// Refuses a key's own auth token what was sold or would widen the key.
fn refuse_what_is_sold(caller: &Caller, asked: &Asked<'_>) -> Result<(), Refusal> {
    if caller.only_key().is_some() && asked.names(&NOT_ITS_OWN) {
        return Err(denied("an auth token can't change owner_email, plan and domains of its key"));
    }
    Ok(())
}

/// A request whose every field was checked; nothing is sealed yet.
#[derive(Default)]
struct Asked<'a> {
    /// The mask.
    paths: HashSet<&'a str>,
    /// What becomes different of the key.
    of_key: Changes,
    /// What becomes different of the configuration.
    changes: ConfigChanges,
    /// `Some(None)`: none from now on.
    owner_email: Option<Option<EmailAddress>>,
    /// Likewise.
    from_email: Option<Option<EmailAddress>>,
}

impl<'a> Asked<'a> {
    fn read(request: &'a UpdateConfigRequest) -> Result<Self, Refusal> {
        let config = request.config.as_ref();
        let config = config.ok_or_else(|| Refusal::field("config", "is required"))?;
        let paths = request.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() {
            return Err(Refusal::field("update_mask", "must name the fields to change"));
        }
        let mut asked = Self::default();
        for (at, path) in paths.iter().enumerate() {
            if asked.paths.insert(path) && !asked.field(path, config)? {
                return Err(Refusal::field(
                    format!("update_mask.paths[{at}]"),
                    "must be one of owner_email, plan, default_document_access, \
                     private_comments_enabled, require_jwt_token, require_auto_org_user, \
                     allowed_domains, allow_localhost, email, email.enabled, email.type, \
                     email.from_email, email.from_company, email.comment_template_id, \
                     email.tag_template_id, webhook, webhook.enabled, \
                     webhook.raw_notification_url, webhook.processed_notification_url",
                ));
            }
        }
        Ok(asked)
    }

    /// Whether the mask names any of these.
    fn names(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.paths.contains(path))
    }

    /// Takes in the field at `path`; `false` if there is none that can be changed.
    fn field(&mut self, path: &str, config: &wire::Config) -> Result<bool, Refusal> {
        let (changes, of_key) = (&mut self.changes, &mut self.of_key);
        match path {
            "owner_email" => {
                let (path, text) = ("config.owner_email", config.owner_email.clone());
                self.owner_email = Some(fields::optional(path, text, EmailAddress::new)?);
            }
            "plan" => {
                let plan = config_fields::plan(config.plan.clone().unwrap_or_default());
                changes.plan = Some(plan.map_err(|refusal| refusal.within("config"))?);
            }
            "default_document_access" => {
                changes.default_document_access = Some(access(config.default_document_access)?);
            }
            "private_comments_enabled" => {
                changes.private_comments_enabled = Some(config.private_comments_enabled);
            }
            "require_jwt_token" => changes.require_jwt_token = Some(config.require_jwt_token),
            "require_auto_org_user" => {
                changes.require_auto_org_user = Some(config.require_auto_org_user);
            }
            "allowed_domains" => {
                let rules =
                    fields::domains("config.allowed_domains", &config.allowed_domains, false);
                of_key.domains = Some(rules?.patterns);
            }
            "allow_localhost" => of_key.allow_localhost = Some(config.allow_localhost),
            "email" => {
                for name in EMAIL {
                    self.email(name, config)?;
                }
            }
            "webhook" => {
                for name in WEBHOOK {
                    self.webhook(name, config)?;
                }
            }
            path => {
                return match path.split_once('.') {
                    Some(("email", name)) => self.email(name, config),
                    Some(("webhook", name)) => self.webhook(name, config),
                    Some(_) | None => Ok(false),
                };
            }
        }
        Ok(true)
    }

    fn email(&mut self, name: &str, config: &wire::Config) -> Result<bool, Refusal> {
        let email = config.email.clone().unwrap_or_default();
        let (changes, path) = (&mut self.changes.email, format!("config.email.{name}"));
        let template = |text| fields::optional(&path, text, TemplateId::new);
        match name {
            "enabled" => changes.enabled = Some(email.enabled),
            "type" => {
                changes.provider = Some(config_fields::email_provider(&path, email.r#type)?);
            }
            "from_email" => {
                let address = fields::optional(&path, email.from_email, EmailAddress::new)?;
                self.from_email = Some(address);
            }
            "from_company" => {
                let name = fields::optional(&path, email.from_company, Name::new)?;
                changes.from_company = Some(name);
            }
            "comment_template_id" => {
                changes.comment_template_id = Some(template(email.comment_template_id)?);
            }
            "tag_template_id" => changes.tag_template_id = Some(template(email.tag_template_id)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn webhook(&mut self, name: &str, config: &wire::Config) -> Result<bool, Refusal> {
        let webhook = config.webhook.clone().unwrap_or_default();
        let (changes, path) = (&mut self.changes.webhook, format!("config.webhook.{name}"));
        let url = |text| fields::optional(&path, text, WebhookUrl::new);
        match name {
            "enabled" => changes.enabled = Some(webhook.enabled),
            "raw_notification_url" => {
                changes.raw_notification_url = Some(url(webhook.raw_notification_url)?);
            }
            "processed_notification_url" => {
                changes.processed_notification_url = Some(url(webhook.processed_notification_url)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn access(number: i32) -> Result<DocumentAccess, Refusal> {
    Ok(match fields::variant("config.default_document_access", number)? {
        wire::DocumentAccess::Unspecified | wire::DocumentAccess::Public => DocumentAccess::Public,
        wire::DocumentAccess::Restricted => DocumentAccess::Restricted,
        wire::DocumentAccess::OrganizationPrivate => DocumentAccess::OrganizationPrivate,
    })
}
