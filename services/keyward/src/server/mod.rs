//! What is spoken on a connection: TLS and HTTP/2, in time. Connections are served on one single-threaded
//! runtime a core, which measured faster than a shared one.

mod certificate;
mod certificates;
mod connection;
mod limits;
mod serving;
mod tls;

pub use self::serving::Serving;
pub use limits::{LARGE_IN_FLIGHT, LARGE_MESSAGE, Limits, MESSAGE};
pub use tls::Tls;
