//! Whether a history keeps what the service promises. Pure: no clock, no network, no chance.
//!
//! A verdict may be of any state that its subject may have been in. A write *may* count for a verdict
//! if it began before the verdict was answered. It *must* count if
//! - it had been acknowledged, with a wait for all verifiers, before the question was sent; or
//! - it had been acknowledged longer ago than the verdict says that its state may be old; or
//! - its position is at or before the one that the verdict names, or that the question asked for.
//!
//! What must count can't be undone by what the verdict has not seen: of the writes to one subject,
//! in their order, every state from the last that must count on is possible, and none before it.

mod positions;

use std::collections::HashMap;
use std::time::Duration;

use api::v1::Denial;

use crate::history::{Answer, Asked, Change, History, Outcome, Secret, Subject, Written};
use positions::Positions;

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// What was acknowledged with a wait for all verifiers, no verdict contradicts that begins later.
    AfterTheBarrier,
    /// No secret passes that no create has answered, and none as another key.
    OnlyCreatedSecrets,
    /// A verdict is of the state it names, and of the one that a token asked for.
    ReadsItsPosition,
    /// What a replica has shown once it never takes back.
    Monotonic,
    /// No verdict is older than it says, nor than the lease.
    WithinTheBound,
    /// A verdict is one of those that the key's history allows.
    Possible,
    /// What is right is not refused.
    NothingIsRefused,
    /// One `request_id` makes one key.
    OnceOnly,
    /// What was acknowledged is there at the end.
    NothingIsLost,
}

/// A promise that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) at: Duration,
    pub(crate) what: String,
}

/// What a key or a workspace may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Live,
    Disabled,
    Revoked,
    RotatedOut,
    Suspended,
}

impl Change {
    const fn leads_to(self) -> State {
        match self {
            Self::Create | Self::Enable | Self::Resume => State::Live,
            Self::Disable => State::Disabled,
            Self::Revoke => State::Revoked,
            Self::Rotate => State::RotatedOut,
            Self::Suspend => State::Suspended,
        }
    }
}

/// A verdict with its question.
#[derive(Debug, Clone, Copy)]
struct Verdict<'a> {
    asked: &'a Asked,
    denial: Denial,
    name: &'a str,
    position: u64,
    staleness: Duration,
}

impl Verdict<'_> {
    /// Before this, everything that was acknowledged must count.
    fn horizon(&self) -> Option<Duration> {
        self.asked.span.start.checked_sub(self.staleness)
    }

    /// Why a write must count, if it must.
    fn must_count(&self, write: &Written) -> Option<Rule> {
        let Outcome::Acknowledged { position, everywhere } = write.outcome else {
            return None;
        };
        if everywhere && write.span.end < self.asked.span.start {
            return Some(Rule::AfterTheBarrier);
        }
        if self.horizon().is_some_and(|horizon| write.span.end < horizon) {
            return Some(Rule::WithinTheBound);
        }
        // After a failover a position may have belonged to something else before.
        let began = write.span.start < self.asked.span.end;
        let named = position <= self.position.max(self.asked.at_least.unwrap_or(0));
        (began && named).then_some(Rule::ReadsItsPosition)
    }

    /// The states that a subject with these writes may have been in, and the rule that rules out those
    /// before them.
    fn states(&self, first: State, writes: &[&Written]) -> (Vec<State>, Option<Rule>) {
        let (mut states, mut because) = (vec![first], None);
        for write in writes {
            if let Some(rule) = self.must_count(write) {
                states.clear();
                because = Some(rule);
            } else if write.span.start >= self.asked.span.end {
                break;
            }
            states.push(write.change.leads_to());
        }
        (states, because)
    }
}

/// Everything that is wrong with a history, in the order of time.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    check_writes(history, &mut found);
    check_verdicts(history, &mut found);
    check_keys(history, &mut found);
    found.sort_by_key(|violation| violation.at);
    found
}

fn check_writes(history: &History, found: &mut Vec<Violation>) {
    for write in &history.written {
        if let Outcome::Refused(why) = &write.outcome {
            found.push(Violation {
                rule: Rule::NothingIsRefused,
                at: write.span.end,
                what: format!("{:?} of {:?} was refused: {why}", write.change, write.subject),
            });
        }
    }
}

fn check_verdicts(history: &History, found: &mut Vec<Violation>) {
    let mut writes: HashMap<Subject, Vec<&Written>> = HashMap::new();
    for write in &history.written {
        writes.entry(write.subject).or_default().push(write);
    }
    let positions = Positions::of(history);
    for asked in &history.asked {
        let verdict = match &asked.answer {
            Answer::Verdict { denial, name, position, staleness } => {
                Verdict { asked, denial: *denial, name, position: *position, staleness: *staleness }
            }
            Answer::Undecided => continue,
            Answer::Refused(why) => {
                let what = format!("replica {} refused a question: {why}", asked.replica);
                found.push(Violation { rule: Rule::NothingIsRefused, at: asked.span.end, what });
                continue;
            }
        };
        let mut broken = |rule, why: String| {
            let what = format!("{why}: {verdict:?}");
            found.push(Violation { rule, at: asked.span.end, what });
        };
        if let Err((rule, why)) = check_state(history, &writes, &verdict) {
            broken(rule, why);
        }
        if verdict.staleness >= history.lease {
            broken(Rule::WithinTheBound, "older than the lease by its own word".to_owned());
        }
        if asked.at_least.is_some_and(|wanted| verdict.position < wanted) {
            broken(Rule::ReadsItsPosition, "before the token that was asked for".to_owned());
        }
        if let Some(shown) = positions.shown_before(asked).filter(|&at| at > verdict.position) {
            broken(Rule::Monotonic, format!("this replica had shown position {shown}"));
        }
        let known = verdict.horizon().map_or(0, |horizon| positions.known_at(horizon, asked));
        if known > verdict.position {
            broken(Rule::WithinTheBound, format!("position {known} was known longer than that"));
        }
    }
}

fn check_state(
    history: &History,
    writes: &HashMap<Subject, Vec<&Written>>,
    verdict: &Verdict<'_>,
) -> Result<(), (Rule, String)> {
    let Secret::Of(index) = verdict.asked.secret else {
        if verdict.denial == Denial::NotFound {
            return Ok(());
        }
        return Err((Rule::OnlyCreatedSecrets, "a secret that was never created".to_owned()));
    };
    let key = &history.keys[index];
    let of = |subject| writes.get(&subject).map_or(&[][..], Vec::as_slice);
    let (keys, because) = verdict.states(State::Absent, of(Subject::Key(index)));
    let (tenants, suspended) = verdict.states(State::Live, of(Subject::Workspace(key.workspace)));
    if !verdict.name.is_empty() && verdict.name != key.name {
        return Err((Rule::OnlyCreatedSecrets, format!("found as another key than {}", key.name)));
    }
    let live = keys.contains(&State::Live);
    // The rule that was broken is that of whoever ruled the answer out.
    let (possible, rule) = match verdict.denial {
        Denial::Unspecified if live => (tenants.contains(&State::Live), suspended),
        Denial::Unspecified => (false, because),
        Denial::NotFound => (keys.contains(&State::Absent), because),
        Denial::Disabled => (keys.contains(&State::Disabled), because),
        Denial::Revoked => (keys.contains(&State::Revoked), because),
        Denial::RotatedOut => (keys.contains(&State::RotatedOut), because),
        Denial::WorkspaceSuspended => (live && tenants.contains(&State::Suspended), suspended),
        Denial::Malformed
        | Denial::NotYetValid
        | Denial::Expired
        | Denial::IpRequired
        | Denial::IpNotAllowed
        | Denial::OriginRequired
        | Denial::OriginNotAllowed
        | Denial::InsufficientScope
        | Denial::RateLimited => (false, None),
    };
    if possible {
        return Ok(());
    }
    let done = of(Subject::Key(index));
    let why = format!(
        "{} may be {keys:?} in a workspace that may be {tenants:?}, after {done:?}",
        key.name
    );
    Err((rule.unwrap_or(Rule::Possible), why))
}

fn check_keys(history: &History, found: &mut Vec<Violation>) {
    let end = history.written.iter().map(|write| write.span.end).max().unwrap_or_default();
    let mut violate = |rule, what| found.push(Violation { rule, at: end, what });
    let mut made = HashMap::new();
    for one in &history.made {
        let first = made.entry(&one.name).or_insert(one);
        if *first != one {
            let keys = (&first.key_id, &one.key_id);
            violate(Rule::OnceOnly, format!("{} was answered with two keys: {keys:?}", one.name));
        }
    }
    let Some(listed) = &history.listed else { return };
    let mut count: HashMap<&str, usize> = HashMap::new();
    for name in listed {
        *count.entry(name).or_default() += 1;
    }
    for (name, &count) in &count {
        if count > 1 {
            violate(Rule::OnceOnly, format!("{name} made {count} keys"));
        }
    }
    for write in history.written.iter().filter(|write| write.change == Change::Create) {
        if let (Subject::Key(index), Outcome::Acknowledged { .. }) = (write.subject, &write.outcome)
            && !count.contains_key(history.keys[index].name.as_str())
        {
            let name = &history.keys[index].name;
            violate(Rule::NothingIsLost, format!("{name} was acknowledged and is not listed"));
        }
    }
}

#[cfg(test)]
mod spec;
