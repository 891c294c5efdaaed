//! What is counted of one credential within one hour.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{KeyId, Kid, Micros, WorkspaceId};

/// What a user agent is cut to, in bytes.
const LONGEST_USER_AGENT: usize = 512;
const HOUR: i64 = 3_600_000_000;
/// The wire's denials and, at 0, acceptance.
const VERDICTS: usize = 15;

/// A verdict on a known credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use<'a> {
    /// The credential.
    pub(crate) kid: Kid,
    /// Its key.
    pub(crate) key_id: KeyId,
    /// The workspace of the key.
    pub(crate) workspace_id: WorkspaceId,
    /// When the verdict was given.
    pub(crate) at: Micros,
    /// 0 for acceptance, else the number of the wire's denial.
    pub(crate) verdict: i32,
    /// The end client's address, if it was told.
    pub(crate) ip: Option<IpAddr>,
    /// The end client's user agent, as it was told.
    pub(crate) user_agent: &'a str,
}

/// What is tallied together: a credential's verdicts of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// The credential.
    pub(super) kid: Kid,
    /// Hours since 1970.
    pub(super) hour: u32,
}

impl Place {
    #[inline]
    pub(super) fn of(used: &Use<'_>) -> Self {
        Self { kid: used.kid, hour: u32::try_from(used.at.0 / HOUR).unwrap_or_default() }
    }

    /// When the hour begins.
    pub(super) fn begins(self) -> Micros {
        Micros(i64::from(self.hour) * HOUR)
    }
}

/// The last accepted use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastUse {
    /// When.
    pub(crate) at: Micros,
    /// From where, if it was told.
    pub(crate) ip: Option<IpAddr>,
    /// With what; at most 512 bytes, empty if it was not told.
    pub(crate) user_agent: Arc<str>,
}

/// The verdicts of a [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) key_id: KeyId,
    pub(super) workspace_id: WorkspaceId,
    pub(super) last: Option<LastUse>,
    accepted: u64,
    /// Rare, and so behind a pointer. Its place 0 is not used.
    denied: Option<Box<[u64; VERDICTS]>>,
}

impl Tally {
    pub(super) fn of(used: &Use<'_>, agent: &Arc<str>) -> Self {
        let mut tally = Self {
            key_id: used.key_id,
            workspace_id: used.workspace_id,
            last: None,
            accepted: 0,
            denied: None,
        };
        tally.add(used, agent);
        tally
    }

    /// Counts a verdict on whoever calls himself `agent`. Allocates only for a first denial.
    #[inline]
    pub(super) fn add(&mut self, used: &Use<'_>, agent: &Arc<str>) {
        if used.verdict == 0 {
            self.accepted += 1;
            self.touch(used, agent);
        } else {
            self.deny(used.verdict);
        }
    }

    #[inline]
    fn touch(&mut self, used: &Use<'_>, agent: &Arc<str>) {
        let Some(last) = &mut self.last else {
            let user_agent = Arc::clone(agent);
            self.last = Some(LastUse { at: used.at, ip: used.ip, user_agent });
            return;
        };
        // Of two threads, or after the clock was set back.
        if used.at < last.at {
            return;
        }
        (last.at, last.ip) = (used.at, used.ip);
        // By its address, not its text, which lies elsewhere in memory.
        if !Arc::ptr_eq(&last.user_agent, agent) {
            last.user_agent = Arc::clone(agent);
        }
    }

    #[cold]
    fn deny(&mut self, verdict: i32) {
        let denied = self.denied.get_or_insert_default();
        if let Some(count) = usize::try_from(verdict).ok().and_then(|at| denied.get_mut(at)) {
            *count += 1;
        }
    }

    /// Adds what was tallied elsewhere, or later.
    pub(super) fn absorb(&mut self, other: Self) {
        self.accepted += other.accepted;
        if let Some(theirs) = other.denied {
            let ours = self.denied.get_or_insert_default();
            ours.iter_mut().zip(theirs.iter()).for_each(|(ours, theirs)| *ours += theirs);
        }
        let at = |last: &Option<LastUse>| last.as_ref().map(|last| last.at);
        if at(&other.last) > at(&self.last) {
            self.last = other.last;
        }
    }

    pub(super) const fn accepted(&self) -> u64 {
        self.accepted
    }

    pub(super) fn denied(&self) -> u64 {
        self.denied.iter().flat_map(|counts| counts.iter()).sum()
    }

    /// Every verdict that was given, by its number, and how often.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (i16, u64)> {
        let denied = self.denied.iter().flat_map(|counts| (0_i16..).zip(counts.iter().copied()));
        std::iter::once((0, self.accepted)).chain(denied).filter(|(_, count)| *count > 0)
    }
}

/// The beginning of a user agent, at a boundary of characters.
#[inline]
pub(super) fn cut(text: &str) -> &str {
    if text.len() <= LONGEST_USER_AGENT {
        return text;
    }
    let end = (0..=LONGEST_USER_AGENT).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
