//! The real binary as its operators run it: started, asked, signalled and killed from outside. One
//! module per promise.
//!
//! Deliberately not here: what each RPC answers; that is tested inside one process, which is quicker.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod barrier;
mod canaries;
mod canary;
mod child;
mod client;
mod command_line;
mod crash;
mod deployment;
mod descriptors;
mod embedded;
mod ext_authz;
mod first_command;
mod frames;
mod json_call;
mod keyring;
mod limits;
mod observability;
mod operations;
mod rest_beside_the_service;
mod runbook;
mod settings;
mod shutdown;
mod start;
mod tls;
mod tls_identity;
mod tls_reload;
mod traces;
mod verify_beside_the_service;
