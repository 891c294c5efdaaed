//! Guesses: keys that are asked for and that there are not. How many a caller makes is counted and limited.
//!
//! What is limited, and what is not:
//!
//! 1. A limit on a key would let whoever knows its kid, which is no secret, lock its owner out. So there
//!    is none: a key never knows of wrong secrets.
//! 2. A limit on all calls of a caller would let whoever sends junk to a gateway turn away the gateway's
//!    good traffic. So a verdict on a key that is found is never touched, nor are other calls.
//! 3. What is left is the guess itself: past the limit it is answered with RESOURCE_EXHAUSTED instead of
//!    NOT_FOUND or MALFORMED. It must not pass either way; but the caller is told to slow its client down,
//!    and somebody who tries a long list of texts does not even learn which had the right shape.
//! 4. It saves no work: to know that a key is not there, it has to be looked for. What keeps a guess from
//!    hitting is the length of the secrets, not this.
//!
//! Counted on each node by itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use api::v1::Denial;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use telemetry::metrics::{HotCounter, Metrics};
use uuid::Uuid;

/// Who guesses, as it is counted. Only callers who may ask come here, so there are no more of them than live
/// credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Guesser {
    /// By the id of the caller's credential or workspace.
    Id(Uuid),
    /// By a name.
    Name(Arc<str>),
}

/// The guesses of all callers.
pub struct Guesses {
    limiter: Option<DefaultKeyedRateLimiter<Guesser>>,
    answered: HotCounter,
    withheld: HotCounter,
}

/// A guess that is not answered: there may be another one after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(pub Duration);

impl Guesses {
    /// Each caller may make so many a minute, all at once or one by one; `None` for as many as it likes.
    #[must_use]
    pub fn new(per_minute: Option<NonZeroU32>, metrics: &Metrics) -> Self {
        const NAME: &str = "keyward_guesses_total";
        metrics.describe_counter(
            NAME,
            "Verdicts that would be `malformed` or `not_found`, by whether the caller was within its limit",
        );
        Self {
            limiter: per_minute.map(|most| RateLimiter::keyed(Quota::per_minute(most))),
            answered: metrics.hot_counter(NAME, &[("answered", "yes")]),
            withheld: metrics.hot_counter(NAME, &[("answered", "no")]),
        }
    }

    /// Counts a guess.
    ///
    /// # Errors
    /// The caller has made too many of late.
    #[cold]
    pub fn note(&self, by: &Guesser) -> Result<(), TooMany> {
        let checked = match &self.limiter {
            None => Ok(()),
            Some(limiter) => limiter.check_key(by).map_err(|until| {
                let wait = until.wait_time_from(DefaultClock::default().now());
                TooMany(wait.max(Duration::from_millis(1)))
            }),
        };
        match checked {
            Ok(()) => self.answered.add(1),
            Err(_) => self.withheld.add(1),
        }
        checked
    }

    /// Forgets the callers that have all of their limit left. To be called now and then.
    pub fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// Whether a verdict with this denial, as the wire has it, is one on a guess.
#[inline]
#[must_use]
pub const fn is_guess(denial: i32) -> bool {
    denial == Denial::NotFound as i32 || denial == Denial::Malformed as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(most: u32) -> Guesses {
        let telemetry = telemetry::Telemetry::for_tests();
        Guesses::new(NonZeroU32::new(most), telemetry.metrics())
    }

    fn guesser(number: u128) -> Guesser {
        Guesser::Id(Uuid::from_u128(number))
    }

    #[test]
    fn each_caller_has_a_limit_of_its_own_and_is_told_when_to_come_back() {
        let guesses = limited(3);
        for _ in 0..3 {
            assert_eq!(guesses.note(&guesser(1)), Ok(()));
        }
        let TooMany(wait) = guesses.note(&guesser(1)).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(guesses.note(&guesser(2)), Ok(()));
    }

    #[test]
    fn without_a_limit_a_caller_may_guess_on() {
        let guesses = limited(0);
        for _ in 0..10_000 {
            assert_eq!(guesses.note(&guesser(1)), Ok(()));
        }
    }

    #[test]
    fn callers_who_guess_no_more_take_no_room() {
        // A million a minute: whoever guessed once has all of his limit back before long.
        let guesses = limited(u32::MAX);
        for number in 0..1_000 {
            guesses.note(&guesser(number)).unwrap();
        }
        let held = || guesses.limiter.as_ref().map(RateLimiter::len);
        assert_eq!(held(), Some(1_000));
        guesses.forget_idle();
        assert_eq!(held(), Some(0));
        let few = limited(1);
        few.note(&guesser(1)).unwrap();
        few.forget_idle();
        assert!(few.note(&guesser(1)).is_err(), "whoever is over his limit is not forgotten");
    }
}
