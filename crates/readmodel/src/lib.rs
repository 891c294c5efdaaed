//! Tables of keys, configurations, workspaces and service credentials: how the log is folded into
//! them (`project`) and how they are asked (`query`), side by side for each noun.
//!
//! A projection folds with the domain's own `evolve`, so a row is what the stream's events make it.
//! Three projections go at their own pace: [`keys::Keys`], [`config::Configs`] and
//! [`workspaces::Workspaces`], which does the service credentials too. Whoever reads waits for the
//! checkpoints of what is read. Deliberately absent: who runs projections (`eventlog`), the
//! verifier that [`snapshot`] feeds, and the wire.

mod columns;
pub mod config;
mod error;
mod fold;
pub mod keys;
mod migrations;
mod page;
mod quarantine;
pub mod service_credentials;
pub mod snapshot;
mod statement;
pub mod workspaces;

pub use error::{Cause, ReadError};
pub use migrations::migrations;
pub use page::{Cursor, Order, Page, PageRequest};
pub use quarantine::{Quarantined, quarantined};
