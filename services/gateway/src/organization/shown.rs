//! A key as it is shown. What is not set is left out.

use api::v1::{ApiKey, owner::Principal};
use prost_types::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::write_timestamp;

/// The members in the documented order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrganizationApiKey)]
pub(super) struct Shown {
    #[serde(skip_serializing_if = "String::is_empty")]
    created_at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    created_by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    expires_at: String,
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    /// The whole key, shown only once. Store it securely.
    key: String,
    key_prefix: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_used_at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_used_ip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_used_user_agent: String,
    name: String,
    organization_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    revoked_at: String,
    /// `read` or `read-write`.
    #[schema(pattern = "^(read|read-write)$")]
    scope: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    service_account_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_id: String,
}

impl Shown {
    /// A key, with its secret if it is shown for the once.
    pub(super) fn new(key: ApiKey, secret: String) -> Self {
        let last = key.last_use.unwrap_or_default();
        let (user_id, service_account_id) =
            owner(key.owner.and_then(|owner| owner.principal), &key.created_by);
        let writes = key.scopes.iter().any(|scope| scope == "read-write");
        Self {
            created_at: moment(key.create_time),
            created_by: subject(&key.created_by).to_owned(),
            description: key.description,
            expires_at: moment(key.expires_at),
            id: key.key_id,
            key: secret,
            key_prefix: key.display,
            last_used_at: moment(last.at),
            last_used_ip: last.ip,
            last_used_user_agent: last.user_agent,
            name: key.name,
            organization_id: key.workspace_id,
            revoked_at: moment(key.revocation.and_then(|revocation| revocation.revoke_time)),
            scope: if writes { "read-write" } else { "read" },
            service_account_id,
            user_id,
        }
    }
}

/// User or service account: of a key that belongs to neither, whoever made it.
fn owner(principal: Option<Principal>, created_by: &str) -> (String, String) {
    match principal {
        Some(Principal::UserId(id)) => (id, String::new()),
        Some(Principal::ServiceAccountId(id)) => (String::new(), id),
        None if created_by.starts_with("user:") => (subject(created_by).to_owned(), String::new()),
        None => (String::new(), subject(created_by).to_owned()),
    }
}

/// The caller without its kind and, of a user, without the issuer: `user:issuer:subject`.
fn subject(actor: &str) -> &str {
    let user = actor.strip_prefix("user:").and_then(|user| user.split_once(':'));
    match user.or_else(|| actor.split_once(':')) {
        Some((_, subject)) => subject,
        None => actor,
    }
}

/// RFC 3339 in UTC, a fraction without zeros at its end; empty if there is none.
fn moment(at: Option<Timestamp>) -> String {
    let mut text = String::new();
    if let Some(at) = at {
        write_timestamp(at.seconds, at.nanos, &mut text);
    }
    match text.strip_suffix('Z').filter(|text| text.contains('.')) {
        Some(digits) => format!("{}Z", digits.trim_end_matches('0')),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_no_zeros_at_their_end() {
        let spelt = |seconds, nanos| moment(Some(Timestamp { seconds, nanos }));
        assert_eq!(spelt(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(spelt(0, 120_300_000), "1970-01-01T00:00:00.1203Z");
        assert_eq!(spelt(10, 1_000), "1970-01-01T00:00:10.000001Z");
        assert_eq!(moment(None), "");
    }

    #[test]
    fn subjects_are_without_kind_and_issuer() {
        assert_eq!(subject("user:ed:auth0|7:x"), "auth0|7:x");
        assert_eq!(subject("service:sc_1"), "sc_1");
    }
}
