//! What a refused call answers: the only file that names gRPC codes.
//!
//! Every refusal carries `google.rpc.ErrorInfo` with a reason of `error_reason.proto` (AIP-193), bad
//! input also `BadRequest`, a missing thing `ResourceInfo`, a passing trouble `RetryInfo`. What is
//! not listed here is INTERNAL with a fixed text; its chain of causes is logged once, here.

mod causes;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use api::v1::{self as wire, ErrorReason};
use domain::InvalidValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

pub use causes::{overloaded, quarantined, shutting_down, unavailable};

/// The domain of our reasons in `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "keyward";

/// A call that comes to nothing, with all that its caller is told.
#[derive(Debug, Clone)]
pub struct Refusal(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    reason: ErrorReason,
    message: String,
    violation: Option<(String, String)>,
    resource: Option<(&'static str, String)>,
    retry_after: Option<Duration>,
    metadata: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            reason,
            message: message.into(),
            violation: None,
            resource: None,
            retry_after: None,
            metadata: Vec::new(),
        }))
    }

    /// A field that breaks a rule. The refused value is never repeated.
    pub fn field(path: impl Into<String>, rule: impl Into<String>) -> Self {
        let (path, rule) = (path.into(), rule.into());
        let mut refusal = Self::new(ErrorReason::FieldInvalid, format!("{path}: {rule}"));
        refusal.0.violation = Some((path, rule));
        refusal
    }

    /// Something that is not there, or is not the caller's: the same answer.
    pub fn not_found(kind: Resource, name: impl Into<String>) -> Self {
        let (reason, resource, words) = match kind {
            Resource::Workspace => {
                (ErrorReason::WorkspaceNotFound, "keyward.v1.Workspace", "workspace")
            }
            Resource::ApiKey => (ErrorReason::ApiKeyNotFound, "keyward.v1.ApiKey", "key"),
            Resource::Config => (ErrorReason::ConfigNotFound, "keyward.v1.Config", "configuration"),
            Resource::ServiceCredential => (
                ErrorReason::ServiceCredentialNotFound,
                "keyward.v1.ServiceCredential",
                "service credential",
            ),
            Resource::ConfigSecret => {
                (ErrorReason::ConfigSecretNotFound, "keyward.v1.Config", "secret")
            }
            Resource::AuthToken => {
                (ErrorReason::AuthTokenNotFound, "keyward.v1.AuthToken", "auth token")
            }
        };
        let mut refusal = Self::new(reason, format!("there is no such {words}"));
        refusal.0.resource = Some((resource, name.into()));
        refusal
    }

    /// Trouble that passes: try again after this long.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// One more member of `ErrorInfo.metadata`. An empty value is left out: Envoy's transcoder dies
    /// on map entries without one.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.metadata.push((key, value));
        }
        self
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> ErrorReason {
        self.0.reason
    }

    /// The gRPC code it will be answered with.
    #[must_use]
    pub fn code(&self) -> Code {
        code(self.0.reason)
    }

    /// Calls the field in question by another path.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if let Some((path, rule)) = self.0.violation.take_if(|(path, _)| path == from) {
            self = Self::field(to, rule);
            drop(path);
        }
        self
    }

    /// Puts `prefix` before the path of the field in question, if one is.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        if let Some((path, rule)) = self.0.violation.take() {
            let path = format!("{prefix}.{path}");
            self.0.message = format!("{path}: {rule}");
            self.0.violation = Some((path, rule));
        }
        self
    }

    /// Whether it is about what was asked, and not about who is asked.
    #[must_use]
    pub fn is_the_callers(&self) -> bool {
        matches!(
            self.code(),
            Code::InvalidArgument
                | Code::AlreadyExists
                | Code::FailedPrecondition
                | Code::PermissionDenied
        )
    }

    /// Something that must not happen. What it was is logged here, once, and not told.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "a call failed for a reason that is not the caller's");
        Self::new(ErrorReason::Internal, "internal error")
    }
}

/// What can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A workspace.
    Workspace,
    /// An API key.
    ApiKey,
    /// A key's configuration.
    Config,
    /// A service credential.
    ServiceCredential,
    /// A secret in a key's configuration.
    ConfigSecret,
    /// An auth token of a key.
    AuthToken,
}

const fn code(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::Unspecified | ErrorReason::Internal => Code::Internal,
        ErrorReason::FieldInvalid
        | ErrorReason::PageTokenInvalid
        | ErrorReason::MessageMalformed
        | ErrorReason::TwoCredentials => Code::InvalidArgument,
        ErrorReason::MessageTooLarge => Code::OutOfRange,
        ErrorReason::LargeMessagesExhausted
        | ErrorReason::WatchesExhausted
        | ErrorReason::GuessesExhausted
        | ErrorReason::AddressLimited => Code::ResourceExhausted,
        ErrorReason::CredentialMissing | ErrorReason::CredentialInvalid => Code::Unauthenticated,
        ErrorReason::PermissionDenied => Code::PermissionDenied,
        ErrorReason::WorkspaceNotFound
        | ErrorReason::ApiKeyNotFound
        | ErrorReason::ConfigNotFound
        | ErrorReason::ServiceCredentialNotFound
        | ErrorReason::ConfigSecretNotFound
        | ErrorReason::AuthTokenNotFound => Code::NotFound,
        ErrorReason::RequestIdReused
        | ErrorReason::RequestAlreadyAnswered
        | ErrorReason::ApiKeyAlreadyImported
        | ErrorReason::ServiceIdentityTaken => Code::AlreadyExists,
        ErrorReason::ConsistencyTokenForeignLog
        | ErrorReason::ApiKeyRevoked
        | ErrorReason::ApiKeyDeleted
        | ErrorReason::RotationGraceRunning
        | ErrorReason::ApiKeyExpired
        | ErrorReason::UndeleteWindowOver
        | ErrorReason::SubjectErased
        | ErrorReason::TooManyAuthTokens
        | ErrorReason::WorkspaceSuspended => Code::FailedPrecondition,
        ErrorReason::EtagMismatch | ErrorReason::ConcurrentChange => Code::Aborted,
        ErrorReason::StartingUp
        | ErrorReason::StalenessBoundExceeded
        | ErrorReason::ConsistencyTokenNotReached
        | ErrorReason::ProjectionLagging
        | ErrorReason::DatabaseUnavailable
        | ErrorReason::CommitOutcomeUnknown
        | ErrorReason::Overloaded
        | ErrorReason::ShuttingDown
        | ErrorReason::IdentityProviderUnavailable
        | ErrorReason::ServiceUnreachable
        | ErrorReason::LogUnsound => Code::Unavailable,
        ErrorReason::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorReason::MethodUnknown => Code::Unimplemented,
    }
}

/// The code beside an HTTP status in an answer of ext_authz, for clients that call by gRPC through Envoy.
#[must_use]
pub const fn beside_http(status: u16) -> i32 {
    let code = match status {
        200 => Code::Ok,
        401 => Code::Unauthenticated,
        429 => Code::ResourceExhausted,
        _ => Code::PermissionDenied,
    };
    code as i32
}

impl From<Refusal> for wire::ImportFailure {
    fn from(refusal: Refusal) -> Self {
        let refusal = *refusal.0;
        Self {
            reason: refusal.reason.into(),
            field: refusal.violation.map(|(path, _)| path).unwrap_or_default(),
            message: refusal.message,
        }
    }
}

impl From<Refusal> for wire::Undecided {
    fn from(refusal: Refusal) -> Self {
        let refusal = *refusal.0;
        Self {
            reason: refusal.reason.into(),
            message: refusal.message,
            retry_after: refusal.retry_after.and_then(|after| after.try_into().ok()),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let refusal = *refusal.0;
        let metadata: HashMap<String, String> =
            refusal.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut details =
            ErrorDetails::with_error_info(refusal.reason.as_reason(), ERROR_DOMAIN, metadata);
        if let Some((field, rule)) = refusal.violation {
            details.add_bad_request_violation(field, rule);
        }
        if let Some((kind, name)) = refusal.resource {
            details.set_resource_info(kind, name, "", "");
        }
        if let Some(after) = refusal.retry_after {
            details.set_retry_info(Some(after));
        }
        Self::with_error_details(code(refusal.reason), refusal.message, details)
    }
}

/// Names the field of a value that was refused.
pub trait InField<T> {
    /// # Errors
    /// The refusal that names `path`.
    fn in_field(self, path: &str) -> Result<T, Refusal>;
}

impl<T> InField<T> for Result<T, InvalidValue> {
    fn in_field(self, path: &str) -> Result<T, Refusal> {
        self.map_err(|error| Refusal::field(path, error.rule()))
    }
}
