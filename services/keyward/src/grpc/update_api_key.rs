//! UpdateApiKey: changes what is set on a key, field by field of a mask (AIP-134).

use std::collections::HashSet;
use std::sync::Arc;

use api::v1::{self as wire, UpdateApiKeyRequest, UpdateApiKeyResponse};
use domain::api_key::{ApiKeyCommand, Changes};
use domain::{Description, EmailAddress, Labels, Name, Sealed};
use prost::Message;

use super::call::{Call, refuse_large};
use super::fields;
use super::status::{InField, Refusal};
use super::switch::{Found, on_key};
use crate::data_keys::Sealer;
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: UpdateApiKeyRequest,
) -> Result<UpdateApiKeyResponse, Refusal> {
    let api_key = request.api_key.as_ref();
    // Only the address list may make the message larger than others.
    let listed = api_key.map_or(&[][..], |key| &key.ip_allowlist);
    let addresses: usize = listed.iter().map(|entry| entry.len() + 3).sum();
    refuse_large(request.encoded_len().saturating_sub(addresses))?;
    let on_key = on_key!(request, fields::wait(request.wait)?);
    let api_key = api_key.ok_or_else(|| Refusal::field("api_key", "is required"))?;
    let asked = Asked::read(&request, api_key)?;
    let mut found = on_key.find(&node, &call).await?;
    let changes = asked.changes(&node, &mut found).await?;
    let command = |now| ApiKeyCommand::Update { changes: Box::new(changes), now };
    let reply = |api_key| UpdateApiKeyResponse { api_key, ..UpdateApiKeyResponse::default() };
    let changed = on_key.change(&node, &call, found, command, reply).await;
    changed.map_err(|refusal| refusal.renamed("expires_at", "api_key.expires_at"))
}

/// A request whose every field was checked; nothing is sealed yet.
#[derive(Default)]
struct Asked {
    changes: Changes,
    /// `Some(None)`: none from now on.
    owner_email: Option<Option<EmailAddress>>,
    /// What the mask says of the addresses, which two fields describe.
    restricted: Option<bool>,
}

impl Asked {
    fn read(request: &UpdateApiKeyRequest, api_key: &wire::ApiKey) -> Result<Self, Refusal> {
        let paths = request.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() {
            return Err(Refusal::field("update_mask", "must name the fields to change"));
        }
        let (mut asked, mut seen) = (Self::default(), HashSet::new());
        // Each once: a mask can name the list of addresses thousands of times.
        for (at, path) in paths.iter().enumerate().filter(|(_, path)| seen.insert(path.as_str())) {
            if !asked.field(path, api_key, request.allow_any_address)? {
                return Err(Refusal::field(
                    format!("update_mask.paths[{at}]"),
                    "must be one of name, description, owner, owner.owner_email, owner.user_id, \
                     owner.service_account_id, scopes, ip_allowlist, ip_restricted, \
                     allowed_domains, allow_localhost, not_before, expires_at, metadata",
                ));
            }
        }
        asked.settle_addresses()?;
        Ok(asked)
    }

    /// Takes in the field at `path`; `false` if there is none that can be changed.
    fn field(&mut self, path: &str, key: &wire::ApiKey, any: bool) -> Result<bool, Refusal> {
        let changes = &mut self.changes;
        match path {
            "name" => changes.name = Some(Name::new(key.name.clone()).in_field("api_key.name")?),
            "description" => {
                let description = Description::new(key.description.clone());
                changes.description = Some(description.in_field("api_key.description")?);
            }
            "owner" => {
                self.principal(key)?;
                self.email(key)?;
            }
            "owner.user_id" | "owner.service_account_id" => self.principal(key)?,
            "owner.owner_email" => self.email(key)?,
            "scopes" => {
                changes.scopes = Some(fields::scopes("api_key.scopes", key.scopes.clone())?);
            }
            "ip_allowlist" => {
                let list = fields::networks("api_key.ip_allowlist", &key.ip_allowlist, any)?;
                changes.ip_allowlist = Some(Some(list.unwrap_or_default()));
            }
            "ip_restricted" => self.restricted = Some(key.ip_restricted),
            "allowed_domains" => {
                let rules = fields::domains("api_key.allowed_domains", &key.allowed_domains, false);
                changes.domains = Some(rules?.patterns);
            }
            "allow_localhost" => changes.allow_localhost = Some(key.allow_localhost),
            "not_before" => {
                changes.not_before = Some(fields::moment("api_key.not_before", key.not_before)?);
            }
            "expires_at" => {
                changes.expires_at = Some(fields::moment("api_key.expires_at", key.expires_at)?);
            }
            "metadata" => {
                let labels = Labels::new(key.metadata.clone()).in_field("api_key.metadata")?;
                changes.metadata = Some(labels);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn principal(&mut self, key: &wire::ApiKey) -> Result<(), Refusal> {
        let principal = key.owner.as_ref().and_then(|owner| owner.principal.clone());
        self.changes.principal = Some(fields::principal("api_key.owner", principal)?);
        Ok(())
    }

    fn email(&mut self, key: &wire::ApiKey) -> Result<(), Refusal> {
        let text = key.owner.as_ref().map(|owner| owner.owner_email.clone()).unwrap_or_default();
        let email = fields::optional("api_key.owner.owner_email", text, EmailAddress::new)?;
        self.owner_email = Some(email);
        Ok(())
    }

    fn settle_addresses(&mut self) -> Result<(), Refusal> {
        let listed = self.changes.ip_allowlist.as_ref().map(|list| list.iter().flatten().count());
        match (self.restricted, listed) {
            (None, _) | (Some(true), Some(1..)) => {}
            (Some(false), None | Some(0)) => self.changes.ip_allowlist = Some(None),
            (Some(false), Some(_)) => {
                let rule = "must be empty where `ip_restricted` is changed to false";
                return Err(Refusal::field("api_key.ip_allowlist", rule));
            }
            (Some(true), None | Some(0)) => {
                let rule = "true needs entries in `ip_allowlist`, and its name in the mask";
                return Err(Refusal::field("api_key.ip_restricted", rule));
            }
        }
        Ok(())
    }

    /// Seals what must be sealed, and notes what the answer is to show of it.
    async fn changes(self, node: &Node, found: &mut Found) -> Result<Changes, Refusal> {
        let mut changes = self.changes;
        if let Some(email) = self.owner_email {
            let text = email.as_ref().map(EmailAddress::as_str).unwrap_or_default();
            let unreadable =
                found.owner_email.is_empty() && found.key.settings.owner.email.is_some();
            if text != found.owner_email || unreadable {
                changes.email = Some(sealed(node, found, email.as_ref()).await?);
                text.clone_into(&mut found.owner_email);
            }
        }
        Ok(changes)
    }
}

async fn sealed(
    node: &Node,
    found: &Found,
    email: Option<&EmailAddress>,
) -> Result<Option<Sealed>, Refusal> {
    let Some(email) = email else {
        return Ok(None);
    };
    let dek =
        node.data_keys.active(found.key.workspace_id, found.key.key_id, node.clock.now()).await?;
    let sealer = Sealer { dek: &dek, resource: found.key.key_id.uuid() };
    Ok(Some(sealer.personal("owner_email", email.as_str())?))
}
