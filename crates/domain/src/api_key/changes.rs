//! Changing what is set on a key: one event for each thing that becomes different, and whether the key
//! may do less afterwards.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::event::{
    AddressesChanged, ApiKeyEvent, DomainsChanged, MetadataChanged, OwnerChanged, Redescribed,
    Renamed, ScopesChanged, ValidityChanged,
};
use super::state::{ApiKey, Settings};
use crate::{
    Description, DomainPattern, Labels, Name, Network, Principal, Rejection, ScopeSet, Sealed,
};

/// What becomes different; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Display name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Description>,
    /// On whose behalf it acts.
    pub principal: Option<Option<Principal>>,
    /// Where its owner is reached.
    pub email: Option<Option<Sealed>>,
    /// What it may do.
    pub scopes: Option<ScopeSet>,
    /// From where it may come. An empty list for a key that was never restricted leaves it so.
    pub ip_allowlist: Option<Option<Vec<Network>>>,
    /// Which origins may present it.
    pub domains: Option<Vec<DomainPattern>>,
    /// Whether this very machine is such an origin.
    pub allow_localhost: Option<bool>,
    /// When it begins.
    pub not_before: Option<Option<Timestamp>>,
    /// When it ends.
    pub expires_at: Option<Option<Timestamp>>,
    /// Free labels.
    pub metadata: Option<Labels>,
}

impl Changes {
    /// The events that make `key` so.
    ///
    /// # Errors
    /// An end that is over, or one before the beginning.
    pub(super) fn of(self, key: &ApiKey, now: Timestamp) -> Result<Vec<ApiKeyEvent>, Rejection> {
        let (before, key_id, at) = (&key.settings, key.key_id, now);
        let after = self.applied_to(before);
        if after.expires_at != before.expires_at && after.expires_at.is_some_and(|end| end <= now) {
            return Err(Rejection::AlreadyExpired);
        }
        let Settings { not_before, expires_at, .. } = after;
        let moved = (not_before, expires_at) != (before.not_before, before.expires_at);
        if moved && not_before.zip(expires_at).is_some_and(|(begin, end)| end <= begin) {
            return Err(Rejection::EndsBeforeItBegins);
        }
        let Settings { name, env: _, owner, description, scopes, ip_allowlist, domains, .. } =
            after;
        let metadata = after.metadata;
        let events =
            [
                (name != before.name).then_some(ApiKeyEvent::Renamed(Renamed { key_id, name, at })),
                (description != before.description)
                    .then_some(ApiKeyEvent::Redescribed(Redescribed { key_id, description, at })),
                (owner != before.owner).then(|| {
                    ApiKeyEvent::OwnerChanged(Box::new(OwnerChanged { key_id, owner, at }))
                }),
                (scopes != before.scopes).then_some(ApiKeyEvent::ScopesChanged(ScopesChanged {
                    key_id,
                    scopes,
                    at,
                })),
                (ip_allowlist != before.ip_allowlist).then_some(ApiKeyEvent::AddressesChanged(
                    AddressesChanged { key_id, ip_allowlist, at },
                )),
                (domains != before.domains)
                    .then_some(ApiKeyEvent::DomainsChanged(DomainsChanged { key_id, domains, at })),
                moved.then_some(ApiKeyEvent::ValidityChanged(ValidityChanged {
                    key_id,
                    not_before,
                    expires_at,
                    at,
                })),
                (metadata != before.metadata).then_some(ApiKeyEvent::MetadataChanged(
                    MetadataChanged { key_id, metadata, at },
                )),
            ];
        Ok(events.into_iter().flatten().collect())
    }

    fn applied_to(self, before: &Settings) -> Settings {
        let mut after = before.clone();
        replace(&mut after.name, self.name);
        replace(&mut after.description, self.description);
        replace(&mut after.owner.principal, self.principal);
        replace(&mut after.owner.email, self.email);
        replace(&mut after.scopes, self.scopes);
        replace(&mut after.domains.patterns, self.domains);
        replace(&mut after.domains.allow_localhost, self.allow_localhost);
        replace(&mut after.not_before, self.not_before);
        replace(&mut after.expires_at, self.expires_at);
        replace(&mut after.metadata, self.metadata);
        let never_restricted = before.ip_allowlist.is_none();
        let empty = |list: &Option<Vec<Network>>| list.as_ref().is_some_and(Vec::is_empty);
        let list = self.ip_allowlist.filter(|list| !(never_restricted && empty(list)));
        replace(&mut after.ip_allowlist, list);
        after
    }
}

fn replace<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

impl ApiKeyEvent {
    /// Whether something that was accepted of the key before is not accepted after it.
    #[must_use]
    pub fn takes_away(&self, before: &ApiKey, after: &ApiKey) -> bool {
        match self {
            Self::ScopesChanged(_)
            | Self::AddressesChanged(_)
            | Self::DomainsChanged(_)
            | Self::ValidityChanged(_) => after.settings.narrower_than(&before.settings),
            Self::Rotated(rotated) => {
                rotated.grace_until <= rotated.at || before.in_grace(rotated.at)
            }
            // Not from verdicts, but from every node that has the data key in memory.
            Self::SubjectErased(_)
            | Self::Disabled(_)
            | Self::Revoked(_)
            | Self::GraceEnded(_)
            | Self::Deleted(_) => true,
            Self::Created(_)
            | Self::Enabled(_)
            | Self::Renamed(_)
            | Self::Redescribed(_)
            | Self::OwnerChanged(_)
            | Self::MetadataChanged(_)
            | Self::Undeleted(_) => false,
        }
    }
}

impl Settings {
    /// Whether something that passes with `before` may not pass with these. If in doubt, it may not: a
    /// list that says the same in other networks counts as narrower.
    #[must_use]
    pub fn narrower_than(&self, before: &Self) -> bool {
        let loses_scopes = before.scopes.iter().any(|scope| !self.scopes.contains(scope.as_str()));
        let loses_addresses = match (&before.ip_allowlist, &self.ip_allowlist) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(old), Some(new)) => {
                let new: BTreeSet<&Network> = new.iter().collect();
                old.iter().any(|network| !new.contains(network))
            }
        };
        let (old, new) = (&before.domains, &self.domains);
        let loses_domains = new.restrict()
            && (!old.restrict()
                || (old.allow_localhost && !new.allow_localhost)
                || old.patterns.iter().any(|pattern| !new.patterns.contains(pattern)));
        let ends_earlier =
            self.expires_at.is_some_and(|end| before.expires_at.is_none_or(|old| end < old));
        let begins_later =
            self.not_before.is_some_and(|begin| before.not_before.is_none_or(|old| begin > old));
        loses_scopes || loses_addresses || loses_domains || ends_earlier || begins_later
    }
}
