//! What a request comes to that is not answered: the service's status or the gateway's own no, before any
//! surface has put it into its envelope. The only file here that names gRPC codes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use api::v1::ErrorReason;
use http::{HeaderValue, Method, StatusCode};
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;

use crate::json::BadJson;

/// The domain of reasons in `ErrorInfo`, as the service's.
const DOMAIN: &str = "keyward";
/// What the types of details begin with.
const TYPES: &str = "type.googleapis.com/google.rpc.";

/// See the module.
#[derive(Debug, Clone)]
pub struct Refusal(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    http: StatusCode,
    code: Code,
    message: String,
    details: Vec<Any>,
    reason: String,
    field: Option<(String, String)>,
    resource: Option<String>,
    retry_after: Option<Duration>,
    allow: Option<HeaderValue>,
    /// Whether the service said so, and not the gateway.
    of_service: bool,
}

impl Refusal {
    fn new(http: StatusCode, code: Code, reason: &str, message: impl Into<String>) -> Self {
        let info = pb::ErrorInfo {
            reason: reason.to_owned(),
            domain: DOMAIN.to_owned(),
            metadata: HashMap::new(),
        };
        Self(Box::new(Parts {
            http,
            code,
            message: message.into(),
            details: vec![detail("ErrorInfo", &info)],
            reason: reason.to_owned(),
            field: None,
            resource: None,
            retry_after: None,
            allow: None,
            of_service: false,
        }))
    }

    /// A refusal with this HTTP status, and the gRPC code that goes with it.
    pub fn of_http(http: StatusCode, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(http, code_of(http), reason.as_reason(), message)
    }

    /// A field that breaks a rule. The refused value is never repeated.
    pub fn field(path: impl Into<String>, rule: impl Into<String>) -> Self {
        let (path, rule) = (path.into(), rule.into());
        let reason = ErrorReason::FieldInvalid.as_reason();
        let message = format!("{path}: {rule}");
        let mut refusal =
            Self::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, reason, message);
        let violation = pb::bad_request::FieldViolation {
            field: path.clone(),
            description: rule.clone(),
            ..Default::default()
        };
        let bad = pb::BadRequest { field_violations: vec![violation] };
        refusal.0.details.push(detail("BadRequest", &bad));
        refusal.0.field = Some((path, rule));
        refusal
    }

    /// A body that can't be read.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::of_http(StatusCode::BAD_REQUEST, ErrorReason::MessageMalformed, message)
    }

    /// A body of more bytes than `most`.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        let message = format!("the body must have at most {} KiB", most / 1024);
        let code = Code::OutOfRange;
        let reason = ErrorReason::MessageTooLarge.as_reason();
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, reason, message)
    }

    /// A path that knows only other methods.
    pub(crate) fn method_not_allowed<'m>(methods: impl Iterator<Item = &'m Method>) -> Self {
        let mut allow = String::new();
        for method in methods {
            let comma = if allow.is_empty() { "" } else { ", " };
            let head = if *method == Method::GET { ", HEAD" } else { "" };
            // Writing into a String can't fail.
            let _ = write!(allow, "{comma}{method}{head}");
        }
        let message = format!("this path takes {allow}");
        let mut refusal =
            Self::of_http(StatusCode::METHOD_NOT_ALLOWED, ErrorReason::MethodUnknown, message);
        refusal.0.allow = HeaderValue::try_from(allow).ok();
        refusal
    }

    /// One address asks too much.
    #[must_use]
    pub fn address_limited(after: Duration) -> Self {
        let (http, reason) = (StatusCode::TOO_MANY_REQUESTS, ErrorReason::AddressLimited);
        Self::of_http(http, reason, "too many requests from one address").retry(after)
    }

    /// The service can't be reached.
    #[must_use]
    pub fn unreachable() -> Self {
        let (http, reason) = (StatusCode::SERVICE_UNAVAILABLE, ErrorReason::ServiceUnreachable);
        Self::of_http(http, reason, "the service does not answer").retry(Duration::from_secs(1))
    }

    /// Nobody knows whether a key is good, though the service is there: the operator must change something.
    #[must_use]
    pub(crate) fn no_verdict() -> Self {
        let http = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(http, Code::Unavailable, "", "no verdict can be given")
            .retry(Duration::from_secs(1))
    }

    /// The gateway stops.
    #[must_use]
    pub fn shutting_down() -> Self {
        let (http, reason) = (StatusCode::SERVICE_UNAVAILABLE, ErrorReason::ShuttingDown);
        Self::of_http(http, reason, "this node is stopping").retry(Duration::from_millis(200))
    }

    /// The time is over.
    #[must_use]
    pub fn late() -> Self {
        let message = "the deadline passed; a change that had begun goes on";
        Self::of_http(StatusCode::GATEWAY_TIMEOUT, ErrorReason::DeadlineExceeded, message)
    }

    /// Something that must not happen; what it was is logged where it was seen.
    #[must_use]
    pub fn internal() -> Self {
        let http = StatusCode::INTERNAL_SERVER_ERROR;
        Self::of_http(http, ErrorReason::Internal, "internal error")
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry(mut self, after: Duration) -> Self {
        let delay = prost_types::Duration::try_from(after).ok();
        self.0.details.push(detail("RetryInfo", &pb::RetryInfo { retry_delay: delay }));
        self.0.retry_after = Some(after);
        self
    }

    /// Says it in these words.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The HTTP status where no surface says otherwise.
    #[must_use]
    pub fn http(&self) -> StatusCode {
        self.0.http
    }

    /// The gRPC code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether the service is not there, or can't answer for the time being; no answer of it is one.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self.0.code,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
        )
    }

    /// The gRPC code as JSON spells it: `INVALID_ARGUMENT`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        name(self.0.code)
    }

    /// For people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The reason, as `ErrorInfo` has it; empty if there is none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Path and rule of the field that breaks one.
    #[must_use]
    pub fn violation(&self) -> Option<(&str, &str)> {
        self.0.field.as_ref().map(|(path, rule)| (path.as_str(), rule.as_str()))
    }

    /// The same, if the service says so: in its names of fields, and not in those of a product.
    #[must_use]
    pub fn service_violation(&self) -> Option<(&str, &str)> {
        self.violation().filter(|_| self.0.of_service)
    }

    /// The type of what is not there: `keyward.v1.Workspace`.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The methods that the path takes.
    pub(crate) fn allow(&self) -> Option<&HeaderValue> {
        self.0.allow.as_ref()
    }

    /// The details, as `google.rpc.Status` has them.
    pub(crate) fn details(&self) -> &[Any] {
        &self.0.details
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let packed = pb::Status::decode(status.details()).unwrap_or_default();
        // The service always has details. Without any it is the channel's, or a proxy's in between.
        let bare = packed.details.is_empty();
        if bare && status.code() == Code::Unavailable {
            return Self::unreachable();
        }
        if bare && matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) {
            return Self::late();
        }
        let mut parts = Parts {
            http: http_of(status.code()),
            code: status.code(),
            message: status.message().to_owned(),
            details: packed.details,
            reason: String::new(),
            field: None,
            resource: None,
            retry_after: None,
            allow: None,
            of_service: true,
        };
        let details = std::mem::take(&mut parts.details);
        for detail in &details {
            read_detail(&mut parts, detail);
        }
        parts.details = details;
        // The gateway lets some bodies be larger than the service lets the message be.
        if parts.reason == ErrorReason::MessageTooLarge.as_reason() {
            parts.http = StatusCode::PAYLOAD_TOO_LARGE;
        }
        Self(Box::new(parts))
    }
}

fn read_detail(parts: &mut Parts, detail: &Any) {
    let value = detail.value.as_slice();
    match detail.type_url.strip_prefix(TYPES) {
        Some("ErrorInfo") => {
            parts.reason = pb::ErrorInfo::decode(value).unwrap_or_default().reason;
        }
        Some("BadRequest") => {
            let bad = pb::BadRequest::decode(value).unwrap_or_default();
            let first = bad.field_violations.into_iter().next();
            parts.field = first.map(|first| (first.field, first.description));
        }
        Some("ResourceInfo") => {
            let info = pb::ResourceInfo::decode(value).unwrap_or_default();
            parts.resource = Some(info.resource_type);
        }
        Some("RetryInfo") => {
            let delay = pb::RetryInfo::decode(value).unwrap_or_default().retry_delay;
            parts.retry_after = delay.and_then(|delay| delay.try_into().ok());
        }
        Some(_) | None => {}
    }
}

impl From<BadJson> for Refusal {
    fn from(bad: BadJson) -> Self {
        if !bad.syntax && !bad.path.is_empty() {
            return Self::field(bad.path, bad.rule);
        }
        let place = if bad.path.is_empty() { "the body".to_owned() } else { bad.path };
        Self::malformed(format!("{place} {}", bad.rule))
    }
}

fn detail(kind: &str, message: &impl Message) -> Any {
    Any { type_url: format!("{TYPES}{kind}"), value: message.encode_to_vec() }
}

/// The HTTP status of a code (google.rpc.Code).
const fn http_of(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded | Code::Cancelled => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The code that goes with an HTTP status of the gateway's own.
const fn code_of(http: StatusCode) -> Code {
    match http {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::METHOD_NOT_ALLOWED => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => Code::InvalidArgument,
    }
}

const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
