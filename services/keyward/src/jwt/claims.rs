//! What the claims of a token mean: whether it is for us and counts now, and then whose it is. The first
//! is asked before a key is looked for, the second only of a token whose signature was checked.

use domain::WorkspaceId;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::settings::{ClaimPath, Issuer};
use super::token::is_visible;
use crate::clock::Now;

/// How far clocks may differ: a token counts this much longer, and earlier.
const LEEWAY_S: f64 = 30.0;

/// The last second of the year 9999. What is beyond is no time, but a mistake or an attempt.
const LAST_S: f64 = 253_402_300_799.0;

/// The most characters of a subject: it becomes part of an actor's name.
const LONGEST_SUBJECT: usize = 128;

/// What a user is in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Manages keys.
    Owner,
    /// Looks, and changes nothing.
    Member,
}

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The issuer's short name and the subject: `name:subject`.
    pub(crate) subject: String,
    /// The one workspace that the token is for. Whether it is there is not asked here.
    pub(crate) workspace: WorkspaceId,
    /// What the user is there.
    pub(crate) role: Role,
    /// Whether the token was made for the partner portal.
    pub(crate) partner: bool,
}

/// Whether the token is for us, complete, and counts now.
pub(super) fn counts(claims: &Map<String, Value>, issuer: &Issuer, now: Now) -> Result<(), Fault> {
    let ours = |value: &Value| value.as_str() == Some(&issuer.audience);
    let for_us = match claims.get("aud") {
        Some(Value::Array(several)) => {
            several.iter().all(Value::is_string) && several.iter().any(ours)
        }
        Some(one) => ours(one),
        None => false,
    };
    if !for_us {
        return Err(Fault::Audience);
    }
    let exp = time(claims, "exp")?.ok_or(Fault::Expired)?;
    let nbf = time(claims, "nbf")?;
    time(claims, "iat")?;
    if seconds(now.latest.0) >= exp + LEEWAY_S {
        return Err(Fault::Expired);
    }
    if nbf.is_some_and(|nbf| seconds(now.earliest.0) < nbf - LEEWAY_S) {
        return Err(Fault::NotYet);
    }
    subject(claims).map(drop)
}

/// Whose token it is.
pub(super) fn user(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    client: Option<&[u8]>,
) -> Result<User, Fault> {
    refuse_other_client(claims, client)?;
    let workspace = issuer.workspace_claim.find(claims).and_then(Value::as_str);
    let workspace: WorkspaceId =
        workspace.and_then(|id| id.parse().ok()).ok_or(Fault::Workspace)?;
    if !issuer.speaks_for(workspace) {
        return Err(Fault::Workspace);
    }
    Ok(User {
        subject: format!("{}:{}", issuer.name, subject(claims)?),
        workspace,
        role: role(claims, issuer)?,
        partner: partner(claims, issuer)?,
    })
}

/// A token that was made for one client is good for no other, where the request says which it is of.
fn refuse_other_client(claims: &Map<String, Value>, client: Option<&[u8]>) -> Result<(), Fault> {
    let same = match claims.get("client_hash") {
        None => true,
        Some(hash) => {
            hash.as_str().is_some_and(|hash| client.is_none_or(|client| client == hash.as_bytes()))
        }
    };
    if same { Ok(()) } else { Err(Fault::Client) }
}

fn role(claims: &Map<String, Value>, issuer: &Issuer) -> Result<Role, Fault> {
    let roles = words(&issuer.role_claim, claims).ok_or(Fault::Role)?;
    let has = |values: &[String]| roles.iter().any(|role| values.iter().any(|one| one == role));
    if has(&issuer.owner_values) {
        return Ok(Role::Owner);
    }
    if has(&issuer.member_values) { Ok(Role::Member) } else { Err(Fault::Role) }
}

fn partner(claims: &Map<String, Value>, issuer: &Issuer) -> Result<bool, Fault> {
    let Some(portal) = &issuer.portal else {
        return Ok(false);
    };
    if portal.claim.find(claims).is_none() {
        return Ok(false);
    }
    let said = words(&portal.claim, claims).ok_or(Fault::Portal)?;
    Ok(said.iter().any(|one| portal.partner_values.iter().any(|value| value == one)))
}

/// One string, or a list of strings and nothing else.
fn words<'a>(path: &ClaimPath, claims: &'a Map<String, Value>) -> Option<Vec<&'a str>> {
    match path.find(claims)? {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn subject(claims: &Map<String, Value>) -> Result<&str, Fault> {
    let subject = claims.get("sub").and_then(Value::as_str);
    subject.filter(|subject| is_visible(subject, LONGEST_SUBJECT)).ok_or(Fault::Subject)
}

/// A time in seconds since 1970, if it is there (RFC 7519, 2: NumericDate).
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, Fault> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let number = value.as_f64().filter(|number| (0.0..=LAST_S).contains(number));
    number.map(Some).ok_or(Fault::Time)
}

/// Microseconds in seconds; exact for the next two hundred years.
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
