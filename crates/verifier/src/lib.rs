//! The in-memory index of every key, and the answer it gives.
//!
//! Readers ask [`Verifier::verify`] from any thread and take no lock; one writer at a time folds the
//! log into the index with [`Verifier::apply`]. What an answer says about a key that was found is
//! [`domain::verdict::judge`]'s; this crate finds the key, has its secret checked, and makes sure
//! that a foreign, unknown or wrong key is one and the same "not found".
//!
//! Deliberately absent: the MAC itself (an argument), the log and the tables, the wire, clocks, and
//! whether this node may answer at all (the lease).
//!
//! ```text
//! verifier.rs   what is shared: the maps, the counts
//! verify.rs     one question, one answer          callers.rs    who calls
//! load.rs       from rows                         apply.rs      from events
//! entry.rs      one credential in memory          writer.rs     what only the writer needs
//! workspaces.rs one record a workspace            interner.rs   equal values kept once
//! kept.rs       an answer for later
//! ```

mod answer;
mod apply;
mod callers;
mod entry;
mod interner;
mod kept;
mod key_events;
mod load;
mod query;
mod verifier;
mod verify;
mod workspaces;
mod writer;

pub use answer::{Answer, KeyView, Quarantined, Warning, Warnings};
pub use callers::{CallerRefusal, KnownCaller, Permissions};
pub use kept::Kept;
pub use query::{EnvSet, Query, Tenant};
pub use verifier::{Counts, Imported, Verifier};
pub use workspaces::WorkspaceFacts;
