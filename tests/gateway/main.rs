//! The gateway in front of a real service, asked by a real client of HTTP: one module a promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod echo;
mod rest;

mod both_verdicts;
mod client_address;
mod compatible_document;
mod connection_age;
mod cors;
mod docs_page;
mod documents;
mod drain;
mod envoy_ext_authz;
mod every_rpc;
mod fail_mode;
mod headers;
mod limits;
mod metrics;
mod odd_json;
mod openapi_conformance;
mod oracle;
mod organization;
mod oversized;
mod products;
mod proxies;
mod proxies_beyond;
mod queries;
mod readiness;
mod refusals;
mod reloaded;
mod routes;
mod slaunchx;
mod stalled;
mod streams;
mod velt;
mod verify;
mod wires;
