//! The gRPC listener: accepts connections, sees to it that they speak TLS and HTTP/2 in time, and
//! serves them on one single-threaded runtime a core, which measured faster than a shared one.

mod certificate;
mod certificates;
mod connection;
mod limits;
mod listener;
mod serving;
mod tls;
mod worker;

pub use limits::{LARGE_IN_FLIGHT, LARGE_MESSAGE, Limits, MESSAGE};
pub use listener::Listener;
pub use tls::Tls;
