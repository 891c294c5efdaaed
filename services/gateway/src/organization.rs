//! The organization's paths, as its documentation has them. The organization is the workspace that the
//! token is good for.

mod create;
mod credentials;
mod documented;
mod envelope;
mod keys;
mod shown;

pub(crate) use documented::documented;
use http::Method;

use crate::call::Call;
use crate::surface::{Answering, Endpoint, Table};

/// The most bytes of a body.
const MOST: usize = 64 * 1024;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "organization",
    claims: |path| {
        path.strip_prefix("/v1/api-keys")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    },
    endpoints: &[
        at(Method::POST, "/v1/api-keys", create::answer),
        at(Method::GET, "/v1/api-keys", keys::list),
        at(Method::GET, "/v1/api-keys/{id}", keys::get),
        at(Method::PATCH, "/v1/api-keys/{id}", keys::update),
        at(Method::DELETE, "/v1/api-keys/{id}", keys::revoke),
        at(Method::POST, "/v1/api-keys/{id}/rotate", keys::rotate),
    ],
    envelope: envelope::refused,
};

const fn at(method: Method, template: &'static str, answer: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method, template, most: MOST, answer }
}
