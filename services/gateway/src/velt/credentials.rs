//! Who calls: a workspace by its id and its token, or whoever holds an auth token of a key.
//!
//! `x-velt-auth-token` is the one or the other by path; which of ours it is, is told by the letter that
//! its first part ends with, so that none of another kind will do. Whatever is wrong is one answer.

use api::v1::ErrorReason;
use http::header::{AUTHORIZATION, ORIGIN};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::call::{Call, Head};
use crate::refusal::Refusal;

pub(super) static WORKSPACE_ID: HeaderName = HeaderName::from_static("x-velt-workspace-id");
static AUTH_TOKEN: HeaderName = HeaderName::from_static("x-velt-auth-token");
/// The product's later name for the token of a workspace.
static WORKSPACE_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-velt-workspace-auth-token");
pub(super) static API_KEY: HeaderName = HeaderName::from_static("x-velt-api-key");
/// As the service takes it.
static SERVICES_API_KEY: HeaderName = HeaderName::from_static("x-keyward-api-key");

/// Whose credentials a path takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// A workspace's.
    Workspace,
    /// A key's.
    Key,
}

impl Level {
    /// What is said of credentials that are not good, whatever is wrong with them.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Workspace => "Invalid workspace credentials.",
            Self::Key => "Invalid API key.",
        }
    }
}

/// The credentials of a workspace.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Its id, as it was sent.
    pub(super) id: String,
    bearer: HeaderValue,
}

impl Workspace {
    /// Those of a request.
    ///
    /// # Errors
    /// One is missing, is there twice, or is none of this kind.
    pub(super) fn of(head: &Head) -> Result<Self, Refusal> {
        let id = head.text(&WORKSPACE_ID).ok_or_else(invalid)?;
        let named = [&AUTH_TOKEN, &WORKSPACE_AUTH_TOKEN];
        let mut token = None;
        for name in named.into_iter().filter(|&name| head.headers.contains_key(name)) {
            let one = head.text(name).ok_or_else(invalid)?;
            if *token.get_or_insert(one) != one {
                return Err(invalid());
            }
        }
        let bearer = bearer(token, b'w')?;
        Ok(Self { id: id.to_owned(), bearer })
    }

    /// A request to the service with them.
    pub(super) fn request<M>(&self, call: &Call, message: M) -> tonic::Request<M> {
        let mut request = call.request(message);
        request.metadata_mut().as_mut().insert(AUTHORIZATION, self.bearer.clone());
        request
    }
}

/// The credentials of a key.
#[derive(Debug)]
pub(super) struct Key {
    named: HeaderValue,
    bearer: HeaderValue,
}

impl Key {
    /// Those of a request.
    ///
    /// # Errors
    /// One is missing, is there twice, or is none of this kind.
    pub(super) fn of(head: &Head) -> Result<Self, Refusal> {
        let named = head.text(&API_KEY).ok_or_else(invalid)?;
        let named = HeaderValue::from_str(named).map_err(|_| invalid())?;
        Ok(Self { named, bearer: bearer(head.text(&AUTH_TOKEN), b'a')? })
    }

    /// A request to the service with them, and the origin, which tokens may be bound to.
    pub(super) fn request<M>(&self, call: &Call, message: M) -> tonic::Request<M> {
        let mut request = call.request(message);
        let metadata = request.metadata_mut().as_mut();
        metadata.insert(AUTHORIZATION, self.bearer.clone());
        metadata.insert(&SERVICES_API_KEY, self.named.clone());
        for origin in call.head.headers.get_all(ORIGIN) {
            metadata.append(ORIGIN, origin.clone());
        }
        request
    }
}

/// The token as the service takes it, if it is of this kind by its shape.
fn bearer(token: Option<&str>, letter: u8) -> Result<HeaderValue, Refusal> {
    let token = token.ok_or_else(invalid)?;
    let kind = token.split_once('_').and_then(|(kind, _)| kind.bytes().last());
    if kind != Some(letter) || token.contains('.') {
        return Err(invalid());
    }
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| invalid())?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

/// No credentials, or wrong ones.
pub(super) fn invalid() -> Refusal {
    let (http, reason) = (StatusCode::UNAUTHORIZED, ErrorReason::CredentialInvalid);
    Refusal::of_http(http, reason, "the credentials are not valid")
}
