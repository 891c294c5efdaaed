//! A failed call, read as a client reads it. Every one must carry an `ErrorInfo` of ours, and the
//! code that `error_reason.proto` promises for its reason.

use std::collections::HashMap;
use std::time::Duration;

use api::v1::ErrorReason;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

/// What a failed call said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// The reason.
    pub reason: ErrorReason,
    /// For people.
    pub message: String,
    /// Path of the field that breaks a rule; empty if none does.
    pub field: String,
    /// The rule.
    pub rule: String,
    /// Type and name of what is not there.
    pub resource: Option<(String, String)>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The metadata of the `ErrorInfo`.
    pub metadata: HashMap<String, String>,
}

impl Refusal {
    /// Reads a status.
    ///
    /// # Panics
    /// It has no `ErrorInfo` of the domain `keyward`, a reason that the protos do not know, another
    /// code than they promise, or lacks the details that go with its code.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let info = info.unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
        assert_eq!(info.domain, "keyward", "{status:?}");
        let reason = ErrorReason::from_reason(&info.reason);
        let reason = reason.unwrap_or_else(|| panic!("unknown reason in {status:?}"));
        let violations = details.bad_request().map_or(&[][..], |bad| &bad.field_violations);
        let first = violations.first();
        let text = |part: fn(&tonic_types::FieldViolation) -> &String| {
            first.map(part).cloned().unwrap_or_default()
        };
        let refusal = Self {
            code: status.code(),
            reason,
            message: status.message().to_owned(),
            field: text(|violation| &violation.field),
            rule: text(|violation| &violation.description),
            resource: details
                .resource_info()
                .map(|info| (info.resource_type.clone(), info.resource_name.clone())),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            metadata: info.metadata.clone(),
        };
        refusal.keeps_the_conventions();
        refusal
    }

    fn keeps_the_conventions(&self) {
        assert_eq!(self.code, code_of(self.reason), "{self:?}");
        assert!(!self.message.is_empty(), "{self:?}");
        let field = self.reason == ErrorReason::FieldInvalid;
        assert_eq!(field, !self.field.is_empty() && !self.rule.is_empty(), "{self:?}");
        assert_eq!(self.code == Code::NotFound, self.resource.is_some(), "{self:?}");
        if self.code == Code::Unavailable {
            assert!(self.retry_after.is_some(), "{self:?}");
        }
    }

    /// Whether it names this field as the one that breaks a rule.
    #[must_use]
    pub fn is_field(&self, path: &str) -> bool {
        self.reason == ErrorReason::FieldInvalid && self.field == path
    }
}

/// A call that must have failed.
pub trait Refused {
    /// Why it failed.
    ///
    /// # Panics
    /// It did not fail, or not as [`Refusal::of`] demands.
    fn refused(self) -> Refusal;
}

impl<T: std::fmt::Debug> Refused for Result<Response<T>, Status> {
    fn refused(self) -> Refusal {
        Refusal::of(&self.unwrap_err())
    }
}

/// The code that `error_reason.proto` promises for a reason.
#[must_use]
pub const fn code_of(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::Unspecified => Code::Unknown,
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
        ErrorReason::Internal => Code::Internal,
        ErrorReason::MethodUnknown => Code::Unimplemented,
    }
}
