//! How credentials are used: when last, from where, with what, and how often with which verdict.
//!
//! Verdicts are tallied in memory by the thread that gives them (`recorder`), and written every few
//! seconds by one task (`flush`, `write`), outside the log. All of it is bounded, and what is beyond a
//! bound is dropped and counted: a verdict never waits for it. Only verdicts on a known key that were
//! answered are recorded; DRY_RUN and EXPLAIN leave no trace.
//!
//! What is written may be late by the pause between two flushes, and longer while more credentials are in
//! use than a flush writes. What was not written is lost in a crash; what was written while the database
//! went away may be counted twice.

mod backlog;
mod flush;
mod read;
mod recorder;
mod tally;
mod write;

pub(crate) use flush::{Flusher, describe_metrics};
pub(crate) use read::{CredentialUse, HourCount, hours, of};
pub(crate) use recorder::Recorder;
pub(crate) use tally::{LastUse, Use};
pub(crate) use write::{forget_hours, forget_places};
