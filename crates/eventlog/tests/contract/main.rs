//! The contract of the event log, on a real Postgres: order, density, truth about outcomes,
//! tamper evidence, projections, migrations.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod append;
mod append_batch;
mod at_once;
mod audit;
mod chain_keys;
mod density;
mod follow;
mod heartbeat;
mod migrate;
mod outcome;
mod projection;
mod rebuild;
mod requests;
mod setup;
mod standby;
mod tally;
mod tampering;
mod transaction;
