//! What is asked: the client's credential and address by the request, what must hold by the path.

use std::net::IpAddr;

use api::v1::{Environment, RequiredScopes, VerifyKeyRequest};
use http::header::{AUTHORIZATION, HeaderName, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use crate::call::Head;

/// Where a key may be, beside Authorization.
static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The most bytes of a credential that are looked at. Keys have 128 at most.
const LONGEST_KEY: usize = 1_024;

/// Why nothing can be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The client presents nothing.
    NoCredential,
    /// The client presents two that differ.
    TwoCredentials,
    /// The path in the proxy's configuration is wrong.
    Operator(&'static str),
}

/// The question that a request comes to. `header` is where a key may be besides.
pub(super) fn read(head: &Head, header: Option<&HeaderName>) -> Result<VerifyKeyRequest, Fault> {
    let mut question = of_path(head.uri.path())?;
    question.key = credential(&head.headers, header)?;
    question.client_ip = shown(head.client);
    question.origin = origin(&head.headers);
    question.user_agent = text(&head.headers, &USER_AGENT).unwrap_or_default();
    Ok(question)
}

fn shown(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// What must hold: names and values by turns.
fn of_path(path: &str) -> Result<VerifyKeyRequest, Fault> {
    let mut question = VerifyKeyRequest::default();
    let mut scopes = RequiredScopes::default();
    let rest = path.strip_prefix("/verify").unwrap_or(path);
    let mut segments = rest.split('/').skip(1).filter(|segment| !segment.is_empty());
    while let Some(name) = segments.next() {
        let value = segments.next().ok_or(Fault::Operator("a parameter has no value"))?;
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| Fault::Operator("a value is not UTF-8"))?.into_owned();
        match name {
            "scope" => scopes.all_of.push(value),
            "any_scope" => scopes.any_of.push(value),
            "env" => question.allowed_envs.push(environment(&value)?.into()),
            "workspace" if question.workspace_id.is_empty() => question.workspace_id = value,
            "workspace" => return Err(Fault::Operator("workspace is there twice")),
            _ => {
                return Err(Fault::Operator("parameters are scope, any_scope, env and workspace"));
            }
        }
    }
    if !scopes.all_of.is_empty() || !scopes.any_of.is_empty() {
        question.required_scopes = Some(scopes);
    }
    Ok(question)
}

fn environment(value: &str) -> Result<Environment, Fault> {
    match value {
        "live" => Ok(Environment::Live),
        "test" => Ok(Environment::Test),
        _ => Err(Fault::Operator("env is live or test")),
    }
}

/// The one credential of the request, wherever it is.
fn credential(headers: &HeaderMap, header: Option<&HeaderName>) -> Result<String, Fault> {
    let mut found: Option<String> = None;
    let bearer = headers.get_all(AUTHORIZATION).iter().map(bearer);
    let plain = [Some(&API_KEY), header].into_iter().flatten();
    let plain = plain.flat_map(|name| headers.get_all(name)).map(|value| Some(lossy(value)));
    for one in bearer.chain(plain) {
        // Another scheme is the upstream's own affair.
        let Some(one) = one.filter(|one| !one.is_empty()) else {
            continue;
        };
        if found.as_ref().is_some_and(|known| *known != one) {
            return Err(Fault::TwoCredentials);
        }
        found = Some(one);
    }
    found.ok_or(Fault::NoCredential)
}

fn bearer(value: &HeaderValue) -> Option<String> {
    let value = lossy(value);
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Bytes that are no text are no key either, and are judged as one that is malformed. So is what is longer
/// than any key, of which no more is sent on than shows that.
fn lossy(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    String::from_utf8_lossy(bytes.get(..LONGEST_KEY).unwrap_or(bytes)).into_owned()
}

/// From where a browser's request comes: its origin, or else that of the page it comes from.
fn origin(headers: &HeaderMap) -> String {
    if let Some(origin) = text(headers, &ORIGIN) {
        return origin;
    }
    let referer: Option<Uri> = text(headers, &REFERER).and_then(|text| text.parse().ok());
    referer.map_or_else(String::new, |uri| match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        (_, _) => String::new(),
    })
}

/// A header that is there once, and not longer than the service takes.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let text = first.to_str().ok().filter(|text| text.len() <= 2_048)?;
    values.next().is_none().then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_hold_is_read_from_the_path() {
        let read =
            of_path("/verify/scope/payment:read/scope/a%2Ab/any_scope/x/env/live/workspace/ws_1");
        let question = read.unwrap();
        let scopes = question.required_scopes.unwrap();
        assert_eq!(
            (scopes.all_of, scopes.any_of.len()),
            (vec!["payment:read".into(), "a*b".into()], 1)
        );
        assert_eq!(question.allowed_envs, [i32::from(Environment::Live)]);
        assert_eq!(question.workspace_id, "ws_1");
        assert_eq!(of_path("/verify").unwrap(), VerifyKeyRequest::default());
        assert_eq!(of_path("/verify/").unwrap(), VerifyKeyRequest::default());
        for wrong in [
            "/verify/scope",
            "/verify/scopes/a",
            "/verify/env/prod",
            "/verify/workspace/a/workspace/b",
            "/verify/scope/%ff",
        ] {
            assert!(matches!(of_path(wrong), Err(Fault::Operator(_))), "{wrong}");
        }
    }

    fn found(headers: &[(&'static str, &'static str)]) -> Result<String, Fault> {
        let own = HeaderName::from_static("x-own");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        credential(&map, Some(&own))
    }

    #[test]
    fn a_credential_is_found_wherever_it_may_be_and_there_is_one() {
        for headers in [
            &[("authorization", "Bearer k")][..],
            &[("authorization", "bEARER  k")],
            &[("x-api-key", "k")],
            &[("x-own", "k")],
            &[("x-api-key", "k"), ("authorization", "Bearer k")],
            &[("authorization", "Basic b"), ("x-api-key", "k")],
        ] {
            assert_eq!(found(headers), Ok("k".to_owned()), "{headers:?}");
        }
        for headers in [&[("authorization", "Basic b")][..], &[], &[("x-api-key", "")]] {
            assert_eq!(found(headers), Err(Fault::NoCredential), "{headers:?}");
        }
        for headers in [
            &[("x-api-key", "k"), ("x-api-key", "l")][..],
            &[("x-api-key", "k"), ("authorization", "Bearer l")],
            &[("x-own", "k"), ("x-api-key", "l")],
        ] {
            assert_eq!(found(headers), Err(Fault::TwoCredentials), "{headers:?}");
        }
    }

    #[test]
    fn the_origin_is_that_of_the_page_if_none_is_said() {
        let of = |name, value| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            origin(&headers)
        };
        assert_eq!(of(ORIGIN, "https://a.example"), "https://a.example");
        assert_eq!(of(REFERER, "https://a.example:8443/x?y=z"), "https://a.example:8443");
        assert_eq!(of(REFERER, "nonsense"), "");
    }
}
