//! The REST gateway of Keyward: HTTP in, gRPC out, and nothing of its own but how things are spelt.
//!
//! It holds no key ring and no database; it forwards the caller's credential and an allow-list of headers.
//! `canonical` is the surface that the descriptors describe, `velt`, `organization` and `slaunchx` those
//! of products, `forward_auth` is for proxies, `operations` for operators; `surface` is the table of all.
//! `edge` is what every request goes through.

mod body;
mod call;
mod canonical;
pub mod cli;
mod client_address;
pub mod config;
mod counts;
mod docs;
mod edge;
mod files;
mod forward_auth;
mod free;
mod gateway;
mod json;
mod node;
mod openapi;
mod operations;
mod organization;
mod paths;
mod peers;
mod problem;
mod refusal;
mod reply;
mod secrets;
mod server;
mod slaunchx;
pub mod surface;
mod upstream;
mod velt;
mod wording;

pub use config::Config;
pub use gateway::{Gateway, StartError};
