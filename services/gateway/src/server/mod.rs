//! The listener: accepts connections, and serves them, HTTP/1.1 or HTTP/2, on one single-threaded runtime
//! a core, each with channels to the service of its own, so that a request stays on its thread.

mod connection;
mod listener;
mod tls;
mod worker;

pub use listener::Listener;
pub use tls::{TlsError, server_config};
