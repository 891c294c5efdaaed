//! `POST /v2/workspace/domains/add` and `POST /v2/workspace/domains/delete`
//!
//! They are read, changed and written under the etag of the key, and once more if somebody was faster. What
//! is so already is skipped and told; the product has that as an error with the status INTERNAL, which it is
//! not. The service waits for its verifiers where a change narrows the key.

use std::collections::BTreeSet;

use api::v1::{ApiKey, ErrorReason, GetApiKeyRequest, UpdateApiKeyRequest};
use http::StatusCode;
use prost_types::FieldMask;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{needed_data, required};
use super::credentials::{Level, Workspace};
use super::domains::LOCAL;
use super::envelope::{Outcome, told};
use super::holder::{owner, unknown_is_invalid};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::Answering;

/// The most domains of a request, and of a key.
const MOST: usize = 100;
/// So often somebody else may be faster.
const TRIES: usize = 5;

/// What an addition says, with nothing skipped and with something.
pub(super) const ADDED: [&str; 2] = [
    "Domain(s) added successfully to allowed domains.",
    "Domain(s) added successfully to allowed domains. Skipped existing domains.",
];
/// What a removal says, with nothing skipped and with something.
pub(super) const REMOVED: [&str; 2] = [
    "Domain(s) removed successfully from allowed domains.",
    "Domain(s) removed successfully from allowed domains. Skipped non-existing domains.",
];

/// Domains to add or to take away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VeltDomainChange)]
pub(super) struct Asked {
    /// `example.com`, `*.example.com`, `localhost`.
    #[schema(required, nullable = false, min_items = 1, max_items = 100)]
    domains: Option<Vec<String>>,
}

/// What was added, and what was there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltDomainsAdded)]
pub(super) struct Added {
    domains_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped_domains: Vec<String>,
}

/// What was taken away, and what was not there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VeltDomainsRemoved)]
pub(super) struct Removed {
    domains_removed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped_domains: Vec<String>,
}

/// Answers domains that are added. Only those that the key did not have.
pub(super) fn add(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, added(&call).await.map_err(unknown_is_invalid)) })
}

/// Answers domains that are removed. The last one stays: without any the key is good from everywhere.
pub(super) fn delete(call: Call) -> Answering {
    Box::pin(async move { told(Level::Key, removed(&call).await.map_err(unknown_is_invalid)) })
}

async fn added(call: &Call) -> Result<Reply, Refusal> {
    let Parted { changed: domains_added, skipped: skipped_domains } = changed(call, with).await?;
    let message = ADDED[usize::from(!skipped_domains.is_empty())];
    Outcome::new(message, Added { domains_added, skipped_domains }).reply()
}

async fn removed(call: &Call) -> Result<Reply, Refusal> {
    let Parted { changed: domains_removed, skipped: skipped_domains } =
        changed(call, without).await?;
    let message = REMOVED[usize::from(!skipped_domains.is_empty())];
    Outcome::new(message, Removed { domains_removed, skipped_domains }).reply()
}

/// The domains of a request: those that make a difference, and the others.
#[derive(Default)]
struct Parted {
    changed: Vec<String>,
    skipped: Vec<String>,
}

/// Where a key may be presented from, after a change.
struct Origins {
    domains: Vec<String>,
    localhost: bool,
}

type Change = fn(&ApiKey, &[String]) -> Result<(Origins, Parted), Refusal>;

/// Makes a change, and again if it was made of what is no longer so.
async fn changed(call: &Call, change: Change) -> Result<Parted, Refusal> {
    let (workspace, key_id) = owner(call).await?;
    let asked: Asked = needed_data(call)?;
    let domains = required("domains", asked.domains)?;
    if !(1..=MOST).contains(&domains.len()) {
        return Err(Refusal::field("domains", "must have 1 to 100 entries"));
    }
    for _ in 1..TRIES {
        match once(call, &workspace, &key_id, &domains, change).await {
            Err(refusal) if refusal.reason() == ErrorReason::EtagMismatch.as_reason() => {}
            done => return done,
        }
    }
    once(call, &workspace, &key_id, &domains, change).await
}

async fn once(
    call: &Call,
    workspace: &Workspace,
    key_id: &str,
    domains: &[String],
    change: Change,
) -> Result<Parted, Refusal> {
    let message = GetApiKeyRequest {
        workspace_id: workspace.id.clone(),
        key_id: key_id.to_owned(),
        ..GetApiKeyRequest::default()
    };
    let got = call.keys().get_api_key(workspace.request(call, message)).await?.into_inner();
    let key = got.api_key.ok_or_else(Refusal::internal)?;
    let (origins, parted) = change(&key, domains)?;
    if parted.changed.is_empty() {
        return Ok(parted);
    }
    let paths = ["allowed_domains", "allow_localhost"].map(str::to_owned);
    let message = UpdateApiKeyRequest {
        workspace_id: workspace.id.clone(),
        key_id: key_id.to_owned(),
        api_key: Some(ApiKey {
            allowed_domains: origins.domains,
            allow_localhost: origins.localhost,
            ..ApiKey::default()
        }),
        update_mask: Some(FieldMask { paths: paths.to_vec() }),
        etag: key.etag,
        ..UpdateApiKeyRequest::default()
    };
    let updated = call.keys().update_api_key(workspace.request(call, message)).await;
    updated.map_err(|status| as_asked(status.into(), &parted.changed, domains))?;
    Ok(parted)
}

/// A refused entry by its place in the request: what is new is first in what was sent on.
fn as_asked(refusal: Refusal, sent: &[String], domains: &[String]) -> Refusal {
    let place = |(path, rule): (&str, &str)| {
        let at = path.strip_prefix("api_key.allowed_domains[")?.strip_suffix(']')?;
        let entry = sent.iter().filter(|one| !is_local(one)).nth(at.parse().ok()?)?;
        let at = domains.iter().position(|domain| canonical(domain) == *entry)?;
        Some(Refusal::field(format!("domains[{at}]"), rule))
    };
    refusal.service_violation().and_then(place).unwrap_or(refusal)
}

fn with(key: &ApiKey, domains: &[String]) -> Result<(Origins, Parted), Refusal> {
    let (parted, mut localhost) = (part(key, domains, false), key.allow_localhost);
    let mut all = Vec::new();
    for domain in &parted.changed {
        if is_local(domain) {
            localhost = true;
        } else {
            all.push(domain.clone());
        }
    }
    all.extend(key.allowed_domains.iter().cloned());
    if all.len() > MOST {
        return Err(Refusal::field("domains", "must leave the key with at most 100"));
    }
    Ok((Origins { domains: all, localhost }, parted))
}

fn without(key: &ApiKey, domains: &[String]) -> Result<(Origins, Parted), Refusal> {
    let parted = part(key, domains, true);
    let goes = |domain: &String| parted.changed.contains(domain);
    let left: Vec<_> = key.allowed_domains.iter().filter(|&one| !goes(one)).cloned().collect();
    if left.is_empty() && !key.allowed_domains.is_empty() {
        let message = "The last domain can't be removed: without any, the key could be used from \
                       everywhere.";
        let (http, reason) = (StatusCode::BAD_REQUEST, ErrorReason::FieldInvalid);
        return Err(Refusal::of_http(http, reason, message));
    }
    let localhost = key.allow_localhost && !parted.changed.iter().any(|one| is_local(one));
    Ok((Origins { domains: left, localhost }, parted))
}

/// Parts those that the key has, if `had` makes a difference, from the others; each once.
fn part(key: &ApiKey, domains: &[String], had: bool) -> Parted {
    let (mut parted, mut seen) = (Parted::default(), BTreeSet::new());
    for domain in domains.iter().map(|domain| canonical(domain)) {
        let has = if is_local(&domain) {
            key.allow_localhost
        } else {
            key.allowed_domains.contains(&domain)
        };
        if seen.insert(domain.clone()) {
            let side = if has == had { &mut parted.changed } else { &mut parted.skipped };
            side.push(domain);
        }
    }
    parted
}

fn is_local(domain: &str) -> bool {
    LOCAL.contains(&domain)
}

/// A domain as the service keeps it, so that it is found among those of a key. What is none stays as it is,
/// for the service to refuse.
fn canonical(text: &str) -> String {
    let strip = |scheme: &str| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let bare = strip("https://").or_else(|| strip("http://")).unwrap_or(text);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let (below, host) = match bare.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", bare),
    };
    let Ok(host) = idna::domain_to_ascii_strict(host) else {
        return bare.to_owned();
    };
    let stripped = host
        .strip_prefix("www.")
        .filter(|rest| below.is_empty() && rest.contains('.') && !rest.starts_with("www."));
    format!("{below}{}", stripped.unwrap_or(&host))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_domain_is_found_however_it_is_spelt() {
        for (text, kept) in [
            ("https://www.Example.com/", "example.com"),
            ("HTTP://example.com", "example.com"),
            ("*.Example.com", "*.example.com"),
            ("https://*.www.example.com", "*.www.example.com"),
            ("www.www.example.com", "www.www.example.com"),
            ("www.com", "www.com"),
            ("bücher.example.com", "xn--bcher-kva.example.com"),
            ("https://localhost", "localhost"),
            ("a b/", "a b"),
        ] {
            assert_eq!(canonical(text), kept, "{text}");
        }
    }
}
