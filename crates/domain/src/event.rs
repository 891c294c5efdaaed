//! Every event there is, and its stored form: a dotted kind, a schema number and JSON.
//!
//! A stored event is never edited. A changed shape gets the next schema number and an upcast beside
//! the old one; the golden files in `golden/events` prove that old bytes stay readable.

use crate::{KeyId, api_key, auth_token, config, service_credential, workspace};
use api_key::ApiKeyEvent;
use auth_token::AuthTokenEvent;
use config::{ConfigEvent, RevealEvent};
use service_credential::ServiceCredentialEvent;
use workspace::WorkspaceEvent;

/// A fact about any noun.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// About a workspace.
    Workspace(WorkspaceEvent),
    /// About an API key.
    ApiKey(ApiKeyEvent),
    /// About a configuration.
    Config(ConfigEvent),
    /// About a key's auth tokens.
    AuthToken(AuthTokenEvent),
    /// About a service credential.
    ServiceCredential(ServiceCredentialEvent),
    /// About who was shown the secrets of a configuration.
    Reveal(RevealEvent),
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A workspace.
    Workspace,
    /// An API key.
    ApiKey,
    /// A configuration.
    Config,
    /// A key's auth tokens.
    AuthToken,
    /// A service credential.
    ServiceCredential,
    /// Who was shown the secrets of a configuration.
    Reveal,
}

/// A stored event that this build can't read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A kind or schema of a newer build.
    #[error("unknown event kind `{kind}` with schema {schema}")]
    Unknown {
        /// The kind as stored.
        kind: String,
        /// The schema number as stored.
        schema: u16,
    },
    /// The payload is not of the kind's shape.
    #[error("the payload of a `{kind}` event can't be read")]
    Payload {
        /// The kind as stored.
        kind: String,
        /// What was wrong.
        source: serde_json::Error,
    },
}

macro_rules! events {
    ($( $kind:literal, $schema:literal => $noun:ident($event:ident::$variant:ident) ),+ $(,)?) => {
        impl Event {
            /// Every kind with its current schema number, in order of declaration.
            pub const KINDS: &[(&'static str, u16)] = &[$(($kind, $schema)),+];

            /// The dotted kind that it is stored under.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $( Self::$noun($event::$variant(_)) => $kind ),+ }
            }

            /// The schema number that it is written with.
            #[must_use]
            pub const fn schema(&self) -> u16 {
                match self { $( Self::$noun($event::$variant(_)) => $schema ),+ }
            }

            /// What the events of a stored kind and schema number are about; `None` if this build does
            /// not know them. A reader whom the noun does not concern need not decode the payload.
            #[must_use]
            pub fn noun(kind: &str, schema: u16) -> Option<Noun> {
                match (kind, schema) {
                    $( ($kind, $schema) => Some(Noun::$noun), )+
                    (_, _) => None,
                }
            }

            /// The payload to store.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self { $( Self::$noun($event::$variant(payload)) => to_json(payload) ),+ }
            }

            /// The event of a stored kind, schema number and payload.
            ///
            /// # Errors
            /// A kind or schema that this build does not know, or a payload of another shape.
            pub fn decode(kind: &str, schema: u16, payload: &[u8]) -> Result<Self, DecodeError> {
                match (kind, schema) {
                    $( ($kind, $schema) => serde_json::from_slice(payload)
                        .map(|payload| Self::$noun($event::$variant(payload)))
                        .map_err(|source| DecodeError::Payload { kind: kind.to_owned(), source }), )+
                    (_, _) => Err(DecodeError::Unknown { kind: kind.to_owned(), schema }),
                }
            }
        }
    };
}

events! {
    "workspace.created", 1 => Workspace(WorkspaceEvent::Created),
    "workspace.token_reset", 1 => Workspace(WorkspaceEvent::TokenReset),
    "workspace.suspended", 1 => Workspace(WorkspaceEvent::Suspended),
    "workspace.resumed", 1 => Workspace(WorkspaceEvent::Resumed),
    "api_key.created", 1 => ApiKey(ApiKeyEvent::Created),
    "api_key.disabled", 1 => ApiKey(ApiKeyEvent::Disabled),
    "api_key.enabled", 1 => ApiKey(ApiKeyEvent::Enabled),
    "api_key.revoked", 1 => ApiKey(ApiKeyEvent::Revoked),
    "api_key.renamed", 1 => ApiKey(ApiKeyEvent::Renamed),
    "api_key.redescribed", 1 => ApiKey(ApiKeyEvent::Redescribed),
    "api_key.owner_changed", 1 => ApiKey(ApiKeyEvent::OwnerChanged),
    "api_key.scopes_changed", 1 => ApiKey(ApiKeyEvent::ScopesChanged),
    "api_key.addresses_changed", 1 => ApiKey(ApiKeyEvent::AddressesChanged),
    "api_key.domains_changed", 1 => ApiKey(ApiKeyEvent::DomainsChanged),
    "api_key.validity_changed", 1 => ApiKey(ApiKeyEvent::ValidityChanged),
    "api_key.metadata_changed", 1 => ApiKey(ApiKeyEvent::MetadataChanged),
    "api_key.rotated", 1 => ApiKey(ApiKeyEvent::Rotated),
    "api_key.grace_ended", 1 => ApiKey(ApiKeyEvent::GraceEnded),
    "api_key.deleted", 1 => ApiKey(ApiKeyEvent::Deleted),
    "api_key.undeleted", 1 => ApiKey(ApiKeyEvent::Undeleted),
    "api_key.subject_erased", 1 => ApiKey(ApiKeyEvent::SubjectErased),
    "config.created", 1 => Config(ConfigEvent::Created),
    "auth_token.issued", 1 => AuthToken(AuthTokenEvent::Issued),
    "auth_token.reset", 1 => AuthToken(AuthTokenEvent::Reset),
    "auth_token.revoked", 1 => AuthToken(AuthTokenEvent::Revoked),
    "service_credential.created", 1 => ServiceCredential(ServiceCredentialEvent::Created),
    "service_credential.revoked", 1 => ServiceCredential(ServiceCredentialEvent::Revoked),
    "config.plan_changed", 1 => Config(ConfigEvent::PlanChanged),
    "config.document_access_changed", 1 => Config(ConfigEvent::DocumentAccessChanged),
    "config.private_comments_switched", 1 => Config(ConfigEvent::PrivateCommentsSwitched),
    "config.jwt_requirement_changed", 1 => Config(ConfigEvent::JwtRequirementChanged),
    "config.auto_org_user_changed", 1 => Config(ConfigEvent::AutoOrgUserChanged),
    "config.email_service_changed", 1 => Config(ConfigEvent::EmailServiceChanged),
    "config.webhook_service_changed", 1 => Config(ConfigEvent::WebhookServiceChanged),
    "config.secret_put", 1 => Config(ConfigEvent::SecretPut),
    "config.secret_deleted", 1 => Config(ConfigEvent::SecretDeleted),
    "config.subject_erased", 1 => Config(ConfigEvent::SubjectErased),
    "config.secret_revealed", 1 => Reveal(RevealEvent::Revealed),
}

fn to_json(payload: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).expect("event payloads have string keys and no failing serializer")
}

/// What events come to for those who do not fold them.
impl Event {
    /// Whether something that was accepted before may not be accepted after it, as far as the event
    /// alone can tell. Its command may wait until it is known everywhere.
    #[must_use]
    pub const fn takes_away(&self) -> bool {
        match self {
            Self::Workspace(event) => match event {
                WorkspaceEvent::TokenReset(_) | WorkspaceEvent::Suspended(_) => true,
                WorkspaceEvent::Created(_) | WorkspaceEvent::Resumed(_) => false,
            },
            Self::ApiKey(event) => match event {
                ApiKeyEvent::Disabled(_)
                | ApiKeyEvent::Revoked(_)
                | ApiKeyEvent::ScopesChanged(_)
                | ApiKeyEvent::AddressesChanged(_)
                | ApiKeyEvent::DomainsChanged(_)
                | ApiKeyEvent::ValidityChanged(_)
                | ApiKeyEvent::Rotated(_)
                | ApiKeyEvent::GraceEnded(_)
                | ApiKeyEvent::Deleted(_)
                | ApiKeyEvent::SubjectErased(_) => true,
                ApiKeyEvent::Created(_)
                | ApiKeyEvent::Enabled(_)
                | ApiKeyEvent::Renamed(_)
                | ApiKeyEvent::Redescribed(_)
                | ApiKeyEvent::OwnerChanged(_)
                | ApiKeyEvent::MetadataChanged(_)
                | ApiKeyEvent::Undeleted(_) => false,
            },
            Self::ServiceCredential(event) => match event {
                ServiceCredentialEvent::Revoked(_) => true,
                ServiceCredentialEvent::Created(_) => false,
            },
            Self::Config(_) | Self::Reveal(_) => false,
            // No verifier knows of auth tokens: each use reads the log, so the commit ends them.
            Self::AuthToken(event) => match event {
                AuthTokenEvent::Issued(_)
                | AuthTokenEvent::Reset(_)
                | AuthTokenEvent::Revoked(_) => false,
            },
        }
    }

    /// The names of all streams that hold events of one key, so that its history can be read.
    #[must_use]
    pub fn streams_of_key(key_id: KeyId) -> Vec<String> {
        ["", "/config", "/auth_tokens", "/reveals"]
            .iter()
            .map(|part| format!("{key_id}{part}"))
            .collect()
    }

    /// The name of the stream that this event goes to.
    #[must_use]
    pub fn stream(&self) -> String {
        match self {
            Self::Workspace(event) => event.workspace_id().to_string(),
            Self::ApiKey(event) => event.key_id().to_string(),
            Self::Config(event) => format!("{}/config", event.key_id()),
            Self::AuthToken(event) => format!("{}/auth_tokens", event.key_id()),
            Self::ServiceCredential(event) => event.service_credential_id().to_string(),
            Self::Reveal(event) => format!("{}/reveals", event.key_id()),
        }
    }
}
