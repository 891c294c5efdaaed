//! What one client, or all together, may use up.

use std::time::Duration;

/// The most bytes of a message whose RPC takes a list of addresses or of requests.
pub const LARGE_MESSAGE: usize = 1024 * 1024;
/// The most bytes of any other message.
pub const MESSAGE: usize = 64 * 1024;

/// Limits of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// For the TLS handshake and the HTTP/2 preface together.
    pub handshake: Duration,
    /// Calls open at once on one connection.
    pub streams: u32,
    /// Bytes of all headers of one call.
    pub headers: u32,
    /// Silence after which a ping is sent.
    pub keepalive: Duration,
    /// How long the answer to a ping may take.
    pub keepalive_timeout: Duration,
}

impl Limits {
    /// The limits for this many connections.
    #[must_use]
    pub const fn new(connections: usize) -> Self {
        Self {
            connections,
            handshake: Duration::from_secs(5),
            streams: 256,
            headers: 16 * 1024,
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}
