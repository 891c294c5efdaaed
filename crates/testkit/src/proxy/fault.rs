//! What is wrong with the line now, and what is to go wrong once.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The state of the whole proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes pass.
    Pass,
    /// Bytes are held, nothing is lost; new connections are accepted and wait.
    Pause,
    /// Connections are reset, new ones are refused.
    Cut,
    /// Bytes are taken and thrown away; new connections are accepted and never answered. A connection
    /// that lost bytes is reset when the mode changes again.
    Blackhole,
    /// As `Blackhole`, but only of what goes this way; the other way passes.
    BlackholeOneWay(Direction),
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// Whether the bytes that trigger a cut still get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// They do not.
    BeforeForwarding,
    /// They do; what comes after them does not.
    AfterForwarding,
}

/// Tells whether a one-shot fault happened: a test asserts that it did.
#[derive(Debug, Clone)]
pub struct Trigger {
    fired: watch::Receiver<bool>,
}

impl Trigger {
    /// Whether it happened.
    pub fn fired(&self) -> bool {
        *self.fired.borrow()
    }

    /// Waits until it happened; for ever, if the proxy goes first.
    pub async fn wait(&mut self) {
        if self.fired.wait_for(|fired| *fired).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A cut that waits for its moment.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) when: When,
    pub(super) direction: Direction,
    pub(super) moment: Moment,
    /// Whether the whole proxy is cut afterwards, or only the connection.
    pub(super) stay_cut: bool,
    fired: watch::Sender<bool>,
}

#[derive(Debug)]
pub(super) enum When {
    /// These bytes were seen on one connection.
    Seen(Vec<u8>),
    /// So many more bytes went this way, all connections together.
    Bytes(usize),
}

/// What a connection is to do with a chunk of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward,
    /// Forward so many of the bytes, then cut.
    CutAfter(usize),
}

/// Mode and epoch; a cut begins a new epoch, and connections of a former one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) mode: Mode,
    pub(super) epoch: u64,
}

/// Shared by the test's side, the listener and all lines.
#[derive(Debug)]
pub(super) struct Faults {
    state: watch::Sender<State>,
    plans: Mutex<Vec<Plan>>,
}

impl Faults {
    pub(super) fn new() -> Self {
        let state = watch::Sender::new(State { mode: Mode::Pass, epoch: 0 });
        Self { state, plans: Mutex::new(Vec::new()) }
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn now(&self) -> State {
        *self.state.borrow()
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.epoch += u64::from(mode == Mode::Cut);
        });
    }

    /// Ends the connections of now; new ones are served as before.
    pub(super) fn reset_connections(&self) {
        self.state.send_modify(|state| state.epoch += 1);
    }

    pub(super) fn plan(
        &self,
        when: When,
        direction: Direction,
        moment: Moment,
        stay_cut: bool,
    ) -> Trigger {
        let (sender, fired) = watch::channel(false);
        let plan = Plan { when, direction, moment, stay_cut, fired: sender };
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
        Trigger { fired }
    }

    /// Judges a chunk. `before` is the end of what went this way on this connection before.
    pub(super) fn judge(&self, direction: Direction, before: &[u8], chunk: &[u8]) -> Verdict {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let due = plans
            .iter_mut()
            .enumerate()
            .filter(|(_, plan)| plan.direction == direction)
            .find_map(|(index, plan)| plan.due(before, chunk).map(|bytes| (index, bytes)));
        let Some((index, bytes)) = due else {
            return Verdict::Forward;
        };
        let plan = plans.swap_remove(index);
        plan.fired.send_replace(true);
        if plan.stay_cut {
            self.state.send_modify(|state| state.mode = Mode::Cut);
        }
        Verdict::CutAfter(bytes)
    }

    /// The longest pattern: so many bytes of the past a connection must remember, less one.
    pub(super) fn memory(&self) -> usize {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().map(Plan::memory).max().unwrap_or(0)
    }
}

impl Plan {
    fn memory(&self) -> usize {
        match &self.when {
            When::Seen(pattern) => pattern.len(),
            When::Bytes(_) => 0,
        }
    }

    /// How many bytes of the chunk are still forwarded, if this chunk is the moment.
    fn due(&mut self, before: &[u8], chunk: &[u8]) -> Option<usize> {
        match &mut self.when {
            When::Seen(pattern) => {
                let past = before.len().min(pattern.len().saturating_sub(1));
                let seen = [&before[before.len() - past..], chunk].concat();
                let found = seen.windows(pattern.len()).any(|window| window == pattern);
                found.then_some(match self.moment {
                    Moment::BeforeForwarding => 0,
                    Moment::AfterForwarding => chunk.len(),
                })
            }
            When::Bytes(left) if *left <= chunk.len() => Some(*left),
            When::Bytes(left) => {
                *left -= chunk.len();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, Faults, Moment, Verdict, When};

    #[test]
    fn a_pattern_across_two_chunks_is_seen_once() {
        let faults = Faults::new();
        let when = When::Seen(b"COMMIT".to_vec());
        let trigger = faults.plan(when, Direction::ToServer, Moment::AfterForwarding, false);
        assert_eq!(faults.judge(Direction::ToServer, b"", b"..COM"), Verdict::Forward);
        assert_eq!(faults.judge(Direction::ToClient, b"..COM", b"MIT"), Verdict::Forward);
        assert!(!trigger.fired());
        assert_eq!(faults.judge(Direction::ToServer, b"..COM", b"MIT;"), Verdict::CutAfter(4));
        assert!(trigger.fired());
        assert_eq!(faults.judge(Direction::ToServer, b"", b"COMMIT"), Verdict::Forward);
    }

    #[test]
    fn bytes_are_counted_to_the_byte() {
        let faults = Faults::new();
        let trigger =
            faults.plan(When::Bytes(5), Direction::ToClient, Moment::AfterForwarding, false);
        assert_eq!(faults.judge(Direction::ToClient, b"", b"abc"), Verdict::Forward);
        assert_eq!(faults.judge(Direction::ToClient, b"", b"def"), Verdict::CutAfter(2));
        assert!(trigger.fired());
    }
}
