//! Documentation: OpenAPI, and a page to try it with, without anything from elsewhere.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use prost_reflect::DescriptorPool;
use utoipa_swagger_ui::{Config, Url};

use crate::call::Call;
use crate::canonical::Routes;
use crate::openapi;
use crate::problem;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply};

/// Every document, by its name in `/openapi/`, and what the page calls it.
static DOCUMENTS: &[Document] = &[Document {
    file: "keyward.json",
    url: "/openapi/keyward.json",
    title: "Keyward",
    text: &KEYWARD,
}];

struct Document {
    file: &'static str,
    url: &'static str,
    title: &'static str,
    text: &'static LazyLock<Bytes>,
}

static KEYWARD: LazyLock<Bytes> = LazyLock::new(|| {
    let made = DescriptorPool::decode(api::DESCRIPTORS).ok().and_then(|pool| {
        let routes = Routes::new(&pool).ok()?;
        Some(openapi::document(&pool, &routes).to_string())
    });
    // The gateway has not started if its own routes can't be read.
    Bytes::from(made.unwrap_or_default())
});

static PAGE: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let urls = DOCUMENTS.iter().map(|document| Url::new(document.title, document.url));
    let config = Config::new(urls).try_it_out_enabled(true).display_request_duration(true);
    Arc::new(config.filter(true).validator_url("none"))
});

/// What the page may do: talk to where it comes from, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// `/openapi/{file}`
pub(crate) fn document(call: &Call) -> Reply {
    let asked = call.variables.first().map(String::as_str);
    match DOCUMENTS.iter().find(|document| Some(document.file) == asked) {
        Some(document) => kept(reply(StatusCode::OK, JSON, (**document.text).clone())),
        None => problem::envelope(&Refusal::no_route(), &call.head),
    }
}

/// `/docs`
pub(crate) fn page() -> Reply {
    let mut reply = reply(StatusCode::FOUND, JSON, Bytes::new());
    reply.headers_mut().insert(LOCATION, HeaderValue::from_static("/docs/index.html"));
    reply
}

/// `/docs/{file}`
pub(crate) fn file(call: &Call) -> Reply {
    let name = call.variables.first().map_or("", String::as_str);
    let Ok(Some(file)) = utoipa_swagger_ui::serve(name, Arc::clone(&PAGE)) else {
        return problem::envelope(&Refusal::no_route(), &call.head);
    };
    let kind = HeaderValue::try_from(file.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut reply = kept(reply(StatusCode::OK, kind, file.bytes.into_owned()));
    let headers = reply.headers_mut();
    if file.gzpipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// Nothing secret is in it.
fn kept(mut reply: Reply) -> Reply {
    let control = HeaderValue::from_static("public, max-age=300");
    reply.headers_mut().insert(CACHE_CONTROL, control);
    reply
}
