//! Keyward, the service: the only place where wire, domain and storage meet.
//!
//! `app` puts it together; `commands` is the write side's one loop; `tail` and `freshness` keep the
//! read side honest; `grpc` is the wire, one file an RPC. The binary is `cli`.

pub mod app;
mod barrier;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
mod counts;
mod data_keys;
mod entropy;
pub mod freshness;
pub mod gateways;
mod grpc;
mod guesses;
mod imported;
mod jwt;
mod keyring;
mod node;
pub mod operator;
pub mod rebuild;
mod reload;
mod server;
mod service_identity;
pub mod storage;
mod tail;
mod usage;
