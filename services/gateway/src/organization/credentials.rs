//! Who calls: a user by a JWT, or a service credential. The service judges them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use serde::Deserialize;

use crate::call::{Call, Head};

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// A request to the service with the credential of this one.
pub(super) fn request<M>(call: &Call, message: M) -> tonic::Request<M> {
    let mut request = call.request(message);
    for value in call.head.headers.get_all(AUTHORIZATION) {
        request.metadata_mut().as_mut().append(AUTHORIZATION, value.clone());
    }
    request
}

/// The subject of a JWT, if the credential is one. It is not verified here: nothing may be made of it but
/// what goes to the service together with the JWT, which verifies it first.
pub(super) fn subject(head: &Head) -> Option<String> {
    let (_, token) = head.text(&AUTHORIZATION)?.split_once(' ')?;
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.sub)
}
