//! The walls of the house, held by a test: who may use whom, who must never see what, and the few
//! rules about source files that neither the compiler nor clippy can hold.
//!
//! What a rule is for stands in ARCHITECTURE.md. A break that is meant is a change of a table here,
//! in the same commit, where a reviewer sees it.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod crates;
mod files;
mod packages;
mod scan;
mod sources;
mod table;
