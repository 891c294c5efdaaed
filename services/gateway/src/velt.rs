//! Velt's paths, as its documentation has them.
//!
//! Each path is a file of what it takes and answers; `credentials` reads who calls, `body` what is sent,
//! `envelope` writes what is answered.

mod body;
mod config;
mod configure;
mod create;
mod credentials;
mod documented;
mod domain_changes;
mod domains;
mod email;
mod envelope;
mod holder;
mod keys;
mod list;
mod named;
mod services;
mod sign_up;
mod tokens;
mod webhook;
mod workspace;

pub(crate) use documented::documented;
use http::Method;

use crate::call::Call;
use crate::surface::{Answering, Endpoint, Table};

/// The most bytes of a body.
const MOST: usize = 64 * 1024;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "velt",
    claims: |path| path.starts_with("/v2/"),
    endpoints: &[
        post("/v2/workspace/apikey/create", create::answer),
        post("/v2/workspace/apikeys/get", list::answer),
        post("/v2/workspace/apikeyconfig/get", config::answer),
        post("/v2/workspace/apikey/update", keys::update),
        post("/v2/workspace/apikeyconfig/update", configure::answer),
        post("/v2/workspace/authtokens/get", tokens::list),
        post("/v2/workspace/authtoken/reset", tokens::reset),
        post("/v2/workspace/domains/get", domains::list),
        post("/v2/workspace/get", workspace::answer),
        post("/v2/workspace/create", sign_up::answer),
        post("/v2/workspace/domains/add", domain_changes::add),
        post("/v2/workspace/domains/delete", domain_changes::delete),
        post("/v2/workspace/emailconfig/get", email::get),
        post("/v2/workspace/emailconfig/update", email::update),
        post("/v2/workspace/webhookconfig/get", webhook::get),
        post("/v2/workspace/webhookconfig/update", webhook::update),
    ],
    envelope: |refusal, _| envelope::refused(refusal, None),
};

const fn post(template: &'static str, answer: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method: Method::POST, template, most: MOST, answer }
}
