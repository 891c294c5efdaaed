//! Which traces are recorded, decided before a span exists. What is done with a sampled trace is
//! not known here.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use crate::error::TelemetryError;
use crate::trace_parent::TraceParent;

/// What to do about tracing one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleDecision {
    /// Make no span.
    Skip,
    /// Make a span that starts a trace.
    Root,
    /// Make a span inside the caller's sampled trace.
    Child(TraceParent),
}

impl SampleDecision {
    /// Whether a span is to be made.
    pub fn is_sampled(&self) -> bool {
        match self {
            SampleDecision::Skip => false,
            SampleDecision::Root | SampleDecision::Child(_) => true,
        }
    }
}

/// Decides for each request whether it is traced. A copy is as good as the original.
#[derive(Clone, Copy, Debug)]
pub struct Sampler {
    recording: bool,
    /// Draws below this are sampled; the greatest number samples all.
    threshold: u64,
}

impl Sampler {
    /// A sampler that honours the caller's decision and else samples `ratio` of all traces.
    ///
    /// # Errors
    /// [`TelemetryError::SampleRatio`] when `ratio` is not from 0 to 1.
    pub fn new(ratio: f64) -> Result<Self, TelemetryError> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(TelemetryError::SampleRatio(ratio));
        }
        Ok(Sampler { recording: true, threshold: threshold(ratio) })
    }

    /// A sampler for when nobody records: it always answers [`SampleDecision::Skip`].
    pub fn off() -> Self {
        Sampler { recording: false, threshold: 0 }
    }

    /// Decides about one request by the `traceparent` it came with.
    ///
    /// A valid header decides by its sampled flag, both ways; an invalid one counts as none, and
    /// then a draw decides. Takes no lock and allocates nothing: a few nanoseconds without a
    /// header, a few tens with one.
    #[inline]
    pub fn decide(&self, traceparent: Option<&str>) -> SampleDecision {
        if !self.recording {
            return SampleDecision::Skip;
        }
        match traceparent.map(TraceParent::parse) {
            Some(Ok(parent)) if parent.sampled() => SampleDecision::Child(parent),
            Some(Ok(_)) => SampleDecision::Skip,
            Some(Err(_)) | None if self.takes(draw()) => SampleDecision::Root,
            Some(Err(_)) | None => SampleDecision::Skip,
        }
    }

    #[inline]
    fn takes(&self, draw: u64) -> bool {
        draw < self.threshold || self.threshold == u64::MAX
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the ratio is from 0 to 1, and the cast saturates at the greatest number"
)]
fn threshold(ratio: f64) -> u64 {
    (ratio * u64::MAX as f64) as u64
}

thread_local! {
    // Chance here picks traces and nothing else, so a per-thread xorshift will do; each thread is
    // seeded by the standard library's own hashing seed.
    static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8) | 1);
}

#[inline]
fn draw() -> u64 {
    STATE.with(|state| {
        let next = xorshift(state.get());
        state.set(next);
        next.wrapping_mul(0x2545_f491_4f6c_dd1d)
    })
}

/// One step of Marsaglia's 64-bit xorshift; never zero unless `state` is.
#[inline]
fn xorshift(mut state: u64) -> u64 {
    state ^= state >> 12;
    state ^= state << 25;
    state ^ (state >> 27)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn the_callers_decision_is_honoured_both_ways() {
        let never = Sampler::new(0.0).unwrap();
        let always = Sampler::new(1.0).unwrap();
        let parent = TraceParent::parse(SAMPLED).unwrap();
        assert_eq!(never.decide(Some(SAMPLED)), SampleDecision::Child(parent));
        assert_eq!(always.decide(Some(UNSAMPLED)), SampleDecision::Skip);
    }

    #[test]
    fn an_invalid_header_counts_as_none() {
        let always = Sampler::new(1.0).unwrap();
        assert_eq!(always.decide(Some("00-nonsense")), SampleDecision::Root);
        let never = Sampler::new(0.0).unwrap();
        assert_eq!(never.decide(Some("00-nonsense")), SampleDecision::Skip);
    }

    #[test]
    fn nothing_is_sampled_when_nobody_records() {
        assert_eq!(Sampler::off().decide(Some(SAMPLED)), SampleDecision::Skip);
        assert_eq!(Sampler::off().decide(None), SampleDecision::Skip);
    }

    #[test]
    fn the_ends_of_the_ratio_are_exact() {
        let (never, always) = (Sampler::new(0.0).unwrap(), Sampler::new(1.0).unwrap());
        for draw in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(!never.takes(draw));
            assert!(always.takes(draw));
        }
    }

    #[test]
    fn the_ratio_is_kept_over_many_draws() {
        for ratio in [0.001, 0.01, 0.5, 0.99] {
            let sampler = Sampler::new(ratio).unwrap();
            let mut state = 0x9e37_79b9_7f4a_7c15;
            let draws = 1_000_000;
            let taken = (0..draws)
                .filter(|_| {
                    state = xorshift(state);
                    sampler.takes(state.wrapping_mul(0x2545_f491_4f6c_dd1d))
                })
                .count();
            let expected = f64::from(draws) * ratio;
            // Six standard deviations of a binomial; the seed is fixed, so this never flickers.
            let slack = 6.0 * (expected * (1.0 - ratio)).sqrt();
            let taken = f64::from(u32::try_from(taken).unwrap());
            assert!((taken - expected).abs() < slack, "{taken} of {expected} at {ratio}");
        }
    }

    #[test]
    fn two_threads_draw_differently() {
        let here: Vec<u64> = (0..4).map(|_| draw()).collect();
        let there = std::thread::spawn(|| (0..4).map(|_| draw()).collect::<Vec<_>>());
        assert_ne!(here, there.join().unwrap());
    }

    #[test]
    fn a_ratio_outside_0_to_1_is_refused() {
        for ratio in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(matches!(Sampler::new(ratio), Err(TelemetryError::SampleRatio(_))));
        }
    }
}
