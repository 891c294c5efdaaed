//! Where all clocks end: wall time for events and ends of validity, boot time for leases.
//!
//! Everything else takes time as an argument or takes a [`Clock`], so that a test can turn it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Micros;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A reading of `CLOCK_BOOTTIME` in nanoseconds: it goes on while the machine sleeps, and no one can
/// set it. Only differences mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boottime(i64);

impl Boottime {
    /// Before every reading.
    pub const NEVER: Self = Self(i64::MIN / 2);

    /// The reading this much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The nanoseconds, to be kept in an atomic.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The reading of these nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
}

/// What time it may be, by this machine's clock and by the database's: a key begins when both say so, and
/// ends when one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By the one that is behind.
    pub earliest: Micros,
    /// By the one that is ahead.
    pub latest: Micros,
}

/// The clocks of this node. Clones are the same clocks.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Shifts>);

#[derive(Debug, Default)]
struct Shifts {
    /// Microseconds that a test has turned all wall clocks by.
    turned: AtomicI64,
    /// Microseconds that a test has set this machine's clock wrong by.
    wrong: AtomicI64,
    /// Microseconds that the database's clock is ahead of this machine's, as far as that is certain.
    ahead: AtomicI64,
}

impl Clock {
    /// Wall time, in whole microseconds, as the log keeps it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now_micros().timestamp()
    }

    /// Wall time in microseconds.
    #[must_use]
    pub fn now_micros(&self) -> Micros {
        Micros(self.machine().0 + self.0.turned.load(Ordering::Relaxed))
    }

    /// Wall time for verdicts.
    #[inline]
    #[must_use]
    pub fn bounds(&self) -> Now {
        let now = self.now_micros().0;
        let ahead = self.0.ahead.load(Ordering::Relaxed);
        let (earliest, latest) =
            (now.saturating_add(ahead.min(0)), now.saturating_add(ahead.max(0)));
        Now { earliest: Micros(earliest), latest: Micros(latest) }
    }

    /// What this machine's clock says, whatever a test has turned.
    pub(crate) fn machine(&self) -> Micros {
        let now = clock_gettime(ClockId::Realtime);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        Micros(micros + self.0.wrong.load(Ordering::Relaxed))
    }

    /// Takes note that the database's clock was read between two readings of [`Clock::machine`]. Answers
    /// how far it is ahead (behind, if negative) at the least: the way there and back is not held against
    /// it.
    pub(crate) fn compare(&self, before: Micros, database: Timestamp, after: Micros) -> i64 {
        let database = database.as_microsecond();
        let ahead = (database - after.0).max(0) + (database - before.0).min(0);
        self.0.ahead.store(ahead, Ordering::Relaxed);
        ahead
    }

    /// Boot time. Can't be turned.
    #[must_use]
    pub fn boottime(&self) -> Boottime {
        let now = clock_gettime(ClockId::Boottime);
        Boottime(now.tv_sec * 1_000_000_000 + now.tv_nsec)
    }

    /// Turns the wall clocks that this node knows, the database's too, forward. For tests.
    pub fn turn(&self, forward: Duration) {
        self.0.turned.fetch_add(micros(forward), Ordering::Relaxed);
    }

    /// Sets the wall clock of this node wrong: ahead of everybody else's, or behind. For tests.
    pub fn set_wrong(&self, ahead: bool, by: Duration) {
        let by = if ahead { micros(by) } else { -micros(by) };
        self.0.wrong.store(by, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_databases_clock_counts_where_it_is_certainly_off_and_not_where_the_way_may_explain_it() {
        let clock = Clock::default();
        let at = |micros| Timestamp::from_microsecond(micros).unwrap();
        let compared = |database| clock.compare(Micros(1_000), at(database), Micros(1_300));
        assert_eq!([compared(1_000), compared(1_150), compared(1_300)], [0, 0, 0]);
        assert_eq!([compared(1_301), compared(5_300)], [1, 4_000]);
        assert_eq!([compared(999), compared(0)], [-1, -1_000]);
    }

    #[test]
    fn a_verdict_takes_the_earlier_clock_for_beginnings_and_the_later_one_for_ends() {
        let clock = Clock::default();
        let span = |ahead: i64| {
            let now = clock.machine();
            clock.compare(now, Timestamp::from_microsecond(now.0 + ahead).unwrap(), now);
            let Now { earliest, latest } = clock.bounds();
            latest.0 - earliest.0
        };
        assert_eq!([span(0), span(7_000), span(-9_000)], [0, 7_000, 9_000]);
        let bounds = clock.bounds();
        assert!(bounds.earliest < clock.now_micros() && bounds.latest <= clock.now_micros());
    }
}
