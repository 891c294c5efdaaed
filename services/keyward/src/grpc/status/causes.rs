//! What went wrong inside, as its caller is told it: the rules' no, and trouble of log, database, keys and
//! freshness. Which gRPC code that is, `status.rs` says.

use std::error::Error;
use std::time::Duration;

use api::v1::ErrorReason;
use domain::Rejection;
use eventlog::LogError;
use readmodel::ReadError;

use super::Refusal;
use crate::commands::CommandError;
use crate::data_keys::DataKeyError;
use crate::freshness::{NotFresh, TokenError};

impl From<CommandError> for Refusal {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejected(rejection),
            CommandError::EtagMismatch { actual } => {
                Self::new(ErrorReason::EtagMismatch, "the resource has changed since")
                    .with("etag", crate::grpc::convert::etag(actual))
            }
            CommandError::Contended => {
                Self::new(ErrorReason::ConcurrentChange, "others kept changing the same resource")
                    .retry_after(Duration::from_millis(100))
            }
            CommandError::Log(error) => error.into(),
            CommandError::Undecodable(ref source) => {
                tracing::error!(error = source as &dyn Error, "a stored event can't be read");
                quarantined("this resource")
            }
            CommandError::NoEntropy(ref source) => Self::internal(source),
            CommandError::Seal(ref source) => Self::internal(source),
        }
    }
}

/// What the rules' no means on the wire. A missing resource is named by the RPC, which knows which.
fn rejected(rejection: Rejection) -> Refusal {
    match rejection {
        Rejection::IdentityTaken => Refusal::new(
            ErrorReason::ServiceIdentityTaken,
            "another service credential has the identity",
        ),
        Rejection::KeyRevoked => {
            Refusal::new(ErrorReason::ApiKeyRevoked, "the key is revoked, which is final")
        }
        Rejection::KeyDeleted => {
            Refusal::new(ErrorReason::ApiKeyDeleted, "the key is deleted: undelete it first")
        }
        Rejection::GraceRunning => Refusal::new(
            ErrorReason::RotationGraceRunning,
            "the credential before is still in its grace: end the grace, or set `force`",
        ),
        Rejection::KeyExpired => Refusal::new(
            ErrorReason::ApiKeyExpired,
            "the key is expired: move its `expires_at` first",
        ),
        Rejection::UndeleteTooLate => Refusal::new(
            ErrorReason::UndeleteWindowOver,
            "the key was deleted more than 30 days ago",
        ),
        Rejection::TooManyAuthTokens => Refusal::new(
            ErrorReason::TooManyAuthTokens,
            "the key has 20 live auth tokens: revoke one first",
        ),
        Rejection::EndsBeforeItBegins => {
            Refusal::field("expires_at", "must be later than not_before")
        }
        Rejection::AlreadyExpired => Refusal::field("expires_at", "must be in the future"),
        Rejection::EmailKeyMissing => Refusal::field(
            "config.email.api_key",
            "is required when SendGrid is enabled: put it by PutConfigSecret first",
        ),
        Rejection::EmailSenderMissing => {
            Refusal::field("config.email.from_email", "is required when SendGrid is enabled")
        }
        Rejection::EmailKeyInUse => {
            Refusal::field("field", "is required as long as SendGrid is enabled: disable it first")
        }
        Rejection::TooManyProviders => Refusal::field(
            "field",
            "must not add an AI provider: the key has 64, the most there can be",
        ),
        Rejection::NotFound | Rejection::AlreadyExists => Refusal::internal(&rejection),
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => unavailable(),
            LogError::OutcomeUnknown(_) => Self::new(
                ErrorReason::CommitOutcomeUnknown,
                "the database went away while it committed: the change may have happened or not",
            )
            .retry_after(Duration::from_secs(1)),
            LogError::Overloaded => overloaded(),
            LogError::Corrupt { .. } => {
                tracing::error!(error = &error as &dyn Error, "the log is unsound");
                Self::new(ErrorReason::LogUnsound, "the log is not the one that this node knew")
                    .retry_after(Duration::from_secs(1))
            }
            LogError::UnknownChainKey { .. } => ring_behind(&error),
            LogError::Lagging { .. } => {
                Self::new(ErrorReason::ProjectionLagging, "the read model is behind the log")
                    .retry_after(Duration::from_millis(500))
            }
            LogError::Conflict { .. } => CommandError::Contended.into(),
            LogError::DuplicateEvent { .. }
            | LogError::Invalid(_)
            | LogError::Configuration { .. } => Self::internal(&error),
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => unavailable(),
            ReadError::Checkpoint(error) => error.into(),
            ReadError::Corrupt { .. } | ReadError::ForeignCursor => Self::internal(&error),
        }
    }
}

impl From<vault::NoEntropy> for Refusal {
    fn from(error: vault::NoEntropy) -> Self {
        Self::internal(&error)
    }
}

impl From<DataKeyError> for Refusal {
    fn from(error: DataKeyError) -> Self {
        match error {
            DataKeyError::Log(error) => error.into(),
            DataKeyError::Open(vault::OpenError::UnknownKek(_)) => ring_behind(&error),
            DataKeyError::Seal(_) | DataKeyError::Open(_) | DataKeyError::NoEntropy(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<NotFresh> for Refusal {
    fn from(error: NotFresh) -> Self {
        match error {
            NotFresh::StartingUp => {
                Self::new(ErrorReason::StartingUp, "this node has not caught up with the log yet")
                    .retry_after(Duration::from_millis(500))
            }
            NotFresh::LeaseExpired => Self::new(
                ErrorReason::StalenessBoundExceeded,
                "this node can't know what changed lately",
            )
            .retry_after(Duration::from_millis(500)),
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::field("at_least", "must be a consistency token"),
            TokenError::ForeignLog => Self::new(
                ErrorReason::ConsistencyTokenForeignLog,
                "the consistency token is of another log",
            ),
        }
    }
}

/// The database does not answer; it will again.
#[must_use]
pub fn unavailable() -> Refusal {
    Refusal::new(ErrorReason::DatabaseUnavailable, "the database does not answer")
        .retry_after(Duration::from_secs(1))
}

/// Other nodes use a key that this one was not given yet; another one answers.
fn ring_behind(error: &(dyn Error + 'static)) -> Refusal {
    tracing::error!(error, "this node's key ring lacks a key that others use");
    Refusal::new(ErrorReason::StalenessBoundExceeded, "this node was not given the newest keys yet")
        .retry_after(Duration::from_secs(1))
}

/// An event of `whom` can't be read, so that any answer would be a guess: never a denial, nor its
/// opposite. Ends with an upgrade.
#[must_use]
pub fn quarantined(whom: &str) -> Refusal {
    Refusal::new(
        ErrorReason::StalenessBoundExceeded,
        format!("an event of {whom} can't be read by this build: nothing can be decided for it"),
    )
    .retry_after(Duration::from_secs(5))
}

/// More is asked at once than this node takes on.
#[must_use]
pub fn overloaded() -> Refusal {
    Refusal::new(ErrorReason::Overloaded, "this node has too much to do")
        .retry_after(Duration::from_millis(200))
}

/// This node drains; another one answers.
#[must_use]
pub fn shutting_down() -> Refusal {
    Refusal::new(ErrorReason::ShuttingDown, "this node is stopping")
        .retry_after(Duration::from_millis(200))
}
