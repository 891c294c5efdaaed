//! A proxy that breaks the line between a client and Postgres (or any server) on command.
//!
//! `fault` is what is wrong now and what is to go wrong, `line` is one connection, `listener` is the
//! thread that accepts. The proxy has a thread and a runtime of its own: a test that blocks its own
//! runtime does not stop it. It knows nothing of the protocol; it sees bytes only.

mod fault;
mod line;
mod listener;
mod stream;

pub use fault::{Direction, Mode, Moment, Trigger};
pub use listener::FaultProxy;
pub use stream::Upstream;
