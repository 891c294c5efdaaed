//! The verdict: may this key pass, now, from this address, for this?
//!
//! [`judge`] is a list of checks from top to bottom whose order is the documented precedence of
//! denials. Deliberately absent: finding the key and checking its secret (`verifier`, `vault`), and
//! whether this node may answer at all (the lease).

use std::net::IpAddr;

use jiff::SignedDuration;

use crate::{AddressRanges, DomainRules, Micros, Origin, RevocationReason, ScopeSet};

/// A natural end that is no further ahead than this is worth a warning.
pub const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is known of the key that was presented, at the moment of asking.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When and why it was revoked, if it was.
    pub revoked: Option<(Micros, RevocationReason)>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Before this moment it is denied.
    pub not_before: Option<Micros>,
    /// From this moment on it is denied.
    pub expires_at: Option<Micros>,
    /// From this moment on the presented credential is denied: a newer one has taken over.
    pub credential_not_after: Option<Micros>,
    /// Whether it is denied whatever the clock says, as it was ended by what happened.
    pub credential_ended: bool,
    /// Whether its workspace is suspended now.
    pub workspace_suspended: bool,
    /// From where it may come; `None` for anywhere, empty ranges for nowhere.
    pub addresses: Option<&'a AddressRanges>,
    /// Which origins may present it; `None` for any.
    pub domains: Option<&'a DomainRules>,
    /// What it may do.
    pub scopes: &'a ScopeSet,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The moment for `not_before`: the earliest that it may be now.
    pub earliest: Micros,
    /// The moment for ends: the latest that it may be now.
    pub latest: Micros,
    /// The end client's address, if the caller knows it.
    pub client_ip: Option<IpAddr>,
    /// The end client's origin, if the caller knows it.
    pub origin: Option<&'a Origin>,
    /// Scopes that are all needed.
    pub all_of: &'a [&'a str],
    /// Scopes of which one is needed; empty asks for none.
    pub any_of: &'a [&'a str],
}

/// Why a key may not pass. The order is the precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// No credential of ours by its shape or checksum; nothing was looked up.
    Malformed,
    /// Unknown, wrong secret, or another's: one answer for all.
    NotFound,
    /// Ended for good.
    Revoked {
        /// When.
        at: Micros,
        /// Why.
        reason: RevocationReason,
    },
    /// Switched off.
    Disabled,
    /// Not begun yet.
    NotYetValid {
        /// When it begins.
        not_before: Micros,
    },
    /// Past its natural end.
    Expired {
        /// When it ended.
        expires_at: Micros,
    },
    /// A newer credential of the same key took over and the grace is over.
    RotatedOut {
        /// When the grace ended.
        not_after: Micros,
    },
    /// The workspace's keys are all denied.
    WorkspaceSuspended,
    /// A restricted key, and no address was given.
    IpRequired,
    /// A restricted key, and the address is not on its list.
    IpNotAllowed,
    /// A restricted key, and no origin was given.
    OriginRequired,
    /// A restricted key, and the origin is not on its list.
    OriginNotAllowed,
    /// Scopes that were asked for are not held.
    InsufficientScope {
        /// Those of `all_of` that are missing; all of `any_of` if none of them is held.
        missing: Vec<String>,
    },
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The key may pass.
    Accepted,
    /// It may not.
    Denied(Denial),
}

/// Judges a key that was found and whose secret matched.
#[must_use]
#[inline]
pub fn judge(facts: &Facts<'_>, question: &Question<'_>) -> Verdict {
    if let Some(denial) = revoked(facts) {
        return Verdict::Denied(denial);
    }
    if facts.disabled {
        return Verdict::Denied(Denial::Disabled);
    }
    if let Some(denial) = not_yet_valid(facts, question) {
        return Verdict::Denied(denial);
    }
    if let Some(denial) = expired(facts, question) {
        return Verdict::Denied(denial);
    }
    if let Some(denial) = rotated_out(facts, question) {
        return Verdict::Denied(denial);
    }
    if facts.workspace_suspended {
        return Verdict::Denied(Denial::WorkspaceSuspended);
    }
    if let Some(denial) = address(facts, question) {
        return Verdict::Denied(denial);
    }
    if let Some(denial) = origin(facts, question) {
        return Verdict::Denied(denial);
    }
    if let Some(denial) = scope(facts, question) {
        return Verdict::Denied(denial);
    }
    Verdict::Accepted
}

/// One check of a verdict, in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// Shape and checksum.
    Format,
    /// Known, right secret, right workspace, env and key.
    Lookup,
    /// Not revoked.
    Revocation,
    /// Not switched off.
    Disabled,
    /// Begun.
    NotBefore,
    /// Not past its natural end.
    Expiry,
    /// The credential's grace is not over.
    Rotation,
    /// The workspace is not suspended.
    Workspace,
    /// The address is allowed.
    Address,
    /// The origin is allowed.
    Origin,
    /// The scopes are held.
    Scope,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail(Denial),
    /// There was nothing to look at: no such restriction, nothing asked for, or no key.
    Skipped,
}

/// Every check of a key that was found, for EXPLAIN. The first failure is what [`judge`] answers.
#[must_use]
pub fn explain(facts: &Facts<'_>, question: &Question<'_>) -> Vec<(Check, Outcome)> {
    let outcome = |denial: Option<Denial>| denial.map_or(Outcome::Pass, Outcome::Fail);
    let if_any = |any: bool, denial| if any { outcome(denial) } else { Outcome::Skipped };
    let asks_scopes = !question.all_of.is_empty() || !question.any_of.is_empty();
    vec![
        (Check::Format, Outcome::Pass),
        (Check::Lookup, Outcome::Pass),
        (Check::Revocation, outcome(revoked(facts))),
        (Check::Disabled, outcome(facts.disabled.then_some(Denial::Disabled))),
        (Check::NotBefore, if_any(facts.not_before.is_some(), not_yet_valid(facts, question))),
        (Check::Expiry, if_any(facts.expires_at.is_some(), expired(facts, question))),
        (
            Check::Rotation,
            if_any(facts.credential_not_after.is_some(), rotated_out(facts, question)),
        ),
        (
            Check::Workspace,
            outcome(facts.workspace_suspended.then_some(Denial::WorkspaceSuspended)),
        ),
        (Check::Address, if_any(facts.addresses.is_some(), address(facts, question))),
        (
            Check::Origin,
            if_any(facts.domains.is_some_and(DomainRules::restrict), origin(facts, question)),
        ),
        (Check::Scope, if_any(asks_scopes, scope(facts, question))),
    ]
}

/// The checks of a string that was no credential, or (`well_formed`) of a credential that was not
/// found: all behind the failed one are skipped.
#[must_use]
pub fn explain_unknown(well_formed: bool) -> Vec<(Check, Outcome)> {
    let (format, lookup) = if well_formed {
        (Outcome::Pass, Outcome::Fail(Denial::NotFound))
    } else {
        (Outcome::Fail(Denial::Malformed), Outcome::Skipped)
    };
    let rest = [
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
    [(Check::Format, format), (Check::Lookup, lookup)]
        .into_iter()
        .chain(rest.into_iter().map(|check| (check, Outcome::Skipped)))
        .collect()
}

fn revoked(facts: &Facts<'_>) -> Option<Denial> {
    facts.revoked.map(|(at, reason)| Denial::Revoked { at, reason })
}

fn not_yet_valid(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let not_before = facts.not_before.filter(|&begin| question.earliest < begin)?;
    Some(Denial::NotYetValid { not_before })
}

fn expired(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let expires_at = facts.expires_at.filter(|&end| end <= question.latest)?;
    Some(Denial::Expired { expires_at })
}

fn rotated_out(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let over = |end: &Micros| facts.credential_ended || *end <= question.latest;
    let not_after = facts.credential_not_after.filter(over)?;
    Some(Denial::RotatedOut { not_after })
}

fn address(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let ranges = facts.addresses?;
    match question.client_ip {
        None => Some(Denial::IpRequired),
        Some(client) if ranges.contain(client) => None,
        Some(_) => Some(Denial::IpNotAllowed),
    }
}

fn origin(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let domains = facts.domains.filter(|domains| domains.restrict())?;
    match question.origin {
        None => Some(Denial::OriginRequired),
        Some(origin) if domains.allow(origin) => None,
        Some(_) => Some(Denial::OriginNotAllowed),
    }
}

fn scope(facts: &Facts<'_>, question: &Question<'_>) -> Option<Denial> {
    let held = |code: &&str| facts.scopes.contains(code);
    let any_held = question.any_of.is_empty() || question.any_of.iter().any(held);
    if any_held && question.all_of.iter().all(held) {
        return None;
    }
    let any_of = if any_held { &[][..] } else { question.any_of };
    let missing = question.all_of.iter().filter(|code| !held(code)).chain(any_of);
    Some(Denial::InsufficientScope { missing: missing.map(|&code| code.to_owned()).collect() })
}
