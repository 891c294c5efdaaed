//! What Envoy's client sent, in either form that Envoy tells it in.

use std::borrow::Cow;

use api::envoy::service::auth::v3::CheckRequest;
use api::envoy::service::auth::v3::attribute_context::HttpRequest;

/// The longest text that is taken from a header; what is longer counts as absent.
const LONGEST: usize = 2_048;
/// The longest name of a request.
const LONGEST_LINE: usize = 128;

/// The headers of a request.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a>(Option<&'a HttpRequest>);

impl<'a> Sent<'a> {
    /// Those of the request in question; none if that is not HTTP.
    pub(super) fn of(request: &'a CheckRequest) -> Self {
        let attributes = request.attributes.as_ref();
        Self(attributes.and_then(|all| all.request.as_ref()).and_then(|one| one.http.as_ref()))
    }

    /// Whether it is a request of HTTP.
    pub(super) const fn is_http(&self) -> bool {
        self.0.is_some()
    }

    /// All values of a header, as they came. Where Envoy has joined those of one name, with commas between,
    /// they stay so.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let joined = self.0.into_iter().flat_map(|http| &http.headers);
        let joined = joined.map(|(key, value)| (key.as_str(), value.as_bytes()));
        let raw = self.0.and_then(|http| http.header_map.as_ref());
        let raw = raw.into_iter().flat_map(|map| &map.headers).map(|header| {
            let value = &header.raw_value;
            let value = if value.is_empty() { header.value.as_bytes() } else { value.as_slice() };
            (header.key.as_str(), value)
        });
        joined.chain(raw).filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, one)| one)
    }

    /// A header that is there once, in visible ASCII, and not longer than the service takes.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        let mut values = self.all(name);
        let value = values.next().filter(|_| values.next().is_none())?;
        let visible = value.iter().all(|&byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        std::str::from_utf8(value).ok().filter(|_| visible && value.len() <= LONGEST)
    }

    /// A short one, for logs and traces.
    pub(super) fn line(self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| (1..=LONGEST_LINE).contains(&text.len()))
    }
}

/// Bytes that are no text are no key either, and are judged as one that is malformed.
pub(super) fn lossy(value: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value)
}
