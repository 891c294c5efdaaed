//! CreateApiKey: draws a key, its secret and, if asked for, an auth token; all in one append.

use std::sync::Arc;

use api::v1::{CreateApiKeyRequest, CreateApiKeyResponse, ErrorReason};
use domain::api_key::{ApiKeyCommand, Settings};
use domain::auth_token::{AuthTokenCommand, AuthTokenSettings};
use domain::config::ConfigCommand;
use domain::{
    AuthTokenId, CredentialKind, CredentialRecord, Description, DomainRules, EmailAddress, Env,
    KeyId, Labels, Name, Owner, WorkspaceId,
};
use jiff::Timestamp;
use prost::Message;

use super::call::{Call, refuse_large};
use super::config_fields::{ConfigFields, PlainConfig};
use super::mutation::{Mutation, Wait};
use super::status::{InField, Refusal, Resource};
use super::{convert, fields, standing};
use crate::commands::{Folded, Intent, Subject};
use crate::data_keys::Sealer;
use crate::entropy;
use crate::node::{Drawn, Node};

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: CreateApiKeyRequest,
) -> Result<CreateApiKeyResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    // Who may not is told so, whatever else is wrong.
    call.caller.makes(fields::env("env", request.env)?.unwrap_or(Env::Live))?;
    // Only the address list may make the message larger than others.
    let addresses: usize = request.ip_allowlist.iter().map(|entry| entry.len() + 3).sum();
    refuse_large(request.encoded_len().saturating_sub(addresses))?;
    let asked = Asked::read(&request)?;
    if standing::existing(&node, workspace)?.suspended {
        return Err(Refusal::new(ErrorReason::WorkspaceSuspended, "the workspace is suspended"));
    }
    let now = node.clock.now();
    let key_id = KeyId::new(entropy::uuid_v7(now)?);
    let env = asked.env;
    let drawn = node.draw(CredentialKind::ApiKey, env, Some(workspace), key_id.uuid())?;
    let auth_token = match request.create_auth_token {
        true => Some(NewAuthToken::draw(&node, workspace, env, now)?),
        false => None,
    };
    let owner_email = asked.owner_email.as_ref().map(|email| email.as_str().to_owned());
    let intents = asked
        .intents(&node, &call, workspace, key_id, &drawn.record, auth_token.as_ref(), now)
        .await?;
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::ApiKey, key_id.to_string()),
        wait: Wait::None,
    };
    let reply = |folded: &[Folded]| CreateApiKeyResponse {
        api_key: folded.first().and_then(|folded| match &folded.subject {
            Subject::ApiKey(state) => state.present().map(|key| {
                let email = owner_email.clone().unwrap_or_default();
                convert::api_key(&node.brand, key, folded.revision, email, now)
            }),
            Subject::Workspace(_)
            | Subject::Config(_)
            | Subject::AuthTokens(_)
            | Subject::ServiceCredential(_) => None,
        }),
        secret: drawn.text.expose().to_owned(),
        auth_token: auth_token
            .as_ref()
            .map(|token| token.drawn.text.expose().to_owned())
            .unwrap_or_default(),
        consistency_token: String::new(),
    };
    mutation.run(&node, &intents, reply).await
}

/// A request whose every field was checked; nothing is sealed or drawn yet.
pub(super) struct Asked {
    pub(super) env: Env,
    owner_email: Option<EmailAddress>,
    settings: Settings,
    config: PlainConfig,
}

impl Asked {
    pub(super) fn read(request: &CreateApiKeyRequest) -> Result<Self, Refusal> {
        if request.name.is_empty() {
            return Err(Refusal::field("name", "is required"));
        }
        let owner = request.owner.clone().unwrap_or_default();
        let env = fields::env("env", request.env)?.unwrap_or(Env::Live);
        Ok(Self {
            env,
            settings: Settings {
                name: Name::new(request.name.clone()).in_field("name")?,
                env,
                owner: Owner {
                    principal: fields::principal("owner", owner.principal)?,
                    email: None,
                },
                description: Description::new(request.description.clone())
                    .in_field("description")?,
                scopes: fields::scopes("scopes", request.scopes.clone())?,
                ip_allowlist: fields::networks(
                    "ip_allowlist",
                    &request.ip_allowlist,
                    request.allow_any_address,
                )?,
                domains: fields::domains(
                    "allowed_domains",
                    &request.allowed_domains,
                    request.allow_localhost,
                )?,
                not_before: fields::moment("not_before", request.not_before)?,
                expires_at: fields::moment("expires_at", request.expires_at)?,
                metadata: Labels::new(request.metadata.clone()).in_field("metadata")?,
            },
            owner_email: fields::optional(
                "owner.owner_email",
                owner.owner_email,
                EmailAddress::new,
            )?,
            config: ConfigFields {
                plan: request.plan.clone(),
                email: request.email.clone(),
                webhook: request.webhook.clone(),
            }
            .read()?,
        })
    }

    /// Seals what must be sealed and puts together the streams that begin.
    #[expect(clippy::too_many_arguments, reason = "one call; a struct would only name them again")]
    pub(super) async fn intents(
        self,
        node: &Node,
        call: &Call,
        workspace: WorkspaceId,
        key_id: KeyId,
        credential: &CredentialRecord,
        auth_token: Option<&NewAuthToken>,
        now: Timestamp,
    ) -> Result<Vec<Intent>, Refusal> {
        let mut settings = self.settings;
        let config = if self.config.holds_secrets() || self.owner_email.is_some() {
            let dek = node.data_keys.first(workspace, key_id, now).await?;
            let sealer = Sealer { dek: &dek, resource: key_id.uuid() };
            if let Some(email) = &self.owner_email {
                settings.owner.email = Some(sealer.personal("owner_email", email.as_str())?);
            }
            self.config.seal(Some(&sealer))?
        } else {
            self.config.seal(None)?
        };
        let create = ApiKeyCommand::Create {
            key_id,
            workspace_id: workspace,
            created_by: call.caller.actor(),
            settings: Box::new(settings),
            credential: credential.clone(),
            now,
        };
        let configure = ConfigCommand::Create {
            key_id,
            workspace_id: workspace,
            settings: Box::new(config),
            now,
        };
        let mut intents = vec![
            Intent::ApiKey(workspace, key_id, create, None),
            Intent::Config(key_id, configure, None),
        ];
        intents.extend(auth_token.map(|token| token.intent(call, key_id, now)));
        Ok(intents)
    }
}

/// The auth token that comes with a key.
pub(super) struct NewAuthToken {
    id: AuthTokenId,
    name: Name,
    drawn: Drawn,
}

impl NewAuthToken {
    fn draw(
        node: &Node,
        workspace: WorkspaceId,
        env: Env,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let id = AuthTokenId::new(entropy::uuid_v7(now)?);
        let drawn = node.draw(CredentialKind::AuthToken, env, Some(workspace), id.uuid())?;
        Ok(Self { id, name: Name::new("default").in_field("create_auth_token")?, drawn })
    }

    fn intent(&self, call: &Call, key_id: KeyId, now: Timestamp) -> Intent {
        let name = self.name.clone();
        let issue = AuthTokenCommand::Issue {
            key_id,
            auth_token_id: self.id,
            issued_by: call.caller.actor(),
            settings: AuthTokenSettings { name, expires_at: None, domains: DomainRules::default() },
            credential: self.drawn.record.clone(),
            now,
        };
        Intent::AuthToken(key_id, issue, None)
    }
}
