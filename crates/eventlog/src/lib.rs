//! An append-only, dense, tamper-evident event log on Postgres, and everything that follows it.
//!
//! - [`EventLog`] writes: one task per program commits whole groups of commands in one transaction
//!   under the lock of the head row, so positions are dense and in order of commit.
//! - [`Subscription`] reads: every event once, in order, with the chain of MACs verified.
//! - [`Projection`], [`ProjectionRunner`] and [`rebuild()`] fold the log into tables;
//!   [`Checkpoints`] say how far they are.
//! - [`EventLog::audit`] lists the events of one workspace, in bounded steps.
//! - [`Heartbeat`] is a verifier's committed sign of life.
//! - [`migrate()`], [`verify_log`], [`transaction()`] and [`Database`] are what all of these stand on.
//!
//! The crate deliberately knows nothing of keys, of the wire or of cryptography: payloads are bytes,
//! and the keyed MAC is given by the caller.

mod append;
mod audit;
mod chain;
mod checkpoint;
mod columns;
mod commits;
mod confirm;
mod database;
mod database_clock;
mod error;
mod event;
mod guess;
pub mod heartbeat;
mod log;
mod migrate;
mod plan;
mod projection;
mod read;
mod rebuild;
mod requests;
mod row;
mod session;
mod subscription;
mod telemetry;
mod tls;
mod transaction;
mod verify;
mod wake;
mod writer;

pub use append::{
    Append, AppendOutcome, Appended, Expected, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, NewRequest,
    RequestKey, StoredRequest, StreamAppend,
};
pub use audit::{AuditFilter, AuditOrder, AuditPage, AuditScan};
pub use chain::{ChainMac, Mac};
pub use checkpoint::Checkpoints;
pub use commits::Commits;
pub use database::{Connection, Database, DatabaseOptions};
pub use error::{Cause, Fault, LogError};
pub use event::{Metadata, NewEvent, Position, RecordedEvent, Revision, StreamId};
pub use heartbeat::{Beat, Heartbeat, Sign, VerifierBeat};
pub use log::{EventLog, EventLogOptions};
pub use migrate::{
    LOG_MIGRATIONS, MigrateError, Migrated, Migration, MigrationSet, migrate, pending_migrations,
};
pub use projection::{Projection, ProjectionError, ProjectionRunner, RunnerOptions};
pub use rebuild::{RebuildError, rebuild};
pub use row::Head;
pub use subscription::{Batch, StartAt, Subscription, SubscriptionOptions};
pub use telemetry::describe_metrics;
pub use transaction::{MAX_ATTEMPTS, transaction};
pub use verify::{Checked, Part, verify_log};
