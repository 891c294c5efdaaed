//! What a request presents: one credential, told by its shape before anything is looked up.

use api::v1::ErrorReason;
use domain::SpiffeId;
use http::header;
use tonic::metadata::MetadataMap;

use super::super::call::Peer;
use super::super::client_address::CLIENT_ADDRESS;
use super::super::status::Refusal;
use super::invalid;
use crate::operator;

/// The metadata that names the key of an auth token: its id, or the whole key.
const API_KEY: &str = "x-keyward-api-key";

/// The one credential of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Presented<'a> {
    /// One that is known from memory: of a workspace, a service, or the operator; or none of ours.
    Ours(&'a str),
    /// An auth token, and what names its key.
    OfKey {
        /// The key's id, or the whole key.
        api_key: &'a str,
        /// The token.
        token: &'a str,
    },
    /// A JWT (RFC 7519): three parts between two dots, as no credential of ours has.
    Jwt(&'a str),
    /// What the client's certificate names, if the metadata names nobody: a gateway with a certificate
    /// forwards the credentials of its callers.
    Certificate(&'a SpiffeId),
}

impl<'a> Presented<'a> {
    /// Reads `authorization: Bearer ...` (RFC 6750, 2.1) and what goes with it.
    ///
    /// # Errors
    /// There is none, or more than one; or it is no bearer credential.
    #[inline]
    pub(super) fn read(metadata: &'a MetadataMap, peer: Option<&'a Peer>) -> Result<Self, Refusal> {
        let api_key = only(metadata, API_KEY)?;
        let Some(authorization) = only(metadata, header::AUTHORIZATION.as_str())? else {
            // Who says for whom it calls is a gateway, registered as one or not: without its client's
            // credential it must not lend its own.
            let for_another = metadata.contains_key(CLIENT_ADDRESS);
            let certificate = peer.and_then(|peer| peer.identity.as_ref());
            let certificate = certificate.filter(|_| !for_another);
            return match (api_key, certificate) {
                (None, Some(identity)) => Ok(Self::Certificate(identity)),
                (Some(_), _) | (None, None) => Err(missing()),
            };
        };
        let (scheme, credential) = authorization.split_once(' ').ok_or_else(invalid)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(invalid());
        }
        let jwt = !operator::resembles(credential)
            && credential.bytes().filter(|&byte| byte == b'.').count() == 2;
        match (api_key, jwt) {
            (None, false) => Ok(Self::Ours(credential)),
            (None, true) => Ok(Self::Jwt(credential)),
            (Some(api_key), false) => Ok(Self::OfKey { api_key, token: credential }),
            (Some(_), true) => Err(two("`x-keyward-api-key` goes with an auth token only")),
        }
    }
}

/// The value of this metadata, which may be there once.
#[inline]
fn only<'a>(metadata: &'a MetadataMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = metadata.as_ref().get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(two(&format!("there must be one `{name}` only")));
    }
    value.to_str().map(Some).map_err(|_| invalid())
}

#[cold]
pub(super) fn missing() -> Refusal {
    Refusal::new(
        ErrorReason::CredentialMissing,
        "the metadata `authorization: Bearer <credential>` is missing",
    )
}

#[cold]
fn two(why: &str) -> Refusal {
    Refusal::new(ErrorReason::TwoCredentials, why)
}
