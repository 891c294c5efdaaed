//! The vault's promises, seen from outside.

#![expect(clippy::unwrap_used, reason = "what the tests build upon may stop them at once")]

mod edits;
mod envelopes;
mod fixture;
mod jwt;
mod keyring;
mod masks;
mod peppers;
mod redaction;
mod tokens;
mod vectors;
