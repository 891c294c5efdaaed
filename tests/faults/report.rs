//! What a run came to, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use api::v1::Denial;

use crate::checker::{Rule, Violation};
use crate::history::{Answer, Change, History, Outcome, Written};

/// Figures of a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    /// Revocations that were acknowledged with a wait for all verifiers.
    pub(crate) revocations: usize,
    /// Those that were not waited out by all, but by some fenced.
    pub(crate) fenced: usize,
    /// Accepts that contradict what was acknowledged before.
    pub(crate) stale_accepts: usize,
    pub(crate) accepted: usize,
    pub(crate) denied: usize,
    pub(crate) undecided: usize,
    pub(crate) episodes: usize,
    /// How long those revocations waited after their commit.
    pub(crate) barriers: Vec<Duration>,
    /// How long the acknowledged attempts took in all.
    pub(crate) calls: Vec<Duration>,
}

impl Figures {
    pub(crate) fn of(history: &History, violations: &[Violation]) -> Self {
        let mut figures = Self { episodes: history.incidents.len(), ..Self::default() };
        for asked in &history.asked {
            match asked.answer {
                Answer::Verdict { denial: Denial::Unspecified, .. } => figures.accepted += 1,
                Answer::Verdict { .. } => figures.denied += 1,
                Answer::Undecided | Answer::Refused(_) => figures.undecided += 1,
            }
        }
        for write in history.written.iter().filter(|write| waited(write)) {
            figures.revocations += 1;
            figures.fenced += usize::from(write.fenced > 0);
            figures.barriers.extend(write.barrier);
            figures.calls.push(write.took);
        }
        let stale =
            |one: &&Violation| matches!(one.rule, Rule::AfterTheBarrier | Rule::WithinTheBound);
        figures.stale_accepts = violations.iter().filter(stale).count();
        figures
    }

    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: Self) {
        self.revocations += other.revocations;
        self.fenced += other.fenced;
        self.stale_accepts += other.stale_accepts;
        self.accepted += other.accepted;
        self.denied += other.denied;
        self.undecided += other.undecided;
        self.episodes += other.episodes;
        self.barriers.extend(other.barriers);
        self.calls.extend(other.calls);
    }

    /// A table.
    pub(crate) fn text(&mut self, lease: Duration) -> String {
        let bound = lease + Duration::from_millis(100);
        let late = self.barriers.iter().filter(|barrier| **barrier > bound).count();
        let mut text = String::new();
        let _ = writeln!(
            text,
            "revocations with a wait for all verifiers: {}, {} of which fenced somebody",
            self.revocations, self.fenced
        );
        let _ = writeln!(text, "stale verdicts: {}", self.stale_accepts);
        let _ = writeln!(
            text,
            "verdicts: {} accepted, {} denied, {} undecided; incidents: {}",
            self.accepted, self.denied, self.undecided, self.episodes
        );
        let _ = writeln!(text, "wait after the commit: {}", spread(&mut self.barriers));
        let _ = writeln!(text, "longer than lease + 100 ms ({bound:?}): {late}");
        let _ = writeln!(text, "the whole call: {}", spread(&mut self.calls));
        text
    }
}

fn waited(write: &Written) -> bool {
    let everywhere = matches!(write.outcome, Outcome::Acknowledged { everywhere: true, .. });
    write.change == Change::Revoke && everywhere
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1_000).copied().unwrap_or_default();
    let last = times.last().copied().unwrap_or_default();
    format!("p50 {:?}, p99 {:?}, p99.9 {:?}, most {last:?}", at(500), at(990), at(999))
}

/// The violations: how many of each rule, and the first of each with what had happened around it.
pub(crate) fn violations(history: &History, found: &[Violation]) -> String {
    let mut rules: BTreeMap<Rule, Vec<&Violation>> = BTreeMap::new();
    for violation in found {
        rules.entry(violation.rule).or_default().push(violation);
    }
    let mut text = String::new();
    for (rule, found) in rules {
        let first = found[0];
        let _ = writeln!(
            text,
            "{rule:?}, {} times; first at {:?}: {}",
            found.len(),
            first.at,
            first.what
        );
        let near = |at: Duration| at.abs_diff(first.at) < Duration::from_secs(5);
        for incident in &history.incidents {
            if near(incident.span.start) || near(incident.span.end) {
                let _ = writeln!(text, "    {:?}: {}", incident.span, incident.what);
            }
        }
    }
    text
}
