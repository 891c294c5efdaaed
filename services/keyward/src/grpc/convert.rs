//! From the domain to the wire, once: resources as clients see them.

use std::collections::BTreeMap;

use api::v1 as wire;
use domain::api_key::{ApiKey, Revocation, Status};
use domain::auth_token::AuthToken;
use domain::config::{
    Config, DocumentAccess, EmailProvider, EmailService, Plan, TemplateId, WebhookService,
    WebhookUrl,
};
use domain::service_credential::{Permission, ServiceCredential};
use domain::workspace::Workspace;
use domain::{Brand, CredentialKind, CredentialRecord, Env, Principal, RevocationReason, display};
use jiff::Timestamp;

/// The etag of a resource at a revision of its stream (AIP-154).
#[must_use]
pub fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// A moment.
#[must_use]
pub fn moment(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_microsecond().div_euclid(1_000_000),
        nanos: i32::try_from(at.as_microsecond().rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    }
}

/// A world.
#[must_use]
pub const fn environment(env: Env) -> wire::Environment {
    match env {
        Env::Live => wire::Environment::Live,
        Env::Test => wire::Environment::Test,
    }
}

/// Why a key was revoked.
#[must_use]
pub const fn revocation_reason(reason: RevocationReason) -> wire::RevocationReason {
    match reason {
        RevocationReason::Compromised => wire::RevocationReason::Compromised,
        RevocationReason::Superseded => wire::RevocationReason::Superseded,
        RevocationReason::Unused => wire::RevocationReason::Unused,
        RevocationReason::OwnerLeft => wire::RevocationReason::OwnerLeft,
        RevocationReason::Other => wire::RevocationReason::Other,
    }
}

/// A user or service account.
#[must_use]
pub fn principal(principal: &Principal) -> wire::owner::Principal {
    match principal {
        Principal::User(id) => wire::owner::Principal::UserId(id.clone()),
        Principal::ServiceAccount(id) => wire::owner::Principal::ServiceAccountId(id.clone()),
    }
}

/// A key, with its owner's e-mail address as the vault opened it.
#[must_use]
pub fn api_key(
    brand: &Brand,
    key: &ApiKey,
    revision: u64,
    owner_email: String,
    now: Timestamp,
) -> wire::ApiKey {
    let settings = &key.settings;
    let newest = key.credentials.last().map(|credential| &credential.record);
    let shown =
        |record: &CredentialRecord| display(brand, record.key_kind(), settings.env, record.kid);
    let owner = (settings.owner.principal.is_some() || !owner_email.is_empty()).then(|| {
        wire::Owner { owner_email, principal: settings.owner.principal.as_ref().map(principal) }
    });
    wire::ApiKey {
        key_id: key.key_id.to_string(),
        workspace_id: key.workspace_id.to_string(),
        name: settings.name.as_str().to_owned(),
        env: environment(settings.env).into(),
        status: status(key.status(now)).into(),
        owner,
        display: newest.map(shown).unwrap_or_default(),
        scopes: settings.scopes.iter().map(ToString::to_string).collect(),
        description: settings.description.as_str().to_owned(),
        ip_allowlist: settings.ip_allowlist.iter().flatten().map(ToString::to_string).collect(),
        ip_restricted: settings.ip_allowlist.is_some(),
        allowed_domains: settings.domains.patterns.iter().map(ToString::to_string).collect(),
        allow_localhost: settings.domains.allow_localhost,
        not_before: settings.not_before.map(moment),
        expires_at: settings.expires_at.map(moment),
        create_time: Some(moment(key.created_at)),
        created_by: key.created_by.clone(),
        update_time: Some(moment(key.updated_at)),
        disable_time: key.disabled_at.map(moment),
        revocation: key.revoked.as_ref().map(revocation),
        metadata: settings.metadata.pairs().clone(),
        credentials: key
            .credentials
            .iter()
            .rev()
            .map(|credential| wire::Credential {
                kid: credential.record.kid.to_string(),
                display: shown(&credential.record),
                generation: i32::try_from(credential.generation).unwrap_or(i32::MAX),
                create_time: Some(moment(credential.created_at)),
                not_after: credential.not_after.map(moment),
                last_use: None,
            })
            .collect(),
        last_use: None,
        etag: etag(revision),
        delete_time: key.deleted_at.map(moment),
    }
}

fn revocation(revocation: &Revocation) -> wire::Revocation {
    wire::Revocation {
        reason: revocation_reason(revocation.reason).into(),
        reason_text: revocation.text.as_str().to_owned(),
        revoke_time: Some(moment(revocation.at)),
        revoked_by: revocation.by.clone(),
    }
}

const fn status(status: Status) -> wire::ApiKeyStatus {
    match status {
        Status::Revoked => wire::ApiKeyStatus::Revoked,
        Status::Disabled => wire::ApiKeyStatus::Disabled,
        Status::NotYetValid => wire::ApiKeyStatus::NotYetValid,
        Status::Expired => wire::ApiKeyStatus::Expired,
        Status::Active => wire::ApiKeyStatus::Active,
    }
}

/// What the vault opened for a configuration.
#[derive(Clone, Default)]
pub struct OpenedConfig {
    /// The owner's e-mail address; empty for none.
    pub owner_email: String,
    /// The sender's e-mail address; empty for none.
    pub from_email: String,
}

/// A configuration: secrets as their masks.
#[must_use]
pub fn config(
    config: &Config,
    revision: u64,
    domains: &domain::DomainRules,
    opened: OpenedConfig,
) -> wire::Config {
    let settings = &config.settings;
    wire::Config {
        key_id: config.key_id.to_string(),
        workspace_id: config.workspace_id.to_string(),
        owner_email: opened.owner_email,
        plan: (settings.plan != Plan::default()).then(|| wire::Plan {
            r#type: settings
                .plan
                .kind
                .as_ref()
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            custom: settings.plan.custom.is_some(),
            custom_data: settings.plan.custom.as_ref().map(super::json::to_struct),
        }),
        default_document_access: match settings.default_document_access {
            DocumentAccess::Public => wire::DocumentAccess::Public,
            DocumentAccess::Restricted => wire::DocumentAccess::Restricted,
            DocumentAccess::OrganizationPrivate => wire::DocumentAccess::OrganizationPrivate,
        }
        .into(),
        private_comments_enabled: settings.private_comments_enabled,
        require_jwt_token: settings.require_jwt_token,
        require_auto_org_user: settings.require_auto_org_user,
        allowed_domains: domains.patterns.iter().map(ToString::to_string).collect(),
        allow_localhost: domains.allow_localhost,
        email: (settings.email != EmailService::default())
            .then(|| email(&settings.email, opened.from_email)),
        webhook: (settings.webhook != WebhookService::default())
            .then(|| webhook(&settings.webhook)),
        ai_models: settings
            .ai_models
            .iter()
            .map(|(provider, secret)| {
                (provider.as_str().to_owned(), wire::AiModel { display_text: secret.mask.clone() })
            })
            .collect::<BTreeMap<_, _>>(),
        update_time: Some(moment(config.updated_at)),
        etag: etag(revision),
    }
}

fn mask(secret: Option<&domain::SealedSecret>) -> String {
    secret.map(|secret| secret.mask.clone()).unwrap_or_default()
}

fn email(email: &EmailService, from_email: String) -> wire::EmailService {
    let template =
        |id: &Option<TemplateId>| id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    wire::EmailService {
        enabled: email.enabled,
        r#type: match email.provider {
            EmailProvider::Default => wire::EmailServiceType::Default,
            EmailProvider::Sendgrid => wire::EmailServiceType::Sendgrid,
        }
        .into(),
        api_key_mask: mask(email.api_key.as_ref()),
        from_email,
        from_company: email
            .from_company
            .as_ref()
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default(),
        comment_template_id: template(&email.comment_template_id),
        tag_template_id: template(&email.tag_template_id),
    }
}

fn webhook(webhook: &WebhookService) -> wire::WebhookService {
    let url = |url: &Option<WebhookUrl>| {
        url.as_ref().map(|url| url.as_str().to_owned()).unwrap_or_default()
    };
    wire::WebhookService {
        enabled: webhook.enabled,
        auth_token_mask: mask(webhook.auth_token.as_ref()),
        raw_notification_url: url(&webhook.raw_notification_url),
        processed_notification_url: url(&webhook.processed_notification_url),
    }
}

/// A workspace.
#[must_use]
pub fn workspace(brand: &Brand, workspace: &Workspace, revision: u64) -> wire::Workspace {
    let (status, suspend_time, reason) = match &workspace.suspended {
        Some((at, reason)) => {
            (wire::WorkspaceStatus::Suspended, Some(moment(*at)), reason.as_str().to_owned())
        }
        None => (wire::WorkspaceStatus::Active, None, String::new()),
    };
    let kid = workspace.token.kid;
    wire::Workspace {
        workspace_id: workspace.workspace_id.to_string(),
        name: workspace.name.as_str().to_owned(),
        status: status.into(),
        token_display: display(brand, CredentialKind::WorkspaceToken, Env::Live, kid),
        create_time: Some(moment(workspace.created_at)),
        created_by: workspace.created_by.clone(),
        update_time: Some(moment(workspace.updated_at)),
        suspend_time,
        suspend_reason_text: reason,
        etag: etag(revision),
    }
}

/// A service credential.
#[must_use]
pub fn service_credential(
    brand: &Brand,
    credential: &ServiceCredential,
    revision: u64,
) -> wire::ServiceCredential {
    let display = |secret: &CredentialRecord| {
        display(brand, CredentialKind::ServiceCredential, Env::Live, secret.kid)
    };
    wire::ServiceCredential {
        service_credential_id: credential.service_credential_id.to_string(),
        name: credential.name.as_str().to_owned(),
        permissions: credential.permissions.iter().map(|&one| permission(one).into()).collect(),
        workspace_ids: credential.bounds.workspaces.iter().map(ToString::to_string).collect(),
        envs: credential.bounds.envs.iter().map(|&env| environment(env).into()).collect(),
        display: credential.proof.secret().map(display).unwrap_or_default(),
        create_time: Some(moment(credential.created_at)),
        created_by: credential.created_by.clone(),
        revoke_time: credential.revoked_at.map(moment),
        etag: etag(revision),
        identity: credential.proof.identity().map(ToString::to_string).unwrap_or_default(),
    }
}

/// An auth token of a key, without its secret.
#[must_use]
pub fn auth_token(
    brand: &Brand,
    key: &ApiKey,
    token: &AuthToken,
    revision: u64,
) -> wire::AuthToken {
    let (env, kid) = (key.settings.env, token.credential.kid);
    let patterns = &token.domains.patterns;
    wire::AuthToken {
        auth_token_id: token.auth_token_id.to_string(),
        key_id: key.key_id.to_string(),
        name: token.name.as_str().to_owned(),
        display: display(brand, CredentialKind::AuthToken, env, kid),
        expires_at: token.expires_at.map(moment),
        allowed_domains: patterns.iter().map(ToString::to_string).collect(),
        allow_localhost: token.domains.allow_localhost,
        create_time: Some(moment(token.created_at)),
        created_by: token.issued_by.as_ref().unwrap_or(&key.created_by).clone(),
        reset_time: token.reset_at.map(moment),
        revoke_time: token.revoked_at.map(moment),
        etag: etag(revision),
    }
}

const fn permission(permission: Permission) -> wire::Permission {
    match permission {
        Permission::Verify => wire::Permission::Verify,
        Permission::Reveal => wire::Permission::Reveal,
        Permission::AuditRead => wire::Permission::AuditRead,
        Permission::OrgRead => wire::Permission::OrgRead,
        Permission::OrgReadWrite => wire::Permission::OrgReadWrite,
        Permission::WorkspaceCreate => wire::Permission::WorkspaceCreate,
    }
}
