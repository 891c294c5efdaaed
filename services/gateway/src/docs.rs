//! Documentation: OpenAPI, and a page to try it with, without anything from elsewhere.
//!
//! The page is Swagger UI as it is shipped, with a frame, a style and snippets of our own (`docs/`).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};
use utoipa_swagger_ui::Config;

use crate::call::Call;
use crate::canonical::Routes;
use crate::openapi;
use crate::problem;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, reply};
use crate::surface::Surface;

/// The files of the page that are ours: name, content type, text.
const OWN: [(&str, &str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8", include_str!("docs/index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("docs/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("docs/page.js")),
    ("snippets.js", "text/javascript; charset=utf-8", include_str!("docs/snippets.js")),
];
/// Those that are Swagger UI's.
const VENDORED: [&str; 4] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "favicon-32x32.png",
];

/// What the page may do: talk to where it comes from, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

type Making = Box<dyn FnOnce() -> Bytes + Send>;

/// The documents of the surfaces that are on; each is made when it is first asked for.
pub(crate) struct Docs {
    documents: Vec<Document>,
}

struct Document {
    /// Its name in `/openapi/`.
    file: &'static str,
    /// What the page calls it.
    title: &'static str,
    text: LazyLock<Bytes, Making>,
}

impl Docs {
    /// All but what is of surfaces that are `off`.
    pub(crate) fn new(off: &[Surface]) -> Self {
        let mut documents = Vec::new();
        if !off.contains(&Surface::Canonical) {
            let text = LazyLock::new(Box::new(keyward) as Making);
            documents.push(Document { file: "keyward.json", title: "Keyward", text });
        }
        let products =
            [Surface::Velt, Surface::Organization, Surface::SlaunchX, Surface::ForwardAuth];
        if products.iter().any(|surface| !off.contains(surface)) {
            let off = off.to_vec();
            let made = move || text(openapi::compatible(&off).as_ref());
            let text = LazyLock::new(Box::new(made) as Making);
            let title = "Compatible products";
            documents.push(Document { file: "compatible.json", title, text });
        }
        Self { documents }
    }

    /// What the page is to show, as a script.
    fn list(&self) -> String {
        let list: Vec<Value> = self
            .documents
            .iter()
            .map(|one| json!({"name": one.title, "url": format!("../openapi/{}", one.file)}))
            .collect();
        format!("window.DOCUMENTS = {};\n", Value::from(list))
    }
}

fn text(document: Option<&Value>) -> Bytes {
    Bytes::from(document.map(Value::to_string).unwrap_or_default())
}

fn keyward() -> Bytes {
    let made = DescriptorPool::decode(api::DESCRIPTORS).ok().and_then(|pool| {
        let routes = Routes::new(&pool).ok()?;
        Some(openapi::document(&pool, &routes))
    });
    // The gateway has not started if its own routes can't be read.
    text(made.as_ref())
}

/// `/openapi/{file}`
pub(crate) fn document(call: &Call) -> Reply {
    let asked = call.variables.first().map(String::as_str);
    let mut documents = call.node.shared.docs.documents.iter();
    match documents.find(|document| Some(document.file) == asked) {
        Some(document) => kept(reply(StatusCode::OK, JSON, (*document.text).clone())),
        None => problem::envelope(&Refusal::no_route(), &call.head),
    }
}

/// `/docs`, relative to which nothing of the page could be found.
pub(crate) fn moved() -> Reply {
    let mut reply = reply(StatusCode::FOUND, JSON, Bytes::new());
    reply.headers_mut().insert(LOCATION, HeaderValue::from_static("docs/"));
    reply
}

/// `/docs/` and `/docs/{file}`
pub(crate) fn file(call: &Call) -> Reply {
    let name = call.variables.first().map_or("index.html", String::as_str);
    let Some(reply) = own(name, &call.node.shared.docs).or_else(|| vendored(name)) else {
        return problem::envelope(&Refusal::no_route(), &call.head);
    };
    let mut reply = kept(reply);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

fn own(name: &str, docs: &Docs) -> Option<Reply> {
    if name == "documents.js" {
        let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
        return Some(reply(StatusCode::OK, kind, docs.list()));
    }
    let (_, kind, text) = OWN.iter().find(|(own, _, _)| *own == name)?;
    Some(reply(StatusCode::OK, HeaderValue::from_static(kind), *text))
}

/// A file as it is in the program: no answer under way has a copy of its own, however many there are.
fn vendored(name: &str) -> Option<Reply> {
    let known = VENDORED.contains(&name);
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from(""))).ok().flatten();
    let file = file.filter(|_| known)?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let kind = HeaderValue::try_from(file.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut reply = reply(StatusCode::OK, kind, bytes);
    if file.gzpipped {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(reply)
}

/// Nothing secret is in it.
fn kept(mut reply: Reply) -> Reply {
    let control = HeaderValue::from_static("public, max-age=300");
    reply.headers_mut().insert(CACHE_CONTROL, control);
    reply
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn answers_with_a_large_file_share_it() {
        let bytes = || {
            let mut body = vendored("swagger-ui-bundle.js").unwrap().into_body();
            let frame = body.frame().now_or_never().flatten().unwrap().unwrap();
            frame.into_data().unwrap()
        };
        let (one, other) = (bytes(), bytes());
        assert!(one.len() > 100_000);
        assert_eq!(one.as_ptr(), other.as_ptr());
    }
}
