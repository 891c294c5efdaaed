//! What was asked and what was answered, by one clock: the time since the run began, read before a
//! request goes out and after its answer has come in.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::v1::Denial;

/// From before a request was sent until after its answer was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

/// A key that some writer asked for. Keys are named by their place in the history.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its workspace, by place.
    pub(crate) workspace: usize,
    /// The `request_id` that it was asked for with, which is also its name.
    pub(crate) name: String,
}

/// What a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Key(usize),
    Workspace(usize),
}

/// What a write does to its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Create,
    Disable,
    Enable,
    Revoke,
    /// To another secret, without grace; about the old one.
    Rotate,
    Suspend,
    Resume,
}

/// What is known of a write's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was acknowledged, at this position of the log.
    Acknowledged {
        position: u64,
        /// Whether the answer says that no verifier accepts the state before it.
        everywhere: bool,
    },
    /// Nobody knows, after all attempts.
    Unknown,
    /// It was refused, although nothing is wrong with it.
    Refused(String),
}

/// A write, with all of its attempts. Nobody but one writer changes a subject, one write after the
/// other, so the order of a subject's writes is the order of this list.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) subject: Subject,
    pub(crate) change: Change,
    /// From the first attempt to the last answer.
    pub(crate) span: Span,
    pub(crate) outcome: Outcome,
    /// How long the attempt took that was acknowledged.
    pub(crate) took: Duration,
    /// How long it waited for the verifiers after its commit, by its own word.
    pub(crate) barrier: Option<Duration>,
    /// How many verifiers it did not wait out, but fence.
    pub(crate) fenced: i32,
}

/// What was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    /// The secret of this key.
    Of(usize),
    /// A well-formed one that no create has answered.
    Never,
}

/// What a verifier said.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Accepted if there is no denial.
    Verdict {
        denial: Denial,
        /// The name of the key that was found.
        name: String,
        position: u64,
        staleness: Duration,
    },
    /// It could not decide, or the answer was lost.
    Undecided,
    /// It refused a question that nothing is wrong with.
    Refused(String),
}

/// A question to one replica.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) replica: usize,
    pub(crate) secret: Secret,
    /// The position of the consistency token that was sent.
    pub(crate) at_least: Option<u64>,
    pub(crate) span: Span,
    pub(crate) answer: Answer,
}

/// What happened to the deployment.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) span: Span,
    pub(crate) what: String,
    /// Whether another server took the primary's place, and with it the end of the log.
    pub(crate) failover: bool,
}

/// An answer to a create: its `request_id`, and a digest of what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) lease: Duration,
    pub(crate) keys: Vec<Key>,
    pub(crate) written: Vec<Written>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) made: Vec<Made>,
    /// The names of all keys, as they were listed at the end; none if nobody asked.
    pub(crate) listed: Option<Vec<String>>,
}

/// Takes the history down.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    history: Mutex<History>,
}

impl Recorder {
    pub(crate) fn new(lease: Duration) -> Self {
        let history = Mutex::new(History { lease, ..History::default() });
        Self { began: Instant::now(), history }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn since(&self, start: Duration) -> Span {
        Span { start, end: self.now() }
    }

    pub(crate) fn note<T>(&self, note: impl FnOnce(&mut History) -> T) -> T {
        note(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn incident(&self, start: Duration, failover: bool, what: String) {
        let span = self.since(start);
        self.note(|history| history.incidents.push(Incident { span, what, failover }));
    }

    /// What was taken down so far.
    pub(crate) fn history(&self) -> History {
        self.note(|history| history.clone())
    }
}
