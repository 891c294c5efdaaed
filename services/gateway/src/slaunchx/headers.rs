//! What this product's headers and its query say.

use std::net::IpAddr;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::answer::Page;
use super::fault::Fault;
use super::said::Said;

/// Which workspace; the path says it as well.
static WORKSPACE: HeaderName = HeaderName::from_static("x-workspace-id");
/// A hash of the device.
static CLIENT_HASH: HeaderName = HeaderName::from_static("x-client-hash");
/// The same, as the service takes it.
pub(super) static KEYWARD_CLIENT_HASH: HeaderName =
    HeaderName::from_static("x-keyward-client-hash");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers that must be there.
pub(super) fn required(headers: &HeaderMap, workspace_id: &str) -> Result<(), Fault> {
    let Some(workspace) = headers.get(&WORKSPACE) else {
        return Err(Fault::field(Said::Required, "X-Workspace-Id"));
    };
    if headers.get_all(&WORKSPACE).iter().any(|one| one != workspace)
        || workspace.as_bytes() != workspace_id.as_bytes()
    {
        return Err(Fault::field(Said::WorkspaceDiffers, "X-Workspace-Id"));
    }
    if !headers.contains_key(&CLIENT_HASH) {
        return Err(Fault::field(Said::Required, "X-Client-Hash"));
    }
    match client_hash(headers) {
        Some(_) => Ok(()),
        None => Err(Fault::field(Said::ClientHashRule, "X-Client-Hash")),
    }
}

/// The hash of the client's device: 1 to 256 visible characters, once.
pub(super) fn client_hash(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(&CLIENT_HASH).iter();
    let hash = values.next()?;
    let bytes = hash.as_bytes();
    let fit = (1..=256).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    (fit && values.next().is_none()).then_some(hash)
}

/// The name of a request that may come again, bare or in quotes; empty if it has none.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, Fault> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(String::new());
    };
    let wrong = || Fault::field(Said::IdempotencyRule, "Idempotency-Key");
    let text = value.to_str().map_err(|_| wrong())?;
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let fit = (16..=255).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
    if fit && values.next().is_none() { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// Whether JSON is among what the client takes (RFC 9110, 12.5.1): the closest of its ranges decides.
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    let mut best: Option<(u8, bool)> = None;
    for line in headers.get_all(ACCEPT) {
        let Ok(line) = line.to_str() else {
            return false;
        };
        for range in line.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            let closeness = match kind.trim().to_ascii_lowercase().as_str() {
                "application/json" => 2,
                "application/*" => 1,
                "*/*" => 0,
                _ => {
                    best = best.or(Some((0, false)));
                    continue;
                }
            };
            let taken = quality(parameters) > 0;
            best = match best {
                Some((known, before)) if known > closeness => Some((known, before)),
                Some((known, before)) if known == closeness => Some((known, before || taken)),
                Some(_) | None => Some((closeness, taken)),
            };
        }
    }
    best.is_none_or(|(_, taken)| taken)
}

/// The weight among the parameters of a range, in thousandths.
pub(super) fn quality(parameters: &str) -> u16 {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let Some(weight) = weight else {
        return 1_000;
    };
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if whole == "1" {
        return 1_000;
    }
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).take(3);
    let padded = digits.map(|digit| u16::from(digit - b'0')).chain(std::iter::repeat(0)).take(3);
    if whole == "0" { padded.fold(0, |sum, digit| sum * 10 + digit) } else { 0 }
}

/// The page that the query asks for.
pub(super) fn page(query: Option<&str>) -> Result<Page, Fault> {
    let mut page = Page::default();
    for (name, value) in query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    {
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| Fault::field(Said::UnknownMember, name))?;
        match name {
            "pageSize" => {
                let size: Result<u16, _> = value.parse();
                let size = size.map_err(|_| Fault::field(Said::PageSizeRule, name))?;
                page.size = i32::from(size.min(100));
            }
            "pageToken" => page.token = value.into_owned(),
            _ => return Err(Fault::field(Said::UnknownMember, name)),
        }
    }
    Ok(page)
}

/// An entry that names a network by an address within it, as it should be spelt.
pub(super) fn corrected(entry: &str) -> Option<String> {
    let (address, bits) = entry.split_once('/')?;
    let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
    let network = ipnet::IpNet::new(address, bits).ok()?;
    (network.trunc() != network).then(|| network.trunc().to_string())
}

impl Fault {
    /// A rule that a header or a member breaks.
    pub(super) fn field(said: Said, field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, said).with("field", field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_unless_it_is_excluded() {
        for (accept, taken) in [
            (&[][..], true),
            (&[""], true),
            (&["application/json"], true),
            (&["Application/JSON; charset=utf-8"], true),
            (&["text/html, */*;q=0.1"], true),
            (&["text/html", "application/*"], true),
            (&["text/html"], false),
            (&["application/json;q=0"], false),
            (&["application/json;q=0, */*"], false),
            (&["application/json;q=0.001, */*;q=0"], true),
            (&["*/*;q=0.0"], false),
            (&["application/xml, application/*;q=0"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(accepts_json(&headers), taken, "{accept:?}");
        }
    }
}
