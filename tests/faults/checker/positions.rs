//! How far the log was known to be, at any time: by what was acknowledged, and by what verdicts showed.
//!
//! A failover may lose what nobody has acknowledged, although it may have been shown. So what verdicts
//! showed counts only from one failover to the next; what was acknowledged counts for ever.

use std::time::Duration;

use crate::history::{Answer, Asked, History, Outcome, Span};

/// Known positions.
pub(super) struct Positions {
    acknowledged: Known,
    /// What verdicts showed, from one failover to the next: by all replicas, and by each.
    eras: Vec<(Span, Known, Vec<Known>)>,
}

/// The greatest position that was known at each time.
#[derive(Default)]
struct Known(Vec<(Duration, u64)>);

impl Known {
    fn of(mut known: Vec<(Duration, u64)>) -> Self {
        known.sort_unstable();
        let mut greatest = 0;
        for (_, position) in &mut known {
            greatest = greatest.max(*position);
            *position = greatest;
        }
        Self(known)
    }

    /// What was known before this time.
    fn before(&self, time: Duration) -> u64 {
        let later = self.0.partition_point(|(known, _)| *known < time);
        later.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

impl Positions {
    pub(super) fn of(history: &History) -> Self {
        let acknowledged = history.written.iter().filter_map(|write| match write.outcome {
            Outcome::Acknowledged { position, .. } => Some((write.span.end, position)),
            Outcome::Unknown | Outcome::Refused(_) => None,
        });
        let acknowledged = Known::of(acknowledged.collect());
        let eras = spans(history).into_iter().map(|era| {
            let of = |replica: Option<usize>| {
                let of_them = |asked: &&Asked| replica.is_none_or(|one| asked.replica == one);
                let shown =
                    history.asked.iter().filter(of_them).filter_map(|asked| shown(asked, era));
                Known::of(shown.collect())
            };
            let replicas = history.asked.iter().map(|asked| asked.replica + 1).max().unwrap_or(0);
            (era, of(None), (0..replicas).map(|replica| of(Some(replica))).collect())
        });
        Self { eras: eras.collect(), acknowledged }
    }

    /// What everybody must know who knows all that was known at this time.
    pub(super) fn known_at(&self, time: Duration, asked: &Asked) -> u64 {
        let shown = self.era(asked).map_or(0, |(_, all, _)| all.before(time));
        self.acknowledged.before(time).max(shown)
    }

    /// The last position that this replica showed before the question.
    pub(super) fn shown_before(&self, asked: &Asked) -> Option<u64> {
        let (_, _, replicas) = self.era(asked)?;
        Some(replicas[asked.replica].before(asked.span.start))
    }

    fn era(&self, asked: &Asked) -> Option<&(Span, Known, Vec<Known>)> {
        self.eras.iter().find(|(era, ..)| within(asked.span, *era))
    }
}

/// The times between failovers.
fn spans(history: &History) -> Vec<Span> {
    let mut failovers: Vec<Span> =
        history.incidents.iter().filter(|one| one.failover).map(|one| one.span).collect();
    failovers.sort_unstable_by_key(|span| span.start);
    let mut eras = Vec::new();
    let mut start = Duration::ZERO;
    for failover in failovers {
        eras.push(Span { start, end: failover.start });
        start = failover.end;
    }
    eras.push(Span { start, end: Duration::MAX });
    eras
}

const fn within(span: Span, era: Span) -> bool {
    span.start.as_nanos() >= era.start.as_nanos() && span.end.as_nanos() <= era.end.as_nanos()
}

fn shown(asked: &Asked, era: Span) -> Option<(Duration, u64)> {
    match asked.answer {
        Answer::Verdict { position, .. } if within(asked.span, era) => {
            Some((asked.span.end, position))
        }
        Answer::Verdict { .. } | Answer::Undecided | Answer::Refused(_) => None,
    }
}
