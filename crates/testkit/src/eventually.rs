//! Waiting on a condition: the only place in test code that sleeps.

use std::time::{Duration, Instant};

/// What a condition may return: a `bool`, or an `Option` whose value is wanted.
pub trait Condition {
    /// What is returned once the condition is met.
    type Value;
    /// The value if it is met.
    fn met(self) -> Option<Self::Value>;
}

impl Condition for bool {
    type Value = ();
    fn met(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Condition for Option<T> {
    type Value = T;
    fn met(self) -> Option<T> {
        self
    }
}

/// Asks again, with growing pauses of 1 to 50 ms, until the condition is met, and returns its value.
///
/// # Panics
/// Names `what` when the time is over, even if the condition itself hangs.
pub async fn eventually<C: Condition>(
    what: &str,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> C,
) -> C::Value {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        match tokio::time::timeout(left, condition()).await.map(Condition::met) {
            Ok(Some(value)) => return value,
            Ok(None) if start.elapsed() < timeout => {}
            Ok(None) => panic!("after {timeout:?} still not: {what}"),
            Err(_) => panic!("after {timeout:?} still not, and the question hangs: {what}"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
