//! What every program of the project accepts connections with: how many of them one address has, the
//! files of TLS and whether they have changed.
//!
//! What is spoken on a connection, and for how long, is not known here.

mod files;
mod peers;
mod tls;

pub use files::{FileStamp, stamp};
pub use peers::{Peers, Place, counted, network};
pub use tls::{Loaded, TlsError, TlsFiles, load};
