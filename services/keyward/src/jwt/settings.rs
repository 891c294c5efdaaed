//! The table of issuers: a TOML file with one `[[issuer]]` for each identity provider. Every mistake is
//! found at the start, in one line.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::WorkspaceId;
use http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value};
use vault::JwtAlgorithm;

use super::token::is_visible;

/// The most issuers.
const MOST_ISSUERS: usize = 32;
/// The most entries of a list, and bytes of a text.
const MOST_ENTRIES: usize = 64;
const LONGEST_TEXT: usize = 512;

/// A table that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It is no TOML, or has members that it must not have, or lacks some.
    #[error("{0}")]
    Toml(String),
    /// There are none, or too many.
    #[error("must have 1 to {MOST_ISSUERS} [[issuer]]")]
    Count,
    /// A member is not as it must be.
    #[error("issuer {name:?}: {member} {rule}")]
    Member {
        /// The issuer's name, as far as it is one.
        name: String,
        /// Which member.
        member: &'static str,
        /// What it must be.
        rule: String,
    },
}

/// An identity provider that this deployment trusts.
#[derive(Debug)]
pub(super) struct Issuer {
    /// A short name of ours: part of the names of actors.
    pub(super) name: String,
    /// `iss`, exactly.
    pub(super) issuer: String,
    /// What `aud` must name, exactly.
    pub(super) audience: String,
    /// The one algorithm.
    pub(super) algorithm: JwtAlgorithm,
    /// Where its keys are.
    pub(super) keys: Place,
    pub(super) workspace_claim: ClaimPath,
    pub(super) role_claim: ClaimPath,
    pub(super) owner_values: Vec<String>,
    pub(super) member_values: Vec<String>,
    /// How tokens of the partner portal are told, if they are.
    pub(super) portal: Option<Portal>,
    /// The workspaces that it may speak for; empty for all.
    workspaces: Vec<WorkspaceId>,
    /// How often its keys are looked at.
    pub(super) refresh: Duration,
    /// The least time between two looks that tokens with unknown keys cause.
    pub(super) cool_down: Duration,
    /// How long keys are good for after the last look that brought some.
    pub(super) stale_after: Duration,
}

impl Issuer {
    /// Whether it may speak for this workspace.
    pub(super) fn speaks_for(&self, workspace: WorkspaceId) -> bool {
        self.workspaces.is_empty() || self.workspaces.contains(&workspace)
    }
}

/// Where a key set is.
#[derive(Debug)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// At this address, which is fixed here and nowhere else.
    Url {
        uri: Uri,
        /// PEM file with the roots that its certificate must lead to; `None` for the system's.
        roots: Option<PathBuf>,
    },
}

/// How tokens of the partner portal are told.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) claim: ClaimPath,
    pub(super) partner_values: Vec<String>,
}

/// The way to a claim: one name, or several, each a member of the object before it. No character of a
/// name means anything: namespaced claims have dots and slashes in theirs.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum ClaimPath {
    One(String),
    Nested(Vec<String>),
}

impl ClaimPath {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Nested(names) => names,
        }
    }

    /// What is there.
    pub(super) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.names().split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    issuer: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    issuer: String,
    audience: String,
    algorithm: String,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    ca_file: Option<PathBuf>,
    workspace_claim: ClaimPath,
    role_claim: ClaimPath,
    owner_values: Vec<String>,
    #[serde(default)]
    member_values: Vec<String>,
    portal_claim: Option<ClaimPath>,
    partner_values: Option<Vec<String>>,
    #[serde(default)]
    workspaces: Vec<String>,
    refresh_s: Option<u64>,
    cool_down_s: Option<u64>,
    stale_after_s: Option<u64>,
}

/// Reads the table.
pub(super) fn parse(text: &str) -> Result<Vec<Issuer>, SettingsError> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let lines = error.message().split_whitespace();
        SettingsError::Toml(lines.collect::<Vec<_>>().join(" "))
    })?;
    if !(1..=MOST_ISSUERS).contains(&table.issuer.len()) {
        return Err(SettingsError::Count);
    }
    let issuers: Vec<_> = table.issuer.into_iter().map(checked).collect::<Result<_, _>>()?;
    let (mut names, mut issued) = (HashSet::new(), HashSet::new());
    for one in &issuers {
        let wrong = |member, rule: &str| wrong(&one.name, member, rule);
        if !names.insert(&one.name) {
            return Err(wrong("name", "is there twice"));
        }
        if !issued.insert(&one.issuer) {
            return Err(wrong("issuer", "is there twice"));
        }
    }
    Ok(issuers)
}

fn wrong(name: &str, member: &'static str, rule: impl Into<String>) -> SettingsError {
    let name = name.chars().take(32).collect();
    SettingsError::Member { name, member, rule: rule.into() }
}

fn checked(row: Row) -> Result<Issuer, SettingsError> {
    let name = row.name.clone();
    let wrong = |member, rule: &str| wrong(&name, member, rule);
    let of_a_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=32).contains(&name.len()) || !name.bytes().all(of_a_name) {
        return Err(wrong("name", "must be 1 to 32 characters of a-z, 0-9 and -"));
    }
    for (member, value) in [("issuer", &row.issuer), ("audience", &row.audience)] {
        if !is_visible(value, LONGEST_TEXT) {
            return Err(wrong(member, "must be 1 to 512 visible characters"));
        }
    }
    let algorithms = [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];
    let algorithm = algorithms.into_iter().find(|one| one.as_str() == row.algorithm);
    let algorithm = algorithm
        .ok_or_else(|| wrong("algorithm", "must be one of \"EdDSA\", \"ES256\", \"RS256\""))?;
    let paths = [("workspace_claim", &row.workspace_claim), ("role_claim", &row.role_claim)];
    let portal_path = row.portal_claim.as_ref().map(|path| ("portal_claim", path));
    for (member, path) in paths.into_iter().chain(portal_path) {
        if !is_path(path) {
            return Err(wrong(member, "must be a name, or a list of 1 to 8 names"));
        }
    }
    let seconds = |member, given: Option<u64>, default, range: std::ops::RangeInclusive<u64>| {
        let given = given.unwrap_or(default);
        let rule = || format!("must be from {} to {}", range.start(), range.end());
        if range.contains(&given) {
            Ok(Duration::from_secs(given))
        } else {
            Err(wrong(member, &rule()))
        }
    };
    let keys = place(&row)?;
    let usual = if matches!(keys, Place::File(_)) { 5 } else { 300 };
    Ok(Issuer {
        refresh: seconds("refresh_s", row.refresh_s, usual, 1..=3_600)?,
        cool_down: seconds("cool_down_s", row.cool_down_s, 30, 1..=3_600)?,
        stale_after: seconds("stale_after_s", row.stale_after_s, 86_400, 1..=604_800)?,
        keys,
        portal: values(&row)?,
        workspaces: workspaces(&row)?,
        name: row.name,
        issuer: row.issuer,
        audience: row.audience,
        algorithm,
        workspace_claim: row.workspace_claim,
        role_claim: row.role_claim,
        owner_values: row.owner_values,
        member_values: row.member_values,
    })
}

fn is_path(path: &ClaimPath) -> bool {
    let names = path.names();
    (1..=8).contains(&names.len())
        && names.iter().all(|name| (1..=LONGEST_TEXT).contains(&name.len()))
}

/// Checks the values that claims are compared with; answers with those of the portal.
fn values(row: &Row) -> Result<Option<Portal>, SettingsError> {
    let wrong = |member, rule: &str| wrong(&row.name, member, rule);
    let fits = |values: &[String], least| {
        (least..=MOST_ENTRIES).contains(&values.len())
            && values.iter().all(|value| (1..=LONGEST_TEXT).contains(&value.len()))
    };
    if !fits(&row.owner_values, 1) {
        return Err(wrong("owner_values", "must be 1 to 64 texts that are not empty"));
    }
    if !fits(&row.member_values, 0) {
        return Err(wrong("member_values", "must be at most 64 texts that are not empty"));
    }
    if row.member_values.iter().any(|value| row.owner_values.contains(value)) {
        return Err(wrong("member_values", "must have nothing in common with owner_values"));
    }
    match (&row.portal_claim, &row.partner_values) {
        (None, None) => Ok(None),
        (Some(claim), Some(values)) if fits(values, 1) => {
            Ok(Some(Portal { claim: claim.clone(), partner_values: values.clone() }))
        }
        (Some(_), Some(_)) => {
            Err(wrong("partner_values", "must be 1 to 64 texts that are not empty"))
        }
        (Some(_), None) => Err(wrong("partner_values", "is required with portal_claim")),
        (None, Some(_)) => Err(wrong("portal_claim", "is required with partner_values")),
    }
}

fn workspaces(row: &Row) -> Result<Vec<WorkspaceId>, SettingsError> {
    let read = |id: &String| {
        id.parse().map_err(|_| wrong(&row.name, "workspaces", "must be ids, `ws_...`"))
    };
    row.workspaces.iter().map(read).collect()
}

fn place(row: &Row) -> Result<Place, SettingsError> {
    let wrong = |member, rule: &str| wrong(&row.name, member, rule);
    let url = match (&row.jwks_file, &row.jwks_url) {
        (Some(_), None) if row.ca_file.is_some() => {
            return Err(wrong("ca_file", "goes with jwks_url only"));
        }
        (Some(file), None) => return Ok(Place::File(file.clone())),
        (None, Some(url)) => url,
        (Some(_), Some(_)) => return Err(wrong("jwks_file", "can't go with jwks_url")),
        (None, None) => return Err(wrong("jwks_url", "or jwks_file is required")),
    };
    let rule = "must be https://host/path, or http:// on loopback, without user and fragment";
    let uri: Uri = url.parse().map_err(|_| wrong("jwks_url", rule))?;
    let host = uri.host().unwrap_or_default();
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(host),
        Some(_) | None => false,
    };
    let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if !secure || user || host.is_empty() || url.contains('#') {
        return Err(wrong("jwks_url", rule));
    }
    if row.ca_file.is_some() && uri.scheme_str() != Some("https") {
        return Err(wrong("ca_file", "goes with https only"));
    }
    Ok(Place::Url { uri, roots: row.ca_file.clone() })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The most bytes of the file.
const LARGEST: u64 = 256 * 1024;

/// Reads the file.
pub(super) fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}
