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

/// The clocks of this node.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds that a test has turned the wall clock by.
    turned: Arc<AtomicI64>,
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
        let now = clock_gettime(ClockId::Realtime);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        Micros(micros + self.turned.load(Ordering::Relaxed))
    }

    /// Boot time. Can't be turned.
    #[must_use]
    pub fn boottime(&self) -> Boottime {
        let now = clock_gettime(ClockId::Boottime);
        Boottime(now.tv_sec * 1_000_000_000 + now.tv_nsec)
    }

    /// Turns the wall clock of this node, and of all clones of this clock, forward. For tests.
    pub fn turn(&self, forward: Duration) {
        let micros = i64::try_from(forward.as_micros()).unwrap_or(i64::MAX);
        self.turned.fetch_add(micros, Ordering::Relaxed);
    }
}
