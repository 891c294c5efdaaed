//! Keys and questions that own their parts, so that a test can put them together in one line.

use std::net::IpAddr;

use domain::verdict::{Check, Facts, Question, Verdict, judge};
use domain::{
    AddressRanges, DomainPattern, DomainRules, Micros, Network, Origin, RevocationReason, Scope,
    ScopeSet,
};

pub(crate) const NOW: Micros = Micros(1_000);
pub(crate) const REVOKED: (Micros, RevocationReason) = (Micros(7), RevocationReason::Unused);

/// The checks of a key that was found, in the order of `verify.md`.
pub(crate) const FOUND: [Check; 9] = [
    Check::Revocation,
    Check::Disabled,
    Check::NotBefore,
    Check::Expiry,
    Check::Rotation,
    Check::Workspace,
    Check::Address,
    Check::Origin,
    Check::Scope,
];

/// `Facts` that own what they speak of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key {
    pub(crate) revoked: bool,
    pub(crate) disabled: bool,
    pub(crate) not_before: Option<Micros>,
    pub(crate) expires_at: Option<Micros>,
    pub(crate) not_after: Option<Micros>,
    pub(crate) ended: bool,
    pub(crate) suspended: bool,
    pub(crate) entries: Option<Vec<&'static str>>,
    pub(crate) domains: Option<(Vec<&'static str>, bool)>,
    pub(crate) scopes: Vec<&'static str>,
}

/// A `Question` that owns what it asks.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) earliest: Micros,
    pub(crate) latest: Micros,
    pub(crate) client_ip: Option<&'static str>,
    pub(crate) origin: Option<&'static str>,
    pub(crate) all_of: Vec<&'static str>,
    pub(crate) any_of: Vec<&'static str>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            earliest: NOW,
            latest: NOW,
            client_ip: None,
            origin: None,
            all_of: vec![],
            any_of: vec![],
        }
    }
}

pub(crate) fn with<T>(
    key: &Key,
    ask: &Ask,
    look: impl FnOnce(&Facts<'_>, &Question<'_>) -> T,
) -> T {
    let ranges = key.entries.as_ref().map(|entries| {
        let parse = |entry: &&str| Network::parse(entry, true).expect("a network");
        AddressRanges::new(&entries.iter().map(parse).collect::<Vec<_>>())
    });
    let rules = key.domains.as_ref().map(|(patterns, allow_localhost)| DomainRules {
        patterns: patterns
            .iter()
            .map(|text| DomainPattern::parse(text).expect("a pattern"))
            .collect(),
        allow_localhost: *allow_localhost,
    });
    let codes = key.scopes.iter().map(|code| code.parse::<Scope>().expect("a scope"));
    let scopes = ScopeSet::new(codes).expect("few scopes");
    let origin = ask.origin.map(Origin::parse);
    let facts = Facts {
        revoked: key.revoked.then_some(REVOKED),
        disabled: key.disabled,
        not_before: key.not_before,
        expires_at: key.expires_at,
        credential_not_after: key.not_after,
        credential_ended: key.ended,
        workspace_suspended: key.suspended,
        addresses: ranges.as_ref(),
        domains: rules.as_ref(),
        scopes: &scopes,
    };
    let question = Question {
        earliest: ask.earliest,
        latest: ask.latest,
        client_ip: ask.client_ip.map(|ip| ip.parse::<IpAddr>().expect("an address")),
        origin: origin.as_ref(),
        all_of: &ask.all_of,
        any_of: &ask.any_of,
    };
    look(&facts, &question)
}

pub(crate) fn verdict(key: &Key, ask: &Ask) -> Verdict {
    with(key, ask, judge)
}
