//! What is asked: the credential and where it comes from by the request, what must hold by the route.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::envoy::config::core::v3::address;
use api::envoy::service::auth::v3::CheckRequest;
use api::v1 as wire;
use domain::{Scope, parse_client_address};
use http::Uri;
use smallvec::SmallVec;

use super::super::fields;
use super::super::status::{InField, Refusal};
use super::super::verify_view::View;
use super::sent::{Sent, lossy};
use crate::config::ExtAuthz;

const EXTERNAL_ADDRESS: &str = "x-envoy-external-address";
const SOURCE: &str = "attributes.source.address.socket_address.address";
const EXTENSIONS: &str = "attributes.context_extensions";

/// Why nothing can be asked.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client presents nothing.
    NoCredential,
    /// The client presents two that differ.
    TwoCredentials,
    /// Envoy is configured wrongly.
    Operator(Refusal),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Operator(refusal)
    }
}

/// A question about one key.
#[derive(Debug, Default)]
pub(super) struct Question<'a> {
    key: Cow<'a, str>,
    workspace_id: &'a str,
    client_ip: &'a str,
    origin: Cow<'a, str>,
    user_agent: &'a str,
    /// What the route needs: all of these.
    pub(super) all_of: SmallVec<[&'a str; 4]>,
    /// What the route needs: one of these.
    pub(super) any_of: SmallVec<[&'a str; 4]>,
    envs: SmallVec<[i32; 2]>,
}

impl<'a> Question<'a> {
    /// The question that a request comes to. What is wrong with the configuration is told before what is
    /// wrong with the request: a mistake must not look like denied clients.
    pub(super) fn read(
        request: &'a CheckRequest,
        sent: &Sent<'a>,
        settings: &ExtAuthz,
    ) -> Result<Self, Fault> {
        if !sent.is_http() {
            let path = "attributes.request.http";
            return Err(Refusal::field(path, "is required: only HTTP has a key in it").into());
        }
        let mut question = Self::default();
        if let Some(attributes) = &request.attributes {
            question.must_hold(&attributes.context_extensions)?;
        }
        question.client_ip = client(request, sent, settings)?;
        question.key = credential(sent, settings)?;
        question.origin = origin(sent);
        question.user_agent = sent.text("user-agent").unwrap_or_default();
        Ok(question)
    }

    /// The question as a VerifyKey asks it.
    pub(super) fn view(&self) -> View<'_> {
        View {
            key: &self.key,
            workspace_id: self.workspace_id,
            client_ip: self.client_ip,
            origin: &self.origin,
            user_agent: self.user_agent,
            all_of: self.all_of.iter().copied().collect(),
            any_of: self.any_of.iter().copied().collect(),
            allowed_envs: self.envs.clone(),
            ..View::default()
        }
    }

    /// Reads what the route says.
    fn must_hold(&mut self, extensions: &'a BTreeMap<String, String>) -> Result<(), Refusal> {
        for (name, value) in extensions {
            match name.as_str() {
                "scope" => self.all_of = scopes(name, value)?,
                "any_scope" => self.any_of = scopes(name, value)?,
                "env" => {
                    for word in words(name, value)? {
                        self.envs.push(environment(word)?.into());
                    }
                }
                "workspace" => {
                    fields::id::<domain::WorkspaceId>(&path(name), value)?;
                    self.workspace_id = value;
                }
                _ => {
                    let rule = "must have no members but scope, any_scope, env and workspace";
                    return Err(Refusal::field(EXTENSIONS, rule));
                }
            }
        }
        if self.all_of.len() + self.any_of.len() > domain::ScopeSet::MAX {
            return Err(Refusal::field(
                path("scope"),
                "must have at most 128 scopes with any_scope",
            ));
        }
        Ok(())
    }
}

fn path(name: &str) -> String {
    format!("{EXTENSIONS}[{name:?}]")
}

fn words<'a>(name: &str, value: &'a str) -> Result<impl Iterator<Item = &'a str>, Refusal> {
    let mut words = value.split(' ').filter(|word| !word.is_empty()).peekable();
    match words.peek() {
        Some(_) => Ok(words),
        None => Err(Refusal::field(path(name), "must not be empty: leave it out")),
    }
}

fn scopes<'a>(name: &str, value: &'a str) -> Result<SmallVec<[&'a str; 4]>, Refusal> {
    let each = |word: &'a str| match Scope::is_valid(word) {
        true => Ok(word),
        false => Err(Refusal::field(path(name), format!("each scope {}", Scope::RULE))),
    };
    words(name, value)?.map(each).collect()
}

fn environment(word: &str) -> Result<wire::Environment, Refusal> {
    match word {
        "live" => Ok(wire::Environment::Live),
        "test" => Ok(wire::Environment::Test),
        _ => Err(Refusal::field(path("env"), "must be live, test or both")),
    }
}

/// Where the client is; empty if that is not known, which a key that is bound to addresses does not pass.
fn client<'a>(
    request: &'a CheckRequest,
    sent: &Sent<'a>,
    settings: &ExtAuthz,
) -> Result<&'a str, Refusal> {
    let (path, text) = if settings.external_address {
        let mut values = sent.all(EXTERNAL_ADDRESS);
        let path = "attributes.request.http.headers[\"x-envoy-external-address\"]";
        match (values.next(), values.next()) {
            (None, _) => (path, ""),
            (Some(one), None) => (path, std::str::from_utf8(one).unwrap_or("?")),
            (Some(_), Some(_)) => return Err(Refusal::field(path, "must be there once")),
        }
    } else {
        (SOURCE, source(request).unwrap_or_default())
    };
    if !text.is_empty() {
        parse_client_address(text).in_field(path)?;
    }
    Ok(text)
}

/// The other end of the connection to Envoy, if that has an address of IP. Of a neighbour's on the link Envoy
/// tells the interface as well, which no list of addresses has.
fn source(request: &CheckRequest) -> Option<&str> {
    let address = request.attributes.as_ref()?.source.as_ref()?.address.as_ref()?;
    let address::Address::SocketAddress(socket) = address.address.as_ref()?;
    let text = socket.address.as_str();
    Some(text.split_once('%').filter(|(v6, _)| v6.contains(':')).map_or(text, |(v6, _)| v6))
}

/// The one credential of the request, wherever it is.
fn credential<'a>(sent: &Sent<'a>, settings: &ExtAuthz) -> Result<Cow<'a, str>, Fault> {
    let mut found: Option<&[u8]> = None;
    let bearer = sent.all("authorization").filter_map(bearer);
    for one in bearer.chain(sent.all(settings.header.as_str())) {
        if one.is_empty() {
            continue;
        }
        if found.is_some_and(|known| known != one) {
            return Err(Fault::TwoCredentials);
        }
        found = Some(one);
    }
    found.map(lossy).ok_or(Fault::NoCredential)
}

/// The credential of `Bearer ...`; another scheme is the upstream's own affair.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// From where a browser's request comes: its origin, or else that of the page it comes from.
fn origin<'a>(sent: &Sent<'a>) -> Cow<'a, str> {
    if let Some(origin) = sent.text("origin") {
        return origin.into();
    }
    let referer: Option<Uri> = sent.text("referer").and_then(|text| text.parse().ok());
    referer.map_or_else(Cow::default, |uri| match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}").into(),
        (_, _) => Cow::default(),
    })
}
