//! What one client, or all together, may use up.

use std::time::Duration;

use crate::config::Config;

/// The most bytes of a message whose RPC takes a list of addresses or of requests.
pub const LARGE_MESSAGE: usize = 1024 * 1024;
/// The most bytes of any other message.
pub const MESSAGE: usize = 64 * 1024;

/// Bytes of messages larger than [`MESSAGE`] that are under way on the whole node. Read and decoded, a
/// message takes a few times as much.
pub const LARGE_IN_FLIGHT: usize = 64 * LARGE_MESSAGE;

/// Limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the TLS handshake and the HTTP/2 preface together.
    pub handshake: Duration,
    /// Calls open at once on one connection.
    pub streams: u32,
    /// Bytes of all headers of one call.
    pub headers: u32,
    /// Bytes of one call's message that are taken in ahead of whoever reads it.
    pub stream_window: u32,
    /// The same, of all calls of one connection together.
    pub connection_window: u32,
    /// How long a connection may be without a new call.
    pub idle: Duration,
    /// How long a connection may be there at all.
    pub age: Duration,
    /// Silence after which a ping is sent.
    pub keepalive: Duration,
    /// How long the answer to a ping may take.
    pub keepalive_timeout: Duration,
}

impl Limits {
    /// The limits of a configuration.
    #[must_use]
    pub const fn new(config: &Config) -> Self {
        Self {
            idle: config.connection_idle,
            age: config.connection_age,
            handshake: Duration::from_secs(5),
            streams: 256,
            headers: 16 * 1024,
            stream_window: 64 * 1024,
            connection_window: 256 * 1024,
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}
