//! A private Postgres, supervised: its binaries found or fetched, its cluster made, started, watched
//! and stopped.
//!
//! Used by the service when no database URL is given, and by the test kit. Postgres is our child and
//! never outlives us: a tiny shell whose standard input is a pipe from us stops it when we go in
//! whatever way. It listens on a Unix socket in a private folder only.
//!
//! Deliberately not here: connections, roles, migrations and anything that knows what is stored.
//! Neither is an upgrade from one major of Postgres to another.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let folders = pgserver::default_folders();
//! let search = pgserver::BinarySearch { configured: None, offline: false, cache: folders.cache };
//! let binaries = pgserver::Binaries::find_for(&folders.state, &search)?;
//! let server = pgserver::Server::start(&binaries, pgserver::Options::new(folders.state)).await?;
//! println!("{}", server.socket_folder().display());
//! server.stop().await?;
//! # Ok(()) }
//! ```

mod account;
mod attach;
mod binaries;
mod cluster;
mod error;
mod fetch;
mod folders;
mod launch;
mod lock;
mod pack;
mod pidfile;
mod postmaster;
mod progress;
mod server;
mod socket;
mod unpack;
mod url;
mod watchdog;

pub use attach::{Running, attach};
pub use binaries::{Binaries, BinarySearch, Version};
pub use cluster::cluster_major;
pub use error::{FetchError, FindError, StartError, StopError};
pub use folders::{Folders, default_folders};
pub use server::{Access, Durability, Options, Server};
