//! An error of this product: `success`, `code`, `message`, and nothing else.

use api::v1::ErrorReason;
use http::StatusCode;
use tonic::Status;

use super::language;
use super::said::Said;
use crate::call::Head;
use crate::json::{BadJson, quote};
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply, with_headers};

/// The types of what may not be there, as the service names them.
const WORKSPACE: &str = "keyward.v1.Workspace";

/// See the module.
#[derive(Debug)]
pub(super) struct Fault {
    http: StatusCode,
    said: Said,
    words: Vec<(&'static str, String)>,
    /// What it was before it was put so: it says when to try again, and which methods there are.
    of: Option<Refusal>,
}

impl Fault {
    pub(super) fn new(http: StatusCode, said: Said) -> Self {
        Self { http, said, words: Vec::new(), of: None }
    }

    /// With this word in its text.
    pub(super) fn with(mut self, name: &'static str, word: impl Into<String>) -> Self {
        self.words.push((name, word.into()));
        self
    }

    /// There is no such key.
    pub(super) fn no_key() -> Self {
        Self::new(StatusCode::NOT_FOUND, Said::KeyNotFound)
    }

    /// Whether it is about what the caller may do.
    pub(super) fn is_of_authority(&self) -> bool {
        self.http == StatusCode::FORBIDDEN
    }

    /// Whether it is about what was asked, and not about who asked or whether it can be answered.
    pub(super) fn is_of_request(&self) -> bool {
        self.http == StatusCode::BAD_REQUEST
    }

    /// The path and the rule of the field, in the service's words.
    pub(super) fn violation(&self) -> Option<(&str, &str)> {
        self.of.as_ref().and_then(Refusal::violation)
    }

    /// As it leaves.
    pub(super) fn reply(&self, head: &Head) -> Reply {
        let language = language::of(&head.headers);
        let mut body = String::with_capacity(128);
        body.push_str("{\"success\":false,\"code\":\"");
        body.push_str(self.http.as_str());
        body.push_str("0\",\"message\":");
        quote(&self.said.text(language, &self.words), &mut body);
        body.push('}');
        let answer = reply(self.http, JSON, body);
        let answer = match &self.of {
            Some(refusal) => with_headers(answer, refusal),
            None => answer,
        };
        language::marked(answer, language)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let of_workspace = refusal.violation().is_some_and(|(path, _)| path == "workspace_id");
        let fault = if refusal.missing() == Some(WORKSPACE) || of_workspace {
            // One answer for all that are not the owner, whatever is there.
            return Self::new(StatusCode::FORBIDDEN, Said::OwnerOnly);
        } else if refusal.http() == StatusCode::FORBIDDEN {
            return Self::new(StatusCode::FORBIDDEN, Said::OwnerOnly);
        } else if refusal.http() == StatusCode::BAD_REQUEST {
            of_request(&refusal)
        } else {
            of_status(&refusal)
        };
        Self { of: Some(refusal), ..fault }
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Refusal::from(status).into()
    }
}

impl From<BadJson> for Fault {
    fn from(bad: BadJson) -> Self {
        if !bad.syntax && bad.rule == "must be there once" {
            return Self::field(Said::RepeatedMember, &bad.path);
        }
        let detail = format!("{} {}", bad.path, bad.rule);
        Self::new(StatusCode::BAD_REQUEST, Said::BodyMalformed).with("detail", detail.trim())
    }
}

fn of_request(refusal: &Refusal) -> Fault {
    let is = |reason: ErrorReason| refusal.reason() == reason.as_reason();
    let said = if let Some((path, rule)) = refusal.violation() {
        return of_field(path, rule);
    } else if is(ErrorReason::ApiKeyDeleted) {
        return Fault::no_key();
    } else if is(ErrorReason::ApiKeyRevoked) {
        Said::KeyRevoked
    } else if is(ErrorReason::WorkspaceSuspended) {
        Said::WorkspaceSuspended
    } else if is(ErrorReason::PageTokenInvalid) {
        Said::PageTokenInvalid
    } else if is(ErrorReason::TwoCredentials) {
        Said::TwoCredentials
    } else {
        let fault = Fault::new(StatusCode::BAD_REQUEST, Said::NotPossible);
        return fault.with("detail", refusal.message());
    };
    Fault::new(StatusCode::BAD_REQUEST, said)
}

/// A field of the service's by the name that this product has for it.
fn of_field(path: &str, rule: &str) -> Fault {
    let end = path.find('[').unwrap_or(path.len());
    let (name, index) = path.split_at(end);
    let (said, shown) = match name {
        "name" => (Said::NameRule, "name"),
        "scopes" if !index.is_empty() => (Said::ScopeRule, "scopes"),
        "scopes" => (Said::FieldRule, "scopes"),
        "env" => (Said::ModeRule, "mode"),
        "ip_allowlist" => (Said::FieldRule, "ipWhitelist"),
        // No key has an id of another form.
        "key_id" => return Fault::no_key(),
        "request_id" => (Said::IdempotencyRule, "Idempotency-Key"),
        "page_token" => (Said::PageTokenInvalid, "pageToken"),
        other => (Said::FieldRule, other),
    };
    Fault::field(said, &format!("{shown}{index}")).with("rule", rule)
}

fn of_status(refusal: &Refusal) -> Fault {
    let is = |reason: ErrorReason| refusal.reason() == reason.as_reason();
    let http = refusal.http();
    let said = match http {
        StatusCode::UNAUTHORIZED => Said::TokenInvalid,
        StatusCode::NOT_FOUND if refusal.missing().is_some() => Said::KeyNotFound,
        StatusCode::NOT_FOUND => Said::NoRoute,
        StatusCode::METHOD_NOT_ALLOWED => Said::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Said::BodyLate,
        StatusCode::CONFLICT if is(ErrorReason::RequestIdReused) => Said::RequestIdReused,
        StatusCode::CONFLICT if is(ErrorReason::RequestAlreadyAnswered) => Said::RequestAnswered,
        StatusCode::CONFLICT => Said::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => Said::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Said::MediaType,
        StatusCode::TOO_MANY_REQUESTS => Said::TooMany,
        StatusCode::SERVICE_UNAVAILABLE => Said::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Said::Late,
        _ => return Fault::new(StatusCode::INTERNAL_SERVER_ERROR, Said::Internal),
    };
    Fault::new(http, said)
}
