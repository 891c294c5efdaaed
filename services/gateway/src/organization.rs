//! The organization's paths, as its documentation has them. The organization is the workspace that the
//! token is good for.

mod create;
mod credentials;
mod envelope;
mod shown;

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
    endpoints: &[at(Method::POST, "/v1/api-keys", create::answer)],
    envelope: envelope::refused,
};

const fn at(method: Method, template: &'static str, answer: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method, template, most: MOST, answer }
}
