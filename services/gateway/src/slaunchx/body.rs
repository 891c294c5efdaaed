//! What a create asks for.

use api::v1::Environment;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::headers::corrected;
use super::said::Said;
use crate::json::{self, typed};
use crate::refusal::Refusal;

/// The members of a create.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) env: Environment,
    pub(super) ip_whitelist: Vec<String>,
}

impl Asked {
    /// Reads the body. The rules of scopes and addresses are the service's.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let Value::Object(mut members) = typed::read(body)? else {
            let rule = "must be an object";
            return Err(Fault::from(json::BadJson {
                path: String::new(),
                rule: rule.to_owned(),
                syntax: true,
            }));
        };
        let name = match take(&mut members, "name") {
            None => return Err(Fault::field(Said::Required, "name")),
            Some(Value::String(name)) => name,
            Some(_) => return Err(Fault::field(Said::MustBeText, "name")),
        };
        if !(1..=128).contains(&name.chars().count()) || name.trim().is_empty() {
            return Err(Fault::field(Said::NameRule, "name"));
        }
        let scopes = texts(&mut members, "scopes")?;
        let env = match take(&mut members, "mode") {
            None => Environment::Live,
            Some(mode) => mode_of(&mode).ok_or_else(|| Fault::field(Said::ModeRule, "mode"))?,
        };
        let ip_whitelist = texts(&mut members, "ipWhitelist")?;
        match members.keys().next() {
            Some(unknown) => Err(Fault::field(Said::UnknownMember, unknown)),
            None => Ok(Self { name, scopes, env, ip_whitelist }),
        }
    }

    /// What the service refuses, with what is known of the entry that is wrong.
    pub(super) fn explained(&self, refusal: Refusal) -> Fault {
        let fault = Fault::from(refusal);
        let entry = fault.violation().and_then(|(path, _)| {
            let place = path.strip_prefix("ip_allowlist[")?.strip_suffix(']')?;
            let place: usize = place.parse().ok()?;
            Some((place, self.ip_whitelist.get(place)?))
        });
        let Some((place, entry)) = entry else {
            return fault;
        };
        let field = format!("ipWhitelist[{place}]");
        match corrected(entry) {
            Some(network) => Fault::field(Said::AddressHostBits, &field).with("network", network),
            None if is_any(entry) => fault,
            None => Fault::field(Said::AddressRule, &field),
        }
    }
}

/// Whether it names all addresses there are, which the service refuses in words of its own.
fn is_any(entry: &str) -> bool {
    entry.parse::<ipnet::IpNet>().is_ok_and(|network| network.prefix_len() == 0)
}

/// Whether a body, whatever else is wrong with it, asks for a TEST key.
pub(super) fn asks_for_test(body: &[u8]) -> bool {
    typed::read::<Value>(body).is_ok_and(|body| mode_of(&body["mode"]) == Some(Environment::Test))
}

/// A change that is said by its path takes no members.
pub(super) fn must_be_empty(body: &[u8]) -> Result<(), Fault> {
    if body.is_empty() {
        return Ok(());
    }
    match typed::read(body)? {
        Value::Object(members) if members.is_empty() => Ok(()),
        Value::Null => Ok(()),
        Value::Object(members) => {
            let first = members.keys().next().cloned().unwrap_or_default();
            Err(Fault::field(Said::UnknownMember, &first))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::new(http::StatusCode::BAD_REQUEST, Said::BodyUnexpected))
        }
    }
}

fn mode_of(mode: &Value) -> Option<Environment> {
    match mode.as_u64() {
        Some(1) => Some(Environment::Live),
        Some(2) => Some(Environment::Test),
        Some(_) | None => None,
    }
}

/// A member; one that is null is as if it were not there.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    members.remove(name).filter(|value| !value.is_null())
}

fn texts(members: &mut Map<String, Value>, name: &str) -> Result<Vec<String>, Fault> {
    let entries = match take(members, name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(Fault::field(Said::MustBeList, name)),
    };
    let text = |(place, entry)| match entry {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Fault::field(Said::MustBeText, &format!("{name}[{place}]")))
        }
    };
    entries.into_iter().enumerate().map(text).collect()
}
