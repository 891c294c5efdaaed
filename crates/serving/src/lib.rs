//! How a program accepts connections and spreads them over its serving threads: the listener, how many
//! connections one address has, the files of TLS and whether they have changed.
//!
//! What is spoken on a connection, and for how long, is not known here: see [`Serve`].

mod files;
mod listener;
mod peers;
mod tls;
mod worker;

pub use files::{FileStamp, stamp};
pub use listener::{Capacity, Listener};
pub use peers::{counted, network};
pub use tls::{Loaded, TlsError, TlsFiles, load};
pub use worker::{Accepted, Serve, Slot};
