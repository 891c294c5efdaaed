//! The checks of an EXPLAIN on the wire: how each ended, what it needed, what there was.
//!
//! The texts are for people. They never hold a part of a credential, and nothing of a key that was
//! not found.

use api::v1 as wire;
use domain::Origin;
use domain::verdict::{Check, Facts, Outcome, Question};
use verifier::Answer;

/// The most names of a list that a text has; of addresses, too.
const MOST: usize = 16;

/// Every check, in the order of precedence.
pub(super) fn checks(
    checks: &[(Check, Outcome)],
    question: &Question<'_>,
    answer: &Answer<'_>,
) -> Vec<wire::Check> {
    let each = |(check, outcome): &(Check, Outcome)| {
        let (needed, held) = match (outcome, &answer.facts) {
            (Outcome::Skipped, _) => (String::new(), String::new()),
            (Outcome::Pass | Outcome::Fail(_), Some(facts)) => compare(*check, facts, question),
            (Outcome::Pass | Outcome::Fail(_), None) => (identity(*check), String::new()),
        };
        wire::Check {
            name: name(*check).into(),
            outcome: match outcome {
                Outcome::Pass => wire::CheckOutcome::Pass,
                Outcome::Fail(_) => wire::CheckOutcome::Fail,
                Outcome::Skipped => wire::CheckOutcome::Skipped,
            }
            .into(),
            needed,
            held,
        }
    };
    checks.iter().map(each).collect()
}

/// What a check of a key that was found needed, and what there was.
fn compare(check: Check, facts: &Facts<'_>, question: &Question<'_>) -> (String, String) {
    let either = |bad: bool, no: &str, yes: &str| {
        (yes.to_owned(), if bad { no.to_owned() } else { yes.to_owned() })
    };
    let moment = |word: &str, at: Option<domain::Micros>, now: domain::Micros| {
        let at = at.map(|at| format!("{word} {}", at.timestamp())).unwrap_or_default();
        (at, now.timestamp().to_string())
    };
    match check {
        Check::Format => (identity(check), "a well-formed key".to_owned()),
        Check::Lookup => (identity(check), "such a key".to_owned()),
        Check::Revocation => match facts.revoked {
            Some((at, _)) => ("not revoked".to_owned(), format!("revoked at {}", at.timestamp())),
            None => either(false, "", "not revoked"),
        },
        Check::Disabled => either(facts.disabled, "disabled", "enabled"),
        Check::NotBefore => moment("from", facts.not_before, question.earliest),
        Check::Expiry => moment("before", facts.expires_at, question.latest),
        Check::Rotation => moment("before", facts.credential_not_after, question.latest),
        Check::Workspace => either(facts.workspace_suspended, "suspended", "not suspended"),
        Check::Address => (addresses(facts), address(question)),
        Check::Origin => (domains(facts), origin(question)),
        Check::Scope => (scopes(question), facts.scopes.iter().map(ToString::to_string).join()),
    }
}

/// What the first two checks need.
fn identity(check: Check) -> String {
    match check {
        Check::Format => "shape and checksum of a key",
        Check::Lookup => {
            "a known key with this secret, in the workspace, environment and id asked for"
        }
        Check::Revocation
        | Check::Disabled
        | Check::NotBefore
        | Check::Expiry
        | Check::Rotation
        | Check::Workspace
        | Check::Address
        | Check::Origin
        | Check::Scope => "",
    }
    .to_owned()
}

fn addresses(facts: &Facts<'_>) -> String {
    match facts.addresses {
        Some(ranges) if ranges.is_empty() => "no address passes: the list is empty".to_owned(),
        Some(ranges) => format!("one of {ranges}"),
        None => String::new(),
    }
}

fn address(question: &Question<'_>) -> String {
    question
        .client_ip
        .map_or_else(|| "no client_ip".to_owned(), |client| client.to_canonical().to_string())
}

fn domains(facts: &Facts<'_>) -> String {
    let Some(rules) = facts.domains else {
        return String::new();
    };
    let localhost = rules.allow_localhost.then(|| "localhost".to_owned());
    let names = rules.patterns.iter().map(ToString::to_string).chain(localhost);
    format!("one of {}", names.join())
}

fn origin(question: &Question<'_>) -> String {
    match question.origin {
        None => "no origin".to_owned(),
        Some(Origin::Localhost) => "localhost".to_owned(),
        Some(Origin::Host(host)) => host.clone(),
        Some(Origin::Opaque) => "an origin without a host".to_owned(),
    }
}

fn scopes(question: &Question<'_>) -> String {
    let asked = [("all of", question.all_of), ("one of", question.any_of)];
    let parts = asked.into_iter().filter(|(_, codes)| !codes.is_empty());
    let parts: Vec<_> = parts
        .map(|(word, codes)| {
            let codes = codes.iter().map(|&code| code.to_owned());
            format!("{word} {}", Join::join(codes))
        })
        .collect();
    parts.join(" and ")
}

trait Join {
    /// With blanks in between; the first few of many.
    fn join(self) -> String;
}

impl<I: Iterator<Item = String>> Join for I {
    fn join(mut self) -> String {
        let mut parts: Vec<_> = self.by_ref().take(MOST).collect();
        parts.extend(self.next().map(|_| "...".to_owned()));
        parts.join(" ")
    }
}

const fn name(check: Check) -> wire::CheckName {
    match check {
        Check::Format => wire::CheckName::Format,
        Check::Lookup => wire::CheckName::Identity,
        Check::Revocation => wire::CheckName::Revocation,
        Check::Disabled => wire::CheckName::Enabled,
        Check::NotBefore => wire::CheckName::NotBefore,
        Check::Expiry => wire::CheckName::Expiry,
        Check::Rotation => wire::CheckName::Rotation,
        Check::Workspace => wire::CheckName::Workspace,
        Check::Address => wire::CheckName::Ip,
        Check::Origin => wire::CheckName::Origin,
        Check::Scope => wire::CheckName::Scope,
    }
}
