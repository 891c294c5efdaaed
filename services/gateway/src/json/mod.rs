//! Canonical proto3 JSON, straight to and from protobuf's binary form, by tables that are made from the
//! descriptors once.
//!
//! `typed` reads the bodies of products into structs instead.
//!
//! Deliberately not here: messages as values. A body is read once and written once; what is between is
//! the bytes of the wire. `prost-reflect`, which does the same by way of values, is what the tests of
//! this folder compare with.

mod moment;
mod parse;
mod reader;
mod schema;
mod text;
pub mod typed;
mod wire;
mod write;

#[cfg(test)]
mod against_reflection_tests;

pub use parse::{Parsed, parse};
pub use reader::BadJson;
pub use schema::{Field, FieldId, Kind, MessageId, Schema, SchemaError, Shape};
pub use text::{BadText, append};
pub use wire::first_text;
pub use write::{quote, write, write_any};

pub(crate) use moment::{read_timestamp, write_timestamp};
pub(crate) use parse::{begin, end};
