//! What the client asked the proxy for, as the proxy tells it: for the log and the trace, and for no decision.

use http::{HeaderMap, HeaderName, Uri};
use percent_encoding::percent_decode_str;

/// The most bytes of a path that are shown.
const LONGEST: usize = 512;

static METHOD: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-original-method")];
static URI: [HeaderName; 3] = [
    HeaderName::from_static("x-forwarded-uri"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-url"),
];
static HOST: [HeaderName; 1] = [HeaderName::from_static("x-forwarded-host")];

/// The request of the client; empty where the proxy tells nothing that can be shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Original {
    /// `POST`
    pub(crate) method: String,
    /// Without a user.
    pub(crate) host: String,
    /// Without the query, which may have a key in it; segments that look like one are masked.
    pub(crate) path: String,
}

impl Original {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let method = first(headers, &METHOD).filter(|text| {
            text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        });
        let host = first(headers, &HOST).filter(|text| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
            text.len() <= 255 && text.bytes().all(fits)
        });
        let path = first(headers, &URI).and_then(|text| text.parse::<Uri>().ok());
        Self {
            method: method.unwrap_or_default().to_owned(),
            host: host.unwrap_or_default().to_owned(),
            path: path.map(|uri| shown(uri.path())).unwrap_or_default(),
        }
    }
}

/// The last value of the first of these that is there: the nearest proxy's.
fn first<'h>(headers: &'h HeaderMap, names: &[HeaderName]) -> Option<&'h str> {
    let found = names.iter().find_map(|name| headers.get_all(name).iter().next_back())?;
    found.to_str().ok()
}

/// A path for the log: segments that look like a key, however they are written, are masked.
pub(super) fn shown(path: &str) -> String {
    let masked = path.split('/').map(|segment| {
        let plain = percent_decode_str(segment).decode_utf8_lossy();
        let key = ["_live_", "_test_"].iter().any(|part| plain.contains(part));
        if key { "***" } else { segment }
    });
    let mut shown = masked.collect::<Vec<_>>().join("/");
    // A `Uri` may have other characters than ASCII.
    while shown.len() > LONGEST {
        shown.pop();
    }
    shown.retain(|letter| !letter.is_control());
    shown
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> (String, String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let Original { method, host, path } = Original::of(&map);
        (method, host, path)
    }

    #[test]
    fn it_is_told_by_the_headers_of_every_proxy_and_without_its_query() {
        let told = [
            ("x-forwarded-method", "POST"),
            ("x-forwarded-host", "api.example.com:8443"),
            ("x-forwarded-uri", "/orders/7?key=kwk_live_secret#part"),
        ];
        let all = ("POST".into(), "api.example.com:8443".into(), "/orders/7".into());
        assert_eq!(of(&told), all);
        let nginx = [("x-original-method", "GET"), ("x-original-uri", "/a?b=c")];
        assert_eq!(of(&nginx), ("GET".into(), String::new(), "/a".into()));
        let whole = [("x-original-url", "https://user:pass@api.example.com/a?b=c")];
        assert_eq!(of(&whole), (String::new(), String::new(), "/a".into()));
        let both = [("x-original-uri", "/client"), ("x-forwarded-uri", "/proxy")];
        assert_eq!(of(&both).2, "/proxy");
        let twice = [("x-forwarded-uri", "/client"), ("x-forwarded-uri", "/proxy")];
        assert_eq!(of(&twice).2, "/proxy", "the nearest proxy's");
    }

    #[test]
    fn what_can_not_be_shown_is_not() {
        assert_eq!(of(&[]), of(&[("x-forwarded-method", "get me")]));
        assert_eq!(of(&[("x-forwarded-host", "user@host")]).1, "");
        assert_eq!(of(&[("x-forwarded-uri", "no path at all")]).2, "");
        assert_eq!(of(&[("x-forwarded-uri", "/k/kwk_live_secret/x")]).2, "/k/***/x");
        assert_eq!(of(&[("x-forwarded-uri", "/k/kwk%5flive%5Fsecret")]).2, "/k/***");
        let mut long = HeaderMap::new();
        let text = format!("/{}", "a".repeat(2_000));
        long.insert("x-forwarded-uri", HeaderValue::try_from(text).unwrap());
        assert_eq!(Original::of(&long).path.len(), 512);
    }
}
