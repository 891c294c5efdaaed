//! What is spoken on a connection: HTTP/1.1 or HTTP/2. Connections are served on one single-threaded runtime
//! a core, each with channels to the service of its own, so that a request stays on its thread.

mod connection;

pub(crate) use connection::Serving;
