//! Which pages of other sites may ask from a browser (the Fetch standard's CORS): those of a configured list
//! of origins, and none by default. Credentials are headers that a page sets itself, never cookies, so none
//! are allowed that a browser would add. `/verify` is not asked by pages: the origin there is its client's.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::call::Head;
use crate::reply::{JSON, Reply, reply};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// What the surfaces read.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept-language, idempotency-key, if-match, x-request-id, \
     x-keyward-api-key, x-velt-workspace-id, x-velt-api-key, x-velt-auth-token, \
     x-velt-workspace-auth-token, x-workspace-id, x-client-hash, traceparent, tracestate",
);
/// What a page may read of an answer besides what every page may.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-request-id, etag, retry-after, x-velt-auth-token, x-velt-api-key");
/// For how many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may ask.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Origins as browsers spell them.
    ///
    /// # Errors
    /// The rule that one of them breaks.
    pub fn new(texts: &[String]) -> Result<Self, String> {
        let each = |text: &String| {
            let spelt = spelt(text).and_then(|spelt| HeaderValue::try_from(spelt).ok());
            spelt.ok_or_else(|| {
                format!("must be origins such as https://app.example.com, without a path; {text:?} is none")
            })
        };
        texts.iter().map(each).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of a request, if its pages may ask.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut said = headers.get_all(ORIGIN).iter();
        let origin = said.next().filter(|_| said.next().is_none())?;
        self.0.iter().find(|known| *known == origin).cloned()
    }

    /// Puts what a browser needs to know into an answer to `origin`, if that may ask.
    pub(crate) fn mark(&self, origin: Option<HeaderValue>, reply: &mut Reply) {
        if self.is_empty() {
            return;
        }
        let headers = reply.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// The answer to a browser that asks whether its page may ask, if that is what this is.
pub(crate) fn preflight(head: &Head, allowed: bool) -> Option<Reply> {
    let asks = head.method == Method::OPTIONS
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && allowed;
    asks.then(|| {
        let mut reply = reply(StatusCode::NO_CONTENT, JSON, "");
        let headers = reply.headers_mut();
        headers.clear();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        reply
    })
}

/// An origin as browsers spell it: in lower case, without the port that goes without saying.
fn spelt(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority: Authority = rest.parse().ok()?;
    let host = authority.host();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let named = host.bytes().all(letters) && !host.is_empty();
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let addressed = bracketed.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let port = rest.strip_prefix(host).filter(|port| {
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    })?;
    let port = if port == default { "" } else { port };
    (named || addressed).then(|| format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelt_as_browsers_spell_it() {
        for (text, browsers) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(spelt(text).as_deref(), Some(browsers), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_by_the_rule() {
        for text in [
            "*",
            "null",
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?a=b",
            "https://*.example.com",
            "https://user@app.example.com",
            "https://app.example.com:99999",
            "https://app.example.com:",
            "file:///index.html",
            "https://a.example, https://b.example",
        ] {
            let error = Origins::new(&[text.to_owned()]).unwrap_err();
            assert!(error.starts_with("must be origins such as"), "{text}: {error}");
        }
    }
}
