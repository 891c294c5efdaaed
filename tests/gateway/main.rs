//! The gateway in front of a real service, asked by a real client of HTTP: one module a promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rest;

mod odd_json;
mod readiness;
mod refusals;
mod routes;
