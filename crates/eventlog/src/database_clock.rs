//! The database's clock as the writer knows it between two of its answers.
//!
//! An event's time is the database's, and its MAC covers it; so whoever writes without asking first
//! has to know the time before. The last answer is carried on by `CLOCK_BOOTTIME`, which nobody sets
//! and which goes on while the machine sleeps. What is carried on lags by the way of one answer, and is
//! given up after seconds: then the database is asked.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// How long an answer is carried on.
const LASTS: Duration = Duration::from_secs(10);

/// A reading of the database's clock beside our own, both in microseconds.
#[derive(Clone, Copy, Debug)]
struct Reading {
    database: i64,
    here: i64,
}

/// The database's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DatabaseClock(Option<Reading>);

impl DatabaseClock {
    /// Notes what the database's clock showed a moment ago.
    pub(crate) fn note(&mut self, shown: Timestamp) {
        let shown = shown.as_microsecond();
        let here = boottime();
        // An answer that came in slowly would set the clock back by as much.
        let carried = self.carried(here).filter(|carried| (0..5_000).contains(&(carried - shown)));
        self.0 = Some(Reading { database: carried.unwrap_or(shown), here });
    }

    /// What it shows now; `None` if it has not been heard of lately.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.carried(boottime())?).ok()
    }

    fn carried(&self, here: i64) -> Option<i64> {
        let reading = self.0?;
        let since = here - reading.here;
        let lasts = i64::try_from(LASTS.as_micros()).unwrap_or(i64::MAX);
        (0..lasts).contains(&since).then_some(reading.database + since)
    }
}

fn boottime() -> i64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    #[test]
    fn a_clock_that_was_never_heard_of_shows_nothing() {
        assert_eq!(DatabaseClock::default().now(), None);
    }

    #[test]
    fn what_was_shown_goes_on_and_is_given_up_after_seconds() {
        let mut clock = DatabaseClock::default();
        clock.note(at(1_000_000_000));
        assert!(clock.now().unwrap() >= at(1_000_000_000));
        let Some(reading) = &mut clock.0 else { panic!("it was noted") };
        let noted = reading.here;
        reading.here = noted - 9_000_000;
        assert!(clock.now().unwrap() >= at(1_009_000_000));
        let Some(reading) = &mut clock.0 else { panic!("it was noted") };
        reading.here = noted - 10_000_000;
        assert_eq!(clock.now(), None);
    }

    #[test]
    fn a_slow_answer_does_not_set_the_clock_back_but_the_database_may() {
        let mut clock = DatabaseClock::default();
        clock.note(at(1_000_000_000));
        clock.note(at(999_998_000));
        assert!(clock.now().unwrap() >= at(1_000_000_000));
        clock.note(at(500_000_000));
        assert!(clock.now().unwrap() < at(600_000_000));
    }
}
